"""The log holds each change of standing once, in the change's own transaction, or the change does not happen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import delete, select

from broker.domain.audit import GENESIS, Action
from broker.domain.errors import Conflict, OAuthError
from broker.operations import consent, tokens
from broker.operations.people import accounts
from broker.store import schema as s
from broker.store.engine.database import Row
from broker.store.engine.statements import Statement, adding
from broker.store.evidence import audit
from tests.operations.evidence.acts import ACTS, CLIENT, Act, given
from tests.register import SETTINGS
from tests.world import Connection, World

_ALL = [Statement(select(*table.columns).order_by(*table.primary_key.columns)) for table in s.metadata.sorted_tables]
_ADD = Statement(adding(s.audit_entry))
_REMOVE = Statement(delete(s.audit_entry).where(s.audit_entry.c.actor == "somebody"))


def _everything(world: World) -> list[list[Row]]:
    with world.read() as context:
        return [context.transaction.rows(statement) for statement in _ALL]


@contextmanager
def _no_room_in_the_log(world: World) -> Iterator[None]:
    """The next place in the log is taken, so that no entry can be written."""
    with world.database.write() as transaction:
        position, _ = audit.head(transaction)
        transaction.run(_ADD, position=position + 1, at=0, actor="somebody", action="", subject="", feature=None,
                        details="{}", previous=GENESIS, hash=GENESIS)  # fmt: skip
    try:
        yield
    finally:
        with world.database.write() as transaction:
            transaction.run(_REMOVE)


@pytest.mark.parametrize("act", ACTS, ids=str)
def test_a_change_of_standing_writes_one_entry_or_does_not_happen(world: World, act: Act) -> None:
    things = given(world)
    act.before(world)
    with _no_room_in_the_log(world):
        before = _everything(world)
        with pytest.raises(Conflict), world.write("operator:ops") as context:
            act.act(context, things)
        assert _everything(world) == before
    log = world.log()
    with world.write("operator:ops") as context:
        act.act(context, things)
    assert world.log() == [*log, act.action.value]


def test_no_kind_of_entry_is_missing_from_these_acts() -> None:
    """Seeding is the first entry of every log; giving an approval is an entry beside that of what it does."""
    assert {act.action for act in ACTS} == set(Action) - {Action.BROKER_SEEDED, Action.APPROVAL_GIVEN}


def _replay(world: World, alice: Connection) -> None:
    world.redeem(CLIENT, alice.code)


def _reuse(world: World, alice: Connection) -> None:
    world.refresh(world.refresh(alice))
    world.refresh(alice)


@pytest.mark.parametrize(("act", "cause"), [(_replay, "code_replayed"), (_reuse, "refresh_token_reused")])
def test_a_replay_is_in_the_log_although_its_answer_is_an_error(
    world: World, act: Callable[[World, Connection], None], cause: str
) -> None:
    alice = world.connect("alice", CLIENT)
    log = world.log()
    with pytest.raises(OAuthError):
        act(world, alice)
    assert world.log() == [*log, "token_family.ended"]
    with world.read() as context:
        (entry,) = audit.latest(context.transaction, 1)
    assert (entry.details["cause"], entry.actor, entry.subject) == (
        cause,
        f"client:{CLIENT}",
        f"grant:{alice.grant_id}",
    )


def test_issuing_and_using_under_a_standing_grant_is_not_in_the_log(world: World) -> None:
    alice = world.connect("alice", CLIENT)
    request, account = world.request(CLIENT), world.account("alice")
    log = world.log()
    alice = world.refresh(alice)
    world.post(alice.access)
    world.use(alice.access)
    with world.write("user:alice") as context:
        assert consent.continue_unchanged(context, account, request) is not None
        accounts.log_in(context, accounts.by_name(context, "alice"), "127.0.0.1")
        tokens.introspect(context.transaction, SETTINGS, None, alice.access)
    assert world.log() == log
