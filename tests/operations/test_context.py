"""The circumstances of an operation: the database's time, secrets from the given randomness, one entry in the log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from broker.domain.audit import Action
from broker.domain.errors import Undecided
from broker.domain.tokens import TokenKind, well_formed
from broker.store.evidence import audit
from broker.store.ledger import Ledger
from tests.world import START, World


def test_time_is_the_database_s_and_stands_still_within_an_operation(world: World) -> None:
    with world.write() as context:
        world.clock.advance(hours=1)
        assert context.now == START
        assert context.after(60) == START + 60_000_000
    with world.read() as context:
        assert context.now == START + 3_600_000_000


def test_secrets_numbers_and_names_come_from_the_given_randomness(world: World) -> None:
    always = replace(world.runtime, randomness=lambda length: b"\xff" * length)
    with always.write("operator:ops") as context:
        secret = context.new_secret(TokenKind.CODE)
        assert well_formed(TokenKind.CODE, secret)
        assert context.new_secret(TokenKind.CODE) == secret
        assert context.new_number() == (1 << 63) - 1
        assert context.new_name() == "f" * 16


def test_an_entry_says_who_did_what_to_what_and_when(world: World) -> None:
    with world.write("operator:ops") as context:
        position = context.record(Action.GRANT_ENDED, "grant:7", feature="share-a-track", cause="disconnected")
        (entry,) = audit.latest(context.transaction, 1)
    assert (entry.position, entry.at, entry.actor, entry.action, entry.subject, entry.feature, entry.details) == (
        position, START, "operator:ops", "grant.ended", "grant:7", "share-a-track", {"cause": "disconnected"},
    )  # fmt: skip


def test_an_operation_that_fails_leaves_nothing(world: World) -> None:
    before = world.log()
    with pytest.raises(RuntimeError, match="halfway"), world.write() as context:  # noqa: PT012 - it fails at the end
        context.record(Action.GRANT_ENDED, "grant:7")
        raise RuntimeError("halfway")
    assert world.log() == before


def test_a_snapshot_writes_nothing(world: World) -> None:
    before = world.log()
    if world.database.is_sqlite:
        with world.read() as context:  # rolled back, whatever was done in it
            context.record(Action.GRANT_ENDED, "grant:7")
    else:
        with pytest.raises(Exception, match="read-only"), world.read() as context:
            context.record(Action.GRANT_ENDED, "grant:7")
    assert world.log() == before


def test_nothing_is_written_to_a_database_that_is_seen_to_be_behind(world: World, tmp_path: Path) -> None:
    world.database.ledger = Ledger(tmp_path)
    with world.write():
        pass
    world.database.ledger.below = "a backup was restored"
    with pytest.raises(Undecided, match="a backup was restored"), world.write():
        pass
