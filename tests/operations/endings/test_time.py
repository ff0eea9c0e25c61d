"""Time only takes: no clock that is set back, no late record and no later date brings back what has ended."""

from __future__ import annotations

import pytest

from broker.domain.decisions import Denied
from broker.domain.errors import Conflict
from broker.domain.instants import DAY
from broker.operations import access, grants, shutdowns
from broker.operations.register import approvals, features
from broker.store import clock
from tests.world import START, World

WRITE, PROFILE = "messages:write", "profile:read"


def _floor(world: World) -> int:
    with world.read() as context:
        return context.now


def test_time_is_never_earlier_than_what_was_committed(world: World) -> None:
    world.clock.advance(hours=1)
    world.suspend("share-a-track")
    world.clock.advance(hours=-2)
    assert _floor(world) == START + DAY // 24
    with world.database.write() as transaction:
        clock.raise_floor(transaction, START)
    assert _floor(world) == START + DAY // 24


@pytest.mark.parametrize("what", ["access token", "grant", "feature"])
def test_a_clock_that_is_set_back_revives_nothing(world: World, what: str) -> None:
    alice = world.connect("alice", "tuneloop-share")
    if what == "feature":
        with world.write() as context:
            features.schedule(context, "share-a-track", world.clock.now + DAY)
    passed = {"access token": 0.01, "grant": 91.0, "feature": 1.0}[what]
    world.clock.advance(days=passed)
    denied = world.use(alice.access)  # refused, and its record commits that this time has been
    assert isinstance(denied, Denied)
    world.clock.advance(days=-passed)
    assert world.says(alice.access, WRITE) == denied.reason.value


def test_a_clock_that_is_set_back_issues_with_the_time_that_was(world: World) -> None:
    world.clock.advance(days=1)
    first = world.connect("alice", "tuneloop-share")
    world.clock.advance(days=-1)
    second = world.connect("bob", "tuneloop-share")
    ends = [world.check(each.access).standing for each in (first, second)]
    assert ends[0] is not None
    assert ends[1] is not None
    assert ends[0].expires_at == ends[1].expires_at
    assert world.says(second.access, WRITE) == "allowed"


def test_a_late_access_record_brings_back_no_scope(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    world.note(world.check(alice.access, WRITE))
    world.clock.advance(days=90)
    access.take_in(world.runtime)
    held = world.grant("alice", "tuneloop-share").scopes
    assert [(each.scope, each.uses, each.unused_ends_at) for each in held] == [
        (WRITE, 0, START + 90 * DAY),
        (PROFILE, 0, START + 90 * DAY),
    ]


def test_a_late_access_record_that_comes_in_time_moves_the_end_to_90_days_after_the_use(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.clock.advance(minutes=9)
    world.note(world.check(alice.access, WRITE))
    world.clock.advance(days=80)
    access.take_in(world.runtime)
    (held,) = world.grant("alice", "tuneloop-share").scopes
    assert (held.last_used_at, held.uses) == (START + 540_000_000, 1)
    assert held.unused_ends_at == START + 540_000_000 + 90 * DAY


def test_an_older_record_than_the_newest_moves_nothing_back(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    early = world.check(alice.access, WRITE)
    world.clock.advance(minutes=5)
    world.use(alice.access, WRITE)
    before = world.grant("alice", "tuneloop-share").scopes[0]
    world.note(early)
    access.take_in(world.runtime)
    after = world.grant("alice", "tuneloop-share").scopes[0]
    assert (after.last_used_at, after.unused_ends_at) == (before.last_used_at, before.unused_ends_at)
    assert (before.uses, after.uses) == (1, 2)


def test_consent_records_an_end_that_has_come_before_it_gives_anew(world: World) -> None:
    old = world.connect("alice", "tuneloop-share")
    world.clock.advance(days=100)
    new = world.connect("alice", "tuneloop-share")
    assert new.grant_id != old.grant_id
    ended = world.grant_by_id(old.grant_id)
    assert (ended.ended_at, ended.end_cause) == (START + 90 * DAY, "user_not_present")
    assert world.log()[-2:] == ["grant.ended", "consent.approved"]
    assert world.says(new.access, WRITE) == "allowed"
    assert world.says(old.access, WRITE) == "grant-ended"


def test_consent_records_the_end_by_the_feature_that_came_first(world: World) -> None:
    """Two shutdowns lie between; the first is what ended this grant."""
    old = world.connect("alice", "tuneloop-share")
    for _ in range(2):
        world.clock.advance(days=1)
        world.shut_down("share-a-track")
        world.reopen("share-a-track")
    world.clock.advance(days=1)
    world.connect("alice", "tuneloop-share")
    ended = world.grant_by_id(old.grant_id)
    assert (ended.ended_at, ended.end_cause) == (START + DAY, "feature_shut_down")


def test_a_grant_that_its_feature_has_ended_is_not_ended_again(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    grant = world.grant_by_id(alice.grant_id)
    world.shut_down("share-a-track")
    assert not world.disconnect(alice)
    with world.write("user:alice") as context:
        assert not grants.confirm_presence(context, grant)
    with world.write() as context:
        assert not grants.revoke(context, alice.grant_id)
    assert world.grant_by_id(alice.grant_id).ended_at is None
    assert world.log()[-1] == "feature.shut_down"


def test_a_date_that_was_reached_is_recorded_before_anything_could_move_it(world: World) -> None:
    world.connect("alice", "tuneloop-share")
    ends_at = world.clock.now + DAY
    with world.write() as context:
        features.schedule(context, "share-a-track", ends_at)
    world.clock.advance(days=2)
    receipt = world.shut_down("share-a-track", reason="it is late")
    assert (receipt["cause"], receipt["reason"]) == ("end_date", "the end date was reached")
    assert world.feature("share-a-track").shut_down_at == ends_at
    assert shutdowns.housekeeping(world.runtime) == 0


def test_a_passed_date_cannot_be_reopened_before_its_receipt(world: World) -> None:
    with world.write() as context:
        features.schedule(context, "share-a-track", world.clock.now + DAY)
    world.clock.advance(days=2)
    with pytest.raises(Conflict, match="is active at epoch 1"), world.write() as context:
        approvals.request_reopening(context, "share-a-track", 1)
