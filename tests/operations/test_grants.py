"""Ending grants, or parts of them; what is recorded of it, and when a grant is over without anybody's doing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from broker.domain.grants import EndCause
from broker.domain.instants import DAY
from broker.operations import grants
from broker.operations.register import features
from broker.store.evidence import audit
from tests.world import START, World

WRITE, PROFILE = "messages:write", "profile:read"


def _end(world: World, grant_id: int) -> tuple[int, EndCause] | None:
    grant = world.grant_by_id(grant_id)
    with world.read() as context:
        return grants.end_of(context, grant)


def test_ending_a_grant_is_one_entry_that_says_whose_and_why(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.clock.advance(minutes=1)
    world.disconnect(alice)
    with world.read() as context:
        (entry,) = audit.latest(context.transaction, 1)
    assert (entry.action, entry.subject, entry.actor, entry.feature) == (
        "grant.ended", f"grant:{alice.grant_id}", "user:alice", "share-a-track",
    )  # fmt: skip
    assert entry.details == {"cause": "disconnected", "account": world.account("alice"), "client": "tuneloop-share"}
    assert _end(world, alice.grant_id) == (START + 60_000_000, EndCause.DISCONNECTED)


def test_ending_what_is_over_is_no_entry(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    world.clock.advance(days=90)
    log = world.log()
    grant = world.grant_by_id(alice.grant_id)
    assert not world.disconnect(alice)
    with world.write("user:alice") as context:
        assert not grants.confirm_presence(context, grant)
        assert not grants.drop_scope(context, grant, "messages:read")
        grants.record_end(context, grant, START, EndCause.EXPIRED)
        grants.record_end(context, grant, START, EndCause.EXPIRED)
    assert world.log() == [*log, "grant.ended"]


def test_a_scope_that_is_taken_back_is_an_entry_of_its_own(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    grant = world.grant_by_id(alice.grant_id)
    with world.write("user:alice") as context:
        assert grants.drop_scope(context, grant, PROFILE)
        (entry,) = audit.latest(context.transaction, 1)
    assert (entry.details["scope"], entry.details["cause"]) == (PROFILE, "scope_taken_back")


def test_confirming_presence_moves_its_end_and_is_an_entry(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.clock.advance(days=30)
    grant = world.grant_by_id(alice.grant_id)
    with world.write("user:alice") as context:
        assert grants.confirm_presence(context, grant)
    confirmed = world.grant_by_id(alice.grant_id)
    assert (confirmed.present_at, confirmed.presence_ends_at) == (START + 30 * DAY, START + 120 * DAY)
    assert confirmed.expires_at == grant.expires_at
    assert world.log()[-1] == "presence.confirmed"


def _nothing(_: World) -> None:
    pass


def _shut_down(world: World) -> None:
    world.clock.advance(days=2)
    world.shut_down("share-a-track")


def _reach_the_date(world: World) -> None:
    with world.write() as context:
        features.schedule(context, "share-a-track", START + 3 * DAY)
    world.clock.advance(days=5)


def _stay_away(world: World) -> None:
    world.clock.advance(days=100)


def _stay_away_after_the_date(world: World) -> None:
    _reach_the_date(world)
    _stay_away(world)


def _shut_down_after_staying_away(world: World) -> None:
    _stay_away(world)
    world.shut_down("share-a-track")


def _shut_down_twice(world: World) -> None:
    for _ in range(2):
        _shut_down(world)
        world.reopen("share-a-track")


@pytest.mark.parametrize(
    ("happen", "end"),
    [
        (_nothing, None),
        (_shut_down, (START + 2 * DAY, EndCause.FEATURE_SHUT_DOWN)),
        (_reach_the_date, (START + 3 * DAY, EndCause.FEATURE_ENDED)),
        (_stay_away, (START + 90 * DAY, EndCause.NOT_PRESENT)),
        (_stay_away_after_the_date, (START + 3 * DAY, EndCause.FEATURE_ENDED)),
        (_shut_down_after_staying_away, (START + 90 * DAY, EndCause.NOT_PRESENT)),
        (_shut_down_twice, (START + 2 * DAY, EndCause.FEATURE_SHUT_DOWN)),
    ],
    ids=lambda each: each.__name__ if callable(each) else "",
)
def test_the_first_thing_that_ended_a_grant_is_what_ended_it(
    world: World, happen: Callable[[World], None], end: tuple[int, EndCause] | None
) -> None:
    alice = world.connect("alice", "tuneloop-share")
    happen(world)
    assert _end(world, alice.grant_id) == end
