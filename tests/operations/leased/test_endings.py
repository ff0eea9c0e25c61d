"""Every way in which access ends, at a node that has it in memory: when it returns, the node says yes no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from broker.domain.errors import OAuthError
from broker.operations import grants, issuing
from broker.operations.people import accounts
from broker.operations.register import clients, features, partners
from broker.operations.shutdowns import Receipt
from broker.store.revocations import nodes
from tests.operations.endings.test_register_endings import READ
from tests.operations.leased.worker import HASTY_US, Worker, asking, at_work
from tests.operations.races.narrowings import CLIENT, FEATURE, NARROWINGS, PARTNER, WRITE
from tests.world import Connection, World

PROFILE = "profile:read"
Ending = Callable[[World, Connection], object]


@pytest.fixture
def worker(world: World) -> Iterator[Worker]:
    """A worker of a leased broker beside the world's own node."""
    with at_work(world) as worker:
        yield worker


@pytest.fixture
def hasty(world: World) -> Iterator[Worker]:
    """The same under a lease that a test can wait out."""
    with at_work(world, HASTY_US) as worker:
        yield worker


def _replay(world: World, alice: Connection) -> None:
    with pytest.raises(OAuthError):
        world.redeem(CLIENT, alice.code)


def _reuse(world: World, alice: Connection) -> None:
    world.refresh(alice)
    with pytest.raises(OAuthError):
        world.refresh(alice)


def _untick(world: World, alice: Connection) -> None:
    """The next consent leaves a scope out; here, the one that was not required."""
    world.connect(alice.person, CLIENT, WRITE, PROFILE, ticked=set())


def _receipt(world: World, _: Connection) -> None:
    assert _outcomes(world.shut_down(FEATURE)) == ["confirmed"]


def _outcomes(receipt: Receipt) -> list[str]:
    found = receipt["nodes"]
    assert isinstance(found, list)
    return [each["outcome"] for each in found]


def _scheduled(world: World, _: Connection) -> None:
    """An end date is set, and reached by the time that the operation took (on the database's clock)."""
    with world.write() as context:
        features.schedule(context, FEATURE, world.clock.now + 1_000_000)
        world.clock.advance(seconds=1)


ENDINGS: list[tuple[str, Ending, str, str]] = [
    *((each.name, each, WRITE, each.reason) for each in NARROWINGS),
    ("shut_down_with_receipt", _receipt, WRITE, "feature-shut-down"),
    ("end_date", _scheduled, WRITE, "feature-shut-down"),
    ("replayed_code", _replay, WRITE, "token-revoked"),
    ("reused_refresh_token", _reuse, WRITE, "token-revoked"),
    ("unticked_scope", _untick, PROFILE, "insufficient-scope"),
    ("disconnected_by_its_user", lambda world, alice: world.disconnect(alice), WRITE, "grant-ended"),
    ("narrowed", lambda world, _: world.narrow(FEATURE, PROFILE), PROFILE, "insufficient-scope"),
]
each_ending = pytest.mark.parametrize(
    ("end", "scope", "reason"), [pytest.param(*rest, id=name) for name, *rest in ENDINGS]
)


@each_ending
def test_when_an_ending_has_returned_no_node_says_yes(
    world: World, worker: Worker, end: Ending, scope: str, reason: str
) -> None:
    alice = world.connect("alice", CLIENT, WRITE, PROFILE)
    before = worker.sees(alice.access, scope)
    with asking(worker, alice.access, scope) as answers:
        end(world, alice)
        returned = worker.clock()
        assert worker.says(alice.access, scope) == reason
    assert [word for at, word in answers if at > returned and word == "allowed"] == []
    assert worker.says(alice.access, scope, read=lambda: before) != "allowed", "a reading of before is worth nothing"
    with world.read() as context:
        (node,) = nodes.all(context.transaction)
    assert node.state == "live", "it has confirmed, and was not waited out"


def test_an_ending_waits_for_the_answer_that_was_admitted_before_it(world: World, hasty: Worker) -> None:
    alice = world.connect("alice", CLIENT, WRITE, PROFILE)
    hasty.sees(alice.access, WRITE)
    admitted = hasty.admits(alice.access, WRITE)
    assert _outcomes(world.shut_down(FEATURE)) == ["waited_out"]
    admitted.done()
    assert hasty.says(alice.access, WRITE) in ("feature-shut-down", "undecided")


def test_an_app_s_own_token_that_it_revokes_is_refused_at_once(world: World, worker: Worker) -> None:
    with world.answering(f"client:{CLIENT}") as context:
        own = str(issuing.client_token(context, clients.get(context, CLIENT), frozenset())["access_token"])
    worker.sees(own, "standing:read")
    world.revoke(CLIENT, own)
    assert worker.says(own, "standing:read") == "token-revoked"


def test_what_has_nothing_to_do_with_it_stays_in_memory(world: World, worker: Worker) -> None:
    alice, notice = world.connect("alice", CLIENT), world.connect("alice", "northbank-notice")
    worker.sees(alice.access, WRITE)
    worker.sees(notice.access, WRITE)
    world.disconnect(alice)
    readings = len(worker.readings)
    assert worker.says(notice.access, WRITE) == "allowed"
    assert len(worker.readings) == readings


def test_a_conversation_that_is_left_out_is_closed_to_earlier_tokens(world: World, worker: Worker) -> None:
    """Which conversations are open is part of the standing: it must be read again once another answer was given."""
    alice = world.connect("alice", CLIENT)
    worker.sees(alice.access, WRITE)
    world.connect("alice", CLIENT, threads={world.thread("Saturday hike")})
    admitted = worker.admits(alice.access, WRITE)
    admitted.done()
    assert admitted.decision.standing is not None
    assert not admitted.decision.standing.all_conversations


# --- what comes back --------------------------------------------------------------------------------------------------


def _resume_partner(world: World) -> None:
    with world.write() as context:
        partners.resume(context, PARTNER)


def _enable(world: World) -> None:
    with world.write() as context:
        accounts.enable(context, "alice")


BACK: dict[str, Callable[[World], object]] = {
    "suspend": lambda world: world.resume(FEATURE),
    "suspend_partner": _resume_partner,
    "disable_user": _enable,
}


@pytest.mark.parametrize("narrowing", [each for each in NARROWINGS if each.name in BACK], ids=lambda each: each.name)
def test_what_was_held_lives_again_with_the_same_token(world: World, worker: Worker, narrowing: Ending) -> None:
    alice = world.connect("alice", CLIENT, WRITE, PROFILE)
    worker.sees(alice.access, WRITE)
    narrowing(world, alice)
    assert worker.says(alice.access, WRITE) != "allowed"
    BACK[narrowing.name](world)  # type: ignore[attr-defined]
    assert worker.says(alice.access, WRITE) == "allowed", "a no is never remembered"


def test_a_reopened_feature_leaves_old_grants_dead_and_serves_new_ones(world: World, worker: Worker) -> None:
    old = world.connect("alice", CLIENT)
    before = worker.sees(old.access, WRITE)
    world.shut_down(FEATURE)
    world.reopen(FEATURE)
    assert worker.says(old.access, WRITE) == "grant-ended"
    assert worker.says(old.access, WRITE, read=lambda: before) != "allowed"
    new = world.connect("alice", CLIENT)
    worker.sees(new.access, WRITE)
    assert worker.says(old.access, WRITE) == "grant-ended"


def test_a_scope_that_is_agreed_to_later_serves_the_token_that_had_asked_for_it(world: World, worker: Worker) -> None:
    alice = world.connect("alice", CLIENT, WRITE, PROFILE)
    worker.sees(alice.access, PROFILE)
    account = world.account("alice")
    with world.write("user:alice") as context:
        grants.drop_scope(context, grants.own(context, account, alice.grant_id), PROFILE)
    assert worker.says(alice.access, PROFILE) == "insufficient-scope"
    assert worker.says(alice.access, WRITE) == "allowed"
    world.connect("alice", CLIENT, WRITE, PROFILE, ticked={PROFILE})
    assert worker.says(alice.access, PROFILE) == world.says(alice.access, PROFILE) == "allowed"


def test_a_widened_ceiling_serves_whoever_agrees_and_widens_nobody_s_token(world: World, worker: Worker) -> None:
    alice = world.connect("alice", CLIENT)
    worker.sees(alice.access, WRITE)
    world.widen(FEATURE, READ)
    assert worker.says(alice.access, READ.scope) == "insufficient-scope"
    assert worker.says(alice.access, WRITE) == "allowed"
    wider = world.connect("alice", CLIENT, WRITE, READ.scope)
    worker.sees(wider.access, READ.scope)
