"""The fence, step by step: a write that was admitted commits before an ending does, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from broker.domain.decisions import Allowed, Denied, decide
from broker.domain.errors import OAuthError, Undecided
from broker.domain.features import FeatureState
from broker.domain.tokens import digest
from broker.operations import consent, issuing, messages
from broker.operations.context import Runtime
from broker.operations.register import clients
from broker.store import conversations, standing
from tests.concurrency import LIMIT_S, Step, in_thread, stopped, waits
from tests.operations.races.narrowings import FEATURE, NARROWINGS, WRITE, Narrowing
from tests.world import VERIFIER, Connection, World, counts

PERSONAL = [narrowing for narrowing in NARROWINGS if narrowing.name in ("disconnect", "revoke_grant", "disable_user")]
each_narrowing = pytest.mark.parametrize("narrowing", NARROWINGS, ids=lambda narrowing: narrowing.name)
PROFILE = "profile:read"


def connected(world: World) -> Connection:
    """Alice has connected TuneLoop, with a scope besides the one that the tests take away."""
    return world.connect("alice", "tuneloop-share", WRITE, PROFILE)


def post_in_steps(world: World, alice: Connection, step: Step) -> str:
    """An app posts, and stops between the check and the insert."""
    thread = world.thread("Saturday hike")
    with world.write("app") as context:
        decision = messages.admit(context, digest(alice.access), WRITE)
        step()
        if isinstance(decision, Denied):
            return decision.reason.value
        messages.post_through_app(context, decision, thread, "posted in time")
    return "posted"


def texts(world: World) -> list[str]:
    """What stands in the conversation."""
    thread = world.thread("Saturday hike")
    with world.read() as context:
        return [each.text for each in conversations.messages(context.transaction, thread, count=100)]


@each_narrowing
def test_an_ending_waits_for_a_write_that_was_admitted(world: World, narrowing: Narrowing) -> None:
    alice = connected(world)
    with stopped(partial(post_in_steps, world, alice)) as (writer, step):
        ending = in_thread(partial(narrowing, world, alice))
        assert waits(world, ending)
        step.released.set()
        assert writer.result(LIMIT_S) == "posted"
        ending.result(LIMIT_S)
    assert "posted in time" in texts(world)
    assert world.says(alice.access, WRITE) == narrowing.reason


@each_narrowing
def test_a_write_that_comes_while_an_ending_commits_waits_and_is_refused(world: World, narrowing: Narrowing) -> None:
    alice = connected(world)
    with stopped(lambda step: narrowing(world, alice, step)) as (ending, step):
        writer = in_thread(partial(world.post, alice.access, "posted too late"))
        assert waits(world, writer)
        step.released.set()
        ending.result(LIMIT_S)
        denied = writer.result(LIMIT_S)
    assert isinstance(denied, Denied)
    assert denied.reason.value == narrowing.reason
    assert "posted too late" not in texts(world)


@each_narrowing
def test_a_write_that_begins_after_an_ending_is_refused(world: World, narrowing: Narrowing) -> None:
    alice = connected(world)

    def late(step: Step) -> object:
        with world.read():
            pass
        step()
        return world.post(alice.access, "posted too late")

    with stopped(late) as (writer, step):
        narrowing(world, alice)
        step.released.set()
        denied = writer.result(LIMIT_S)
    assert isinstance(denied, Denied)
    assert denied.reason.value == narrowing.reason
    assert "posted too late" not in texts(world)


# --- issuing, refreshing, redeeming, consenting -----------------------------------------------------------------------
# The circumstances are given from outside: a runtime whose randomness stops where an operation makes a secret, which is
# after it has judged the standing.


def _stopping(world: World, step: Step) -> Runtime:
    def randomness(length: int) -> bytes:
        step()
        return world.runtime.randomness(length)

    return replace(world.runtime, randomness=randomness)


def _refresh(world: World, alice: Connection, _: str, step: Step) -> None:
    with _stopping(world, step).write("client") as context:
        issuing.refresh(context, clients.get(context, alice.client_id), alice.refresh, frozenset())


def _redeem(world: World, _: Connection, code: str, step: Step) -> None:
    with _stopping(world, step).write("client") as context:
        client = clients.get(context, "tuneloop-share")
        issuing.redeem_code(context, client, code, client.redirect_uris[0], VERIFIER)


def _consent(world: World, _: Connection, __: str, step: Step) -> None:
    request, account = world.request("tuneloop-share"), world.account("carol")
    with _stopping(world, step).write("user:carol") as context:
        shown = consent.review(context, account, request)
        consent.approve(context, account, request, consent.Answer(request.scopes, None), shown.hash)


def _pass_unasked(world: World, _: Connection, __: str, step: Step) -> None:
    request, account = world.request("tuneloop-share", WRITE, PROFILE), world.account("alice")
    with _stopping(world, step).write("user:alice") as context:
        assert consent.continue_unchanged(context, account, request) is not None


Writer = Callable[[World, Connection, str, Step], None]
# With each, what a shutdown has ended: (grants, access tokens, refresh tokens, codes), of (2, 1, 1, 1) without it.
WRITERS: dict[Writer, tuple[int, int, int, int]] = {
    _refresh: (2, 2, 1, 1), _redeem: (2, 2, 2, 0), _consent: (3, 1, 1, 2), _pass_unasked: (2, 1, 1, 2),
}  # fmt: skip
each_writer = pytest.mark.parametrize("write", WRITERS, ids=lambda writer: writer.__name__.removeprefix("_"))


@each_writer
def test_a_shutdown_waits_for_what_is_being_issued_and_ends_it(world: World, write: Writer) -> None:
    alice, code = connected(world), world.consent("bob", "tuneloop-share")
    with stopped(partial(write, world, alice, code)) as (writer, step):
        shutting = in_thread(partial(world.shut_down, FEATURE))
        assert waits(world, shutting)
        step.released.set()
        writer.result(LIMIT_S)
        receipt = shutting.result(LIMIT_S)
    ended, left = counts(receipt)
    assert tuple(ended[kind] for kind in ("grants", "access_tokens", "refresh_tokens", "codes")) == WRITERS[write]
    assert set(left.values()) == {0}


@each_writer
def test_nothing_is_issued_once_a_shutdown_is_committing(world: World, write: Writer) -> None:
    alice, code = connected(world), world.consent("bob", "tuneloop-share")
    free = Step()
    free.released.set()
    with stopped(lambda step: NARROWINGS[0](world, alice, step)) as (ending, step):
        writer = in_thread(partial(write, world, alice, code, free))
        assert waits(world, writer)
        step.released.set()
        ending.result(LIMIT_S)
        refused = writer.exception(LIMIT_S)
    assert isinstance(refused, OAuthError)
    assert refused.code in ("invalid_grant", "unauthorized_client")
    assert not free.reached.is_set()


@pytest.mark.parametrize("narrowing", PERSONAL, ids=lambda each: each.name)
def test_what_ends_a_person_s_grant_waits_for_what_is_being_issued_under_it(world: World, narrowing: Narrowing) -> None:
    alice = connected(world)
    with stopped(partial(_refresh, world, alice, "")) as (writer, step):
        ending = in_thread(partial(narrowing, world, alice))
        assert waits(world, ending)
        step.released.set()
        writer.result(LIMIT_S)
        ending.result(LIMIT_S)
    assert world.says(alice.access) == narrowing.reason


# --- what the fence does not hold up, and what it does when somebody freezes ------------------------------------------


def test_a_shutdown_does_not_wait_for_writers_of_other_features(postgres_world: World) -> None:
    world = postgres_world
    notice = world.connect("alice", "northbank-notice")
    with stopped(partial(post_in_steps, world, notice)) as (writer, step):
        assert world.shut_down(FEATURE)["state"] == "shut_down"
        step.released.set()
        assert writer.result(LIMIT_S) == "posted"


def test_writers_of_one_feature_do_not_wait_for_each_other(postgres_world: World) -> None:
    world = postgres_world
    alice, bob = connected(world), world.connect("bob", "tuneloop-share")
    with stopped(partial(post_in_steps, world, alice)) as (writer, step):
        assert not isinstance(world.post(bob.access), Denied)
        assert not isinstance(world.post(alice.access), Denied)
        step.released.set()
        assert writer.result(LIMIT_S) == "posted"


def test_a_frozen_writer_makes_a_shutdown_fail_and_not_return(world: World) -> None:
    alice = connected(world)
    hasty = world.other_node(lock_timeout_ms=100)
    with stopped(partial(post_in_steps, world, alice)) as (writer, step):
        with pytest.raises(Undecided):
            hasty.shut_down(FEATURE)
        assert world.feature(FEATURE).state is FeatureState.ACTIVE
        step.released.set()
        assert writer.result(LIMIT_S) == "posted"
    assert hasty.shut_down(FEATURE)["state"] == "shut_down"
    hasty.close()


def test_readers_are_not_held_up_by_a_shutdown_that_commits(world: World) -> None:
    alice = connected(world)
    with stopped(lambda step: NARROWINGS[0](world, alice, step)) as (ending, step):
        assert world.says(alice.access, WRITE) == "allowed"  # it has not returned yet
        step.released.set()
        ending.result(LIMIT_S)
    assert world.says(alice.access, WRITE) == "feature-shut-down"


def test_a_read_s_check_and_its_data_see_one_snapshot(world: World) -> None:
    alice, other = connected(world), world.other_node()
    thread = world.thread("Saturday hike")
    with world.read() as context:
        first = [each.text for each in conversations.messages(context.transaction, thread, count=9)]
        in_thread(partial(other.post, alice.access, "posted meanwhile")).result(LIMIT_S)
        in_thread(partial(other.shut_down, FEATURE)).result(LIMIT_S)
        decision = decide(standing.read(context.transaction, digest(alice.access)), {WRITE})
        again = [each.text for each in conversations.messages(context.transaction, thread, count=9)]
    assert isinstance(decision, Allowed)
    assert first == again
    assert "posted meanwhile" not in again
    assert world.says(alice.access, WRITE) == "feature-shut-down"
    in_thread(other.close).result(LIMIT_S)


def test_a_shutdown_on_another_node_is_seen_by_the_next_read(world: World) -> None:
    alice, other = connected(world), world.other_node()
    assert world.says(alice.access, WRITE) == "allowed"
    in_thread(partial(other.shut_down, FEATURE)).result(LIMIT_S)
    assert world.says(alice.access, WRITE) == "feature-shut-down"
    in_thread(other.close).result(LIMIT_S)
