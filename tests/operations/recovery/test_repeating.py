"""Each kind of narrowing, lost with a restored backup and taken again from the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from broker.domain.audit import NARROWING, Action
from broker.domain.grants import Grant
from broker.domain.instants import DAY
from broker.operations import consent, grants
from broker.operations.context import Context
from broker.operations.people import accounts, passwords
from broker.operations.recovery import repeating
from broker.operations.register import clients, features, partners, resource_servers
from broker.store import accounts as stored_accounts
from broker.store import grants as stored_grants
from broker.store.register import clients as stored_clients
from broker.store.register import partners as stored_partners
from broker.store.register import resource_servers as stored_servers
from tests.operations.recovery.restoring import CLIENT, FEATURE, back_up, keeping, recover
from tests.world import START, Connection, World

WRITE, PROFILE = "messages:write", "profile:read"


@dataclass(frozen=True)
class Taken:
    """A narrowing, and whether it stands."""

    name: str
    take: Callable[[Context, Connection], object]
    stands: Callable[[Context, Connection], bool]


def _grant(context: Context, held: Connection) -> set[str]:
    found = stored_grants.get(context.transaction, held.grant_id)
    assert found is not None
    return set() if found.ended_at is not None else {each.scope for each in found.scopes}


def _own(context: Context, held: Connection) -> Grant:
    found = stored_grants.get(context.transaction, held.grant_id)
    assert found is not None
    return found


def _state(context: Context) -> str:
    return features.get(context, FEATURE).state.value


def _client(context: Context) -> bool:
    found = stored_clients.get(context.transaction, CLIENT)
    return found is not None and not found.enabled


def _partner(context: Context) -> bool:
    found = stored_partners.get(context.transaction, "tuneloop")
    return found is not None and found.state == "suspended"


def _server(context: Context) -> bool:
    found = stored_servers.get(context.transaction, "palaver-search")
    return found is not None and found.state == "disabled"


def _alice(context: Context) -> stored_accounts.Account:
    return accounts.by_name(context, "alice")


TAKEN = (
    Taken("suspended", lambda c, a: features.suspend(c, FEATURE), lambda c, a: _state(c) == "suspended"),
    Taken("scheduled", lambda c, a: features.schedule(c, FEATURE, START + DAY),
          lambda c, a: features.get(c, FEATURE).ends_at == START + DAY),
    Taken("narrowed", lambda c, a: features.narrow(c, FEATURE, frozenset({PROFILE})),
          lambda c, a: PROFILE not in features.get(c, FEATURE).scopes),
    Taken("partner suspended", lambda c, a: partners.suspend(c, "tuneloop"), lambda c, a: _partner(c)),
    Taken("client disabled", lambda c, a: clients.disable(c, CLIENT), lambda c, a: _client(c)),
    Taken("server disabled", lambda c, a: resource_servers.disable(c, "palaver-search"), lambda c, a: _server(c)),
    Taken("disconnected", lambda c, a: grants.disconnect(c, _own(c, a)), lambda c, a: not _grant(c, a)),
    Taken("scope taken back", lambda c, a: grants.drop_scope(c, _own(c, a), PROFILE),
          lambda c, a: _grant(c, a) == {WRITE}),
    Taken("account disabled", lambda c, a: accounts.disable(c, "alice"), lambda c, a: _alice(c).state == "disabled"),
    Taken("password changed", lambda c, a: accounts.set_password(c, _alice(c), "another password"),
          lambda c, a: accounts.check_password(c.transaction, "alice", "another password") is None
          and _alice(c).password_hash == passwords.NOBODY),
)  # fmt: skip


@pytest.mark.parametrize("taken", TAKEN, ids=lambda taken: taken.name)
def test_what_was_taken_after_the_backup_is_taken_again(world: World, taken: Taken) -> None:
    keeping(world)
    alice = world.connect("alice", CLIENT, WRITE, PROFILE)
    restore = back_up(world)
    with world.write() as context:
        taken.take(context, alice)
    restore()
    with world.read() as context:
        assert not taken.stands(context, alice)
    report = recover(world)
    assert (len(_listed(report, "applied")), report["absent"]) == (1, [])
    with world.read() as context:
        assert taken.stands(context, alice)


def _listed(report: dict[str, object], name: str) -> list[str]:
    found = report[name]
    assert isinstance(found, list)
    return found


def test_a_later_consent_to_less_leaves_that_and_no_more(world: World) -> None:
    keeping(world)
    alice = world.connect("alice", CLIENT, WRITE, PROFILE)
    restore = back_up(world)
    with world.write("user:alice") as context:
        grants.drop_scope(context, _own(context, alice), PROFILE)
    world.connect("alice", CLIENT, WRITE)
    restore()
    recover(world)
    with world.read() as context:
        assert _grant(context, alice) == {WRITE}


def test_a_later_consent_for_some_conversations_ends_the_grant(world: World) -> None:
    """Which they were is not in the log, and so not in the ledger: all conversations would be more than was given."""
    keeping(world)
    account, request = world.account("alice"), world.request(CLIENT)
    alice = world.connect("alice", CLIENT, WRITE)
    restore = back_up(world)
    with world.write("user:alice") as context:
        shown = consent.review(context, account, request)
        answer = consent.Answer(request.scopes, frozenset({shown.threads[0][0]}) if shown.threads else frozenset())
        consent.approve(context, account, request, answer, shown.hash)
    restore()
    recover(world)
    with world.read() as context:
        assert _grant(context, alice) == set()


def test_people_whose_password_was_changed_are_named(world: World) -> None:
    keeping(world)
    restore = back_up(world)
    for password in ("another password", "one more password"):
        with world.write() as context:
            accounts.set_password(context, _alice(context), password)
    restore()
    assert recover(world)["need_new_password"] == ["alice"]


def test_what_the_backup_does_not_know_is_told_and_harms_nobody(world: World) -> None:
    keeping(world)
    restore = back_up(world)
    alice = world.connect("alice", CLIENT, WRITE)
    with world.write("user:alice") as context:
        grants.disconnect(context, _own(context, alice))
    restore()
    report = recover(world)
    (absent,) = _listed(report, "absent")
    assert absent.endswith(f"grant.ended grant:{alice.grant_id}")
    assert report["applied"] == []


def test_an_end_that_was_moved_to_earlier_does_not_move_to_later_again(world: World) -> None:
    keeping(world)
    restore = back_up(world)
    for days in (1, 2):
        with world.write() as context:
            features.schedule(context, FEATURE, START + days * DAY)
    restore()
    recover(world)
    assert world.feature(FEATURE).ends_at == START + DAY


def test_every_narrowing_can_be_taken_again() -> None:
    """A recovery itself takes nothing that the next does not take by being one."""
    assert set(repeating._ACTS) == {*NARROWING} - {Action.BROKER_RECOVERED}
