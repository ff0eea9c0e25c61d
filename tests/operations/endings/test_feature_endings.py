"""A feature's ways of ending access: shut down, suspended, at its date; each at once and without a sweep."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.decisions import Denied
from broker.domain.errors import Conflict, OAuthError, Refused, Undecided
from broker.domain.features import FeatureState
from broker.domain.instants import DAY
from broker.operations import consent, shutdowns
from broker.operations.register import approvals, features
from tests.world import Connection, World

WRITE = "messages:write"


def refusal(world: World, connection: Connection) -> tuple[str, int]:
    """The error of a refresh that is refused."""
    with pytest.raises(OAuthError) as caught:
        world.refresh(connection)
    return caught.value.code, caught.value.status


# --- shut down --------------------------------------------------------------------------------------------------------


def test_a_shutdown_ends_tokens_refresh_tokens_and_codes_at_once(world: World) -> None:
    alice, code = world.connect("alice", "tuneloop-share"), world.consent("bob", "tuneloop-share")
    assert world.says(alice.access, WRITE) == "allowed"
    world.shut_down("share-a-track")
    assert world.says(alice.access, WRITE) == "feature-shut-down"
    assert isinstance(world.post(alice.access), Denied)
    assert refusal(world, alice) == ("invalid_grant", 400)
    with pytest.raises(OAuthError, match="the feature was shut down") as caught:
        world.redeem("tuneloop-share", code)
    assert caught.value.code == "invalid_grant"


def test_a_denial_after_a_shutdown_says_which_feature_and_since_when(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.clock.advance(minutes=1)
    world.shut_down("share-a-track")
    at = world.clock.now
    world.clock.advance(minutes=1)
    decision = world.check(alice.access, WRITE)
    assert isinstance(decision, Denied)
    assert decision.standing is not None
    assert (decision.ended_at, decision.standing.feature_id) == (at, "share-a-track")


def test_a_shutdown_ends_its_feature_only(world: World) -> None:
    playing, notice = world.connect("alice", "tuneloop-playing"), world.connect("alice", "northbank-notice")
    world.shut_down("share-a-track")
    assert world.says(playing.access, "posts:read") == "allowed"
    assert world.says(notice.access, WRITE) == "allowed"


def test_a_shut_down_feature_gets_no_consent(world: World) -> None:
    request, alice = world.request("tuneloop-share"), world.account("alice")
    with world.read() as context:
        shown = consent.review(context, alice, request)
    world.shut_down("share-a-track")
    with pytest.raises(OAuthError, match="was shut down") as caught, world.write("user:alice") as context:
        consent.approve(context, alice, request, consent.Answer(request.scopes, None), shown.hash)
    assert caught.value.code == "unauthorized_client"


def test_a_draft_and_a_suspended_feature_can_be_shut_down_too(world: World) -> None:
    world.suspend("share-a-track")
    with world.write() as context:
        known = features.get(context, "share-a-track")
        features.register(context, replace(known, id="share-an-album", state=FeatureState.DRAFT))
    for feature in ("share-a-track", "share-an-album"):
        assert (world.shut_down(feature)["state"], world.feature(feature).epoch) == ("shut_down", 2)


def test_a_reopened_feature_leaves_old_grants_dead_and_takes_consent_afresh(world: World) -> None:
    old = world.connect("alice", "tuneloop-share")
    world.shut_down("share-a-track")
    at = world.clock.now
    world.clock.advance(minutes=1)
    world.reopen("share-a-track")
    assert world.says(old.access, WRITE) == "grant-ended"
    assert refusal(world, old) == ("invalid_grant", 400)
    decision = world.check(old.access)
    assert isinstance(decision, Denied)
    assert decision.ended_at == at
    new = world.connect("alice", "tuneloop-share")
    assert world.says(new.access, WRITE) == "allowed"
    assert world.says(old.access, WRITE) == "grant-ended"
    ended = world.grant_by_id(old.grant_id)
    assert (ended.ended_at, ended.end_cause) == (at, "feature_shut_down")


def test_a_person_is_asked_again_after_a_reopening(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    request, account = world.request("tuneloop-share"), world.account("alice")
    with world.read() as context:
        unchanged = consent.unchanged(context, account, request)
    assert unchanged is not None
    assert unchanged.id == alice.grant_id
    world.shut_down("share-a-track")
    world.reopen("share-a-track")
    with world.read() as context:
        assert consent.unchanged(context, account, request) is None


def test_a_feature_is_shut_down_and_reopened_any_number_of_times(world: World) -> None:
    tokens = []
    for _ in range(3):
        tokens.append(world.connect("alice", "tuneloop-share").access)
        world.clock.advance(seconds=1)
        receipt = world.shut_down("share-a-track")
        assert receipt["ended"] == {"grants": 1, "users": 1, "access_tokens": 1, "refresh_tokens": 1, "codes": 0}
        world.reopen("share-a-track")
    assert [world.says(token, WRITE) for token in tokens] == ["grant-ended"] * 3
    assert world.feature("share-a-track").epoch == 4


# --- suspended and resumed --------------------------------------------------------------------------------------------


def test_a_suspension_holds_everything_and_resuming_gives_back_exactly_what_was_there(world: World) -> None:
    alice, code = world.connect("alice", "tuneloop-share"), world.consent("bob", "tuneloop-share")
    world.suspend("share-a-track")
    assert world.says(alice.access, WRITE) == "feature-suspended"
    with pytest.raises(Undecided, match="nothing was consumed"):
        world.refresh(alice)
    with pytest.raises(Undecided, match="nothing was consumed"):
        world.redeem("tuneloop-share", code)
    world.resume("share-a-track")
    assert world.says(alice.access, WRITE) == "allowed"
    assert world.grant("alice", "tuneloop-share").id == alice.grant_id
    assert world.says(str(world.redeem("tuneloop-share", code)["access_token"]), WRITE) == "allowed"
    assert world.says(world.refresh(alice).access, WRITE) == "allowed"


def test_a_suspended_feature_gets_no_consent(world: World) -> None:
    world.suspend("share-a-track")
    with pytest.raises(OAuthError, match="is suspended") as caught:
        world.request("tuneloop-share")
    assert caught.value.code == "unauthorized_client"


def test_time_goes_on_during_a_suspension(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.suspend("share-a-track")
    world.clock.advance(minutes=11)
    assert world.says(alice.access) == "token-expired"
    world.clock.advance(days=90)
    world.resume("share-a-track")
    assert world.says(alice.access) == "grant-ended"


def test_what_ended_during_a_suspension_stays_ended(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.suspend("share-a-track")
    world.revoke("tuneloop-share", alice.access)
    world.resume("share-a-track")
    assert world.says(alice.access) == "token-revoked"


# --- the end date -----------------------------------------------------------------------------------------------------


def _schedule(world: World, days: float) -> int:
    ends_at = world.clock.now + round(days * DAY)
    with world.write() as context:
        features.schedule(context, "share-a-track", ends_at)
    return ends_at


def test_a_reached_end_date_is_a_no_at_once_with_nobody_sweeping(world: World) -> None:
    alice, code = world.connect("alice", "tuneloop-share"), world.consent("bob", "tuneloop-share")
    ends_at = _schedule(world, days=30 / 86_400)
    world.clock.now = ends_at - 1
    assert world.says(alice.access, WRITE) == "allowed"
    world.clock.now = ends_at
    assert world.says(alice.access, WRITE) == "feature-shut-down"
    decision = world.check(alice.access)
    assert isinstance(decision, Denied)
    assert decision.ended_at == ends_at
    assert refusal(world, alice) == ("invalid_grant", 400)
    with pytest.raises(OAuthError, match="the feature was shut down"):
        world.redeem("tuneloop-share", code)
    with pytest.raises(OAuthError, match="was shut down"):
        world.request("tuneloop-share")
    assert world.feature("share-a-track").state is FeatureState.ACTIVE


def test_nothing_is_issued_beyond_the_end_date(world: World) -> None:
    ends_at = _schedule(world, days=100 / 86_400)
    alice = world.connect("alice", "tuneloop-share")
    decision = world.check(alice.access)
    assert decision.standing is not None
    assert decision.standing.expires_at == decision.standing.grant_expires_at == ends_at


def test_a_reached_end_date_is_recorded_later_as_of_when_it_was_due(world: World) -> None:
    world.connect("alice", "tuneloop-share")
    ends_at = _schedule(world, days=1)
    world.clock.advance(days=5)
    assert shutdowns.housekeeping(world.runtime) == 1
    feature = world.feature("share-a-track")
    assert (feature.state, feature.epoch, feature.shut_down_at) == (FeatureState.SHUT_DOWN, 2, ends_at)
    receipt = shutdowns.latest_receipt(world.runtime, "share-a-track")
    assert receipt is not None
    assert (receipt["cause"], receipt["by"]) == ("end_date", "broker")
    assert receipt["ended"] == {"grants": 1, "users": 1, "access_tokens": 0, "refresh_tokens": 1, "codes": 0}
    assert shutdowns.housekeeping(world.runtime) == 0


def test_an_end_date_counts_also_for_a_suspended_feature(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    _schedule(world, days=60 / 86_400)
    world.suspend("share-a-track")
    world.clock.advance(seconds=60)
    assert world.says(alice.access) == "feature-shut-down"


def test_an_end_date_that_has_passed_is_not_moved_by_anybody(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    _schedule(world, days=60 / 86_400)
    later = world.clock.now + 9 * DAY
    with world.write("operator:ops") as context:  # asked for while there was still time, approved when there was not
        asked = approvals.request_extending(context, "share-a-track", later)
    world.clock.advance(seconds=60)
    with pytest.raises(Conflict, match="its end cannot be moved"), world.write("operator:ops2") as context:
        approvals.approve(context, asked, "ops2")
    with pytest.raises(Conflict, match="its end cannot be moved"), world.write() as context:
        approvals.request_extending(context, "share-a-track", later)
    with pytest.raises(Conflict, match="its end cannot be moved"), world.write() as context:
        features.schedule(context, "share-a-track", later)
    assert world.says(alice.access) == "feature-shut-down"


def test_an_end_date_in_the_past_is_refused_and_names_the_way(world: World) -> None:
    with pytest.raises(Refused, match="has passed; to end the feature now, shut it down"):
        _schedule(world, days=0)


def test_a_date_moved_later_by_two_people_lets_the_feature_run_on(world: World) -> None:
    ends_at = _schedule(world, days=1)
    world.two_people(lambda context: approvals.request_extending(context, "share-a-track", ends_at + DAY))
    world.clock.advance(days=1, seconds=1)
    assert world.says(world.connect("alice", "tuneloop-share").access, WRITE) == "allowed"
    world.clock.advance(days=1)
    with pytest.raises(OAuthError, match="was shut down"):
        world.connect("bob", "tuneloop-share")


def test_a_reopened_feature_has_lost_the_end_date_that_did_its_work(world: World) -> None:
    _schedule(world, days=1)
    world.clock.advance(days=1)
    shutdowns.housekeeping(world.runtime)
    world.reopen("share-a-track")
    assert world.feature("share-a-track").ends_at is None
    assert world.says(world.connect("alice", "tuneloop-share").access, WRITE) == "allowed"
