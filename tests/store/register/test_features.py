"""Features and their ceilings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.errors import Conflict
from broker.domain.features import CeilingEntry, Feature, FeatureState
from broker.store.register import features
from tests.concurrency import together
from tests.world import START, World

POLLS = Feature(
    "polls", "tuneloop", "TuneLoop", "active", "Polls", "Ask what to play.", ("send", "read"), FeatureState.DRAFT, 1,
    START + 9, None, 86_400, "operator",
    (CeilingEntry("messages:read", "We count.", required=False, since=4, beyond_need="It is more."),
     CeilingEntry("messages:write", "We ask.", required=True, since=3)),
)  # fmt: skip


def _add(world: World, feature: Feature = POLLS) -> None:
    with world.database.write() as transaction:
        features.add(transaction, feature, START)


def test_a_feature_comes_back_as_it_was_written(world: World) -> None:
    _add(world)
    with world.database.read() as transaction:
        assert features.get(transaction, "polls") == POLLS
        assert features.get(transaction, "unknown") is None
        assert POLLS in features.of_partner(transaction, "tuneloop")
        everything = features.all(transaction)
    assert [each.id for each in everything] == [
        "transfer-notice", "recommend-a-show", "now-playing", "polls", "share-a-track",
    ]  # fmt: skip
    with world.database.read() as transaction:
        assert [features.get(transaction, each.id) for each in everything] == everything
        assert [each.id for each in features.of_partner(transaction, "tuneloop")] == [
            "now-playing", "polls", "share-a-track",
        ]  # fmt: skip
        assert features.of_partner(transaction, "unknown") == []


def test_an_id_is_taken_once(world: World) -> None:
    with pytest.raises(Conflict):
        _add(world, replace(POLLS, id="share-a-track"))


def test_a_feature_belongs_to_a_partner_that_there_is(world: World) -> None:
    with pytest.raises(Conflict):
        _add(world, replace(POLLS, partner_id="unknown"))


def test_scopes_enter_and_leave_a_ceiling_one_by_one(world: World) -> None:
    _add(world)
    entry = CeilingEntry("profile:read", "We greet.", required=False, since=8)
    with world.database.write() as transaction:
        features.add_scope(transaction, "polls", entry)
        features.drop_scope(transaction, "polls", "messages:read")
        features.drop_scope(transaction, "polls", "never:there")
        features.set_scope_words(
            transaction, "polls", CeilingEntry("messages:write", "New.", required=False, since=99, beyond_need="More.")
        )
        found = features.get(transaction, "polls")
        untouched = features.get(transaction, "share-a-track")
    assert found is not None
    assert found.ceiling == (
        CeilingEntry("messages:write", "New.", required=False, since=3, beyond_need="More."), entry,
    )  # fmt: skip
    assert untouched is not None
    assert untouched.scopes == {"messages:write", "profile:read"}


def test_a_state_moves_from_where_it_is_said_to_be_at_the_epoch_that_is_said(world: World) -> None:
    active, suspended = FeatureState.ACTIVE, FeatureState.SUSPENDED
    with world.database.write() as transaction:
        assert not features.set_state(transaction, "share-a-track", 2, active, suspended)
        assert not features.set_state(transaction, "share-a-track", 1, suspended, active)
        assert features.set_state(transaction, "share-a-track", 1, active, suspended)
        assert not features.set_state(transaction, "share-a-track", 1, active, suspended)
    assert (world.feature("share-a-track").state, world.feature("now-playing").state) == (suspended, active)


@pytest.mark.parametrize("state", [FeatureState.DRAFT, FeatureState.ACTIVE, FeatureState.SUSPENDED])
def test_a_shutdown_moves_the_epoch_from_whichever_state_and_once(world: World, state: FeatureState) -> None:
    _add(world, replace(POLLS, state=state))
    with world.database.write() as transaction:
        assert features.shut_down(transaction, "polls", START + 1)
        assert not features.shut_down(transaction, "polls", START + 2)
    expected = replace(POLLS, state=FeatureState.SHUT_DOWN, epoch=2, shut_down_at=START + 1)
    assert world.feature("polls") == expected
    assert world.feature("share-a-track").epoch == 1


def test_of_many_that_shut_down_at_once_one_does(world: World) -> None:
    def shut_down() -> bool:
        with world.database.write() as transaction:
            return features.shut_down(transaction, "share-a-track", START)

    assert sorted(together(world, *[shut_down] * 4)) == [False, False, False, True]  # type: ignore[type-var]
    assert world.feature("share-a-track").epoch == 2


def test_a_feature_is_due_at_its_end_until_its_shutdown_is_recorded(world: World) -> None:
    with world.database.write() as transaction:
        for feature_id in ("share-a-track", "now-playing"):
            features.schedule(transaction, feature_id, START + 5)
        assert features.past_their_end(transaction, START + 4) == []
        assert features.past_their_end(transaction, START + 5) == ["now-playing", "share-a-track"]
        features.shut_down(transaction, "now-playing", START)
        assert features.past_their_end(transaction, START + 5) == ["share-a-track"]
        features.schedule(transaction, "share-a-track", None)
        assert features.past_their_end(transaction, START + 5) == []


def test_what_people_read_is_replaced_and_nothing_else(world: World) -> None:
    before = world.feature("share-a-track")
    with world.database.write() as transaction:
        features.set_words(transaction, "share-a-track", name="N", purpose="P", needs=("read",), lifetime_s=60)
    after = world.feature("share-a-track")
    assert after == replace(before, name="N", purpose="P", needs=("read",), grant_lifetime_s=60)
