"""After an old backup was restored: everything that was taken is taken, and what came back is void."""

from __future__ import annotations

from contextlib import suppress

import pytest

from broker.domain.audit import Action
from broker.domain.errors import OAuthError, Refused
from broker.operations import access
from broker.operations.recovery import current
from broker.operations.register import features
from broker.store.evidence import audit
from tests.operations.recovery.restoring import CLIENT, FEATURE, away, back_up, identity, keeping, recover
from tests.world import World

OTHER, ELSEWHERE = "recommend-a-show", "reelwise-recommend"


class _CrashedError(Exception):
    """The process ends here."""


def _head(world: World) -> tuple[int, int]:
    with world.read() as context:
        return audit.generation(context.transaction), audit.head(context.transaction)[0]


def test_what_was_shut_down_since_is_shut_down_and_its_tokens_are_dead(world: World) -> None:
    keeping(world)
    alice, bob = world.connect("alice", CLIENT), world.connect("bob", ELSEWHERE)
    restore = back_up(world)
    world.shut_down(FEATURE)
    restore()
    assert world.says(alice.access) == "allowed"  # so the backup does bring it back
    report = recover(world)
    assert world.feature(FEATURE).state.value == "shut_down"
    assert (world.feature(FEATURE).epoch, report["complete"], report["generation"]) == (2, True, 2)
    assert world.says(alice.access) == "feature-shut-down"
    assert world.says(bob.access) == "token-revoked"
    for connection in (alice, bob):
        with pytest.raises(OAuthError):
            world.refresh(connection)
    current.require_current(world.runtime)
    again = world.connect("bob", ELSEWHERE)
    assert world.says(world.refresh(again).access) == "allowed"


def test_it_is_one_entry_of_the_log_and_the_mark_has_its_generation(world: World) -> None:
    kept = keeping(world)
    restore = back_up(world)
    world.shut_down(FEATURE)
    restore()
    before = world.log()
    report = recover(world)
    assert world.log() == [*before, Action.BROKER_RECOVERED.value]
    assert _head(world) == (2, report["position"])
    assert kept.mark(identity(world)) == _head(world)


def test_its_shutdown_has_a_receipt_and_can_be_reopened_by_two(world: World) -> None:
    keeping(world)
    world.connect("alice", CLIENT)
    restore = back_up(world)
    world.shut_down(FEATURE, reason="it is over")
    world.reopen(FEATURE)
    world.shut_down(FEATURE)
    restore()
    recover(world)
    assert world.feature(FEATURE).epoch == 3
    receipt = world.shut_down(FEATURE)
    assert (receipt["epoch"], receipt["counted_at"] is not None) == (3, True)
    world.reopen(FEATURE)
    assert world.says(world.connect("alice", CLIENT).access) == "allowed"


def test_there_is_nothing_to_recover_when_nothing_was_restored(world: World) -> None:
    keeping(world)
    world.shut_down(FEATURE)
    with pytest.raises(Refused, match="nothing to recover"):
        recover(world)
    assert recover(world, anyway=True)["applied"] == []


def test_a_backup_older_than_two_recoveries_gets_all_that_was_taken(world: World) -> None:
    keeping(world)
    oldest = back_up(world)
    world.shut_down(FEATURE)
    oldest()
    recover(world)
    world.suspend(OTHER)
    oldest()
    report = recover(world)
    assert (world.feature(FEATURE).state.value, report["generation"]) == ("shut_down", 3)
    assert world.feature(OTHER).state.value == "suspended"


def test_what_a_recovery_did_is_not_done_again_by_the_next(world: World) -> None:
    """Reopened since the first recovery, and in the newer backup: the older generation's shutdown is over."""
    keeping(world)
    old = back_up(world)
    for _ in range(3):  # so that the lost log was longer than the new one gets
        world.suspend(FEATURE)
        world.resume(FEATURE)
    world.shut_down(FEATURE)
    old()
    recover(world)
    world.shut_down(FEATURE)
    world.reopen(FEATURE)
    recover(world, anyway=True)
    assert world.feature(FEATURE).state.value == "active"


# --- ledgers that are missing -----------------------------------------------------------------------------------------


def test_a_ledger_that_was_not_given_is_named_and_nothing_is_done(world: World) -> None:
    kept = keeping(world)
    other = world.other_node()
    elsewhere = keeping(other, "elsewhere")
    access.announce(world.runtime, "one.spool")
    access.announce(other.runtime, "two.spool")
    restore = back_up(world)
    other.shut_down(FEATURE)
    world.suspend(OTHER)
    other.close()
    restore()
    with pytest.raises(Refused, match=r"two\.spool"):
        recover(world)
    assert current.behind(world.runtime) is not None
    report = recover(world, elsewhere.directory)
    assert report["complete"]
    assert world.feature(FEATURE).state.value == "shut_down"
    assert kept.below is None


def test_without_a_ledger_it_goes_on_only_when_it_is_accepted_by_name(world: World) -> None:
    keeping(world)
    other = world.other_node()
    elsewhere = keeping(other, "elsewhere")
    access.announce(other.runtime, "two.spool")
    restore = back_up(world)
    other.shut_down(FEATURE)
    world.suspend(OTHER)
    away(elsewhere)
    other.close()
    restore()
    with pytest.raises(Refused, match=r"two\.spool"):
        recover(world, accepted=("three.spool",))
    report = recover(world, accepted=("two.spool",))
    assert (report["complete"], report["missing"]) == (False, ["two.spool"])
    assert world.feature(FEATURE).state.value == "active"
    current.require_current(world.runtime)


def test_one_that_came_after_the_backup_is_known_from_the_ledger_of_another(world: World) -> None:
    keeping(world)
    other = world.other_node()
    keeping(other, "elsewhere")
    restore = back_up(world)
    access.announce(other.runtime, "late.spool")
    access.announce(world.runtime, "one.spool")
    world.shut_down(FEATURE)
    other.close()
    restore()
    with pytest.raises(Refused, match=r"late\.spool"):
        recover(world)


# --- where a crash may come -------------------------------------------------------------------------------------------


def _crash_before_the_commit(world: World) -> None:
    """The line is on the disk, and the process ends before it says COMMIT."""
    kept = world.database.ledger
    assert kept is not None
    with suppress(_CrashedError), world.write() as context:
        features.suspend(context, FEATURE)
        kept.attempted(context.transaction.narrowings)
        raise _CrashedError
    assert world.feature(FEATURE).state.value == "active"


def test_a_commit_that_was_lost_makes_no_database_look_old(world: World) -> None:
    kept = keeping(world)
    _crash_before_the_commit(world)
    current.require_current(world.runtime)
    assert kept.mark(identity(world)) == (0, 0)


def test_a_commit_that_was_lost_is_forgotten_when_another_has_its_place(world: World) -> None:
    keeping(world)
    restore = back_up(world)
    _crash_before_the_commit(world)
    world.shut_down(OTHER)
    restore()
    recover(world)
    assert world.feature(FEATURE).state.value == "active"
    assert world.feature(OTHER).state.value == "shut_down"


def test_at_the_end_of_the_log_a_lost_commit_is_taken_for_a_real_one(world: World) -> None:
    """The one harm that an extra line does: what somebody was about to take is taken. It costs an approval of two."""
    keeping(world)
    restore = back_up(world)
    _crash_before_the_commit(world)
    restore()
    recover(world, anyway=True)
    assert world.feature(FEATURE).state.value == "suspended"


def test_a_crash_after_the_commit_leaves_the_line_for_the_next_recovery(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed and not marked yet: the mark misses that restore, the ledger does not."""
    kept = keeping(world)
    restore = back_up(world)

    def crash(*_: object) -> None:
        raise _CrashedError

    with monkeypatch.context() as crashing:
        crashing.setattr(kept, "committed", crash)
        with pytest.raises(_CrashedError):
            world.suspend(FEATURE)
    assert world.feature(FEATURE).state.value == "suspended"
    restore()
    recover(world, anyway=True)
    assert world.feature(FEATURE).state.value == "suspended"


def test_a_recovery_that_crashes_has_done_nothing_and_is_done_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keeping(world)
    alice = world.connect("alice", CLIENT)
    restore = back_up(world)
    world.shut_down(FEATURE)
    restore()

    def crash(*_: object) -> None:
        raise _CrashedError

    with monkeypatch.context() as crashing:
        crashing.setattr(kept, "attempted", crash)
        with pytest.raises(_CrashedError):
            recover(world)
    assert (world.says(alice.access), _head(world)[0]) == ("allowed", 1)
    assert current.behind(world.runtime) is not None
    assert recover(world)["generation"] == 2
    assert world.says(alice.access) == "feature-shut-down"
