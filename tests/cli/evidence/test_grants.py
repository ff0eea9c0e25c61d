"""broker grants."""

from __future__ import annotations

from typing import Any

from tests.cli.desk import Desk


def _grants(desk: Desk, *filters: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = desk.json("grants", "list", *filters)["grants"]
    return listed


def test_a_grant_says_who_permitted_what_to_whom_and_until_when(each_desk: Desk) -> None:
    each_desk.world.connect("alice", "reelwise-recommend", "messages:write", "profile:read")
    (grant,) = _grants(each_desk)
    assert (grant["user"], grant["client"]) == ("alice", "reelwise-recommend")
    assert (grant["feature"], grant["partner"]) == ("recommend-a-show", "reelwise")
    assert (grant["live"], grant["paused"], grant["ended_at"], grant["end_cause"]) == (True, False, None, None)
    assert (grant["scopes"], grant["conversations"]) == (["messages:write", "profile:read"], "all")
    assert grant["since"] < grant["presence_ends_at"] < grant["until"]
    assert (grant["last_used_at"], grant["uses"]) == (None, 0)


def test_last_use_counts_what_workers_have_not_handed_over_yet(each_desk: Desk) -> None:
    held = each_desk.world.connect("alice", "tuneloop-share")
    each_desk.world.note(each_desk.world.check(held.access, "messages:write"))
    (grant,) = _grants(each_desk)
    assert grant["uses"] == 1
    assert grant["last_used_at"] >= grant["since"]


def test_filters_are_joined(desk: Desk) -> None:
    for person, client in (("alice", "tuneloop-share"), ("alice", "northbank-notice"), ("bob", "tuneloop-share")):
        desk.world.connect(person, client)
    assert len(_grants(desk)) == 3
    assert {each["client"] for each in _grants(desk, "--user", "alice")} == {"tuneloop-share", "northbank-notice"}
    assert {each["user"] for each in _grants(desk, "--client", "tuneloop-share")} == {"alice", "bob"}
    (one,) = _grants(desk, "--feature", "share-a-track", "--user", "bob")
    assert (one["user"], one["feature"]) == ("bob", "share-a-track")


def test_a_misspelt_filter_is_refused_rather_than_answered_with_nothing(desk: Desk) -> None:
    assert desk.refused("grants", "list", "--user", "alicia") == "there is no user 'alicia'"
    assert desk.refused("grants", "list", "--client", "tune") == "there is no client 'tune'"
    assert desk.refused("grants", "list", "--feature", "share") == "there is no feature 'share'"


def test_the_live_are_those_that_nothing_has_ended(each_desk: Desk) -> None:
    ended = each_desk.world.connect("alice", "tuneloop-share")
    each_desk.world.connect("alice", "northbank-notice")
    each_desk.json("features", "shut-down", "share-a-track")
    each_desk.json("features", "suspend", "transfer-notice")
    (live,) = _grants(each_desk, "--live")
    assert (live["feature"], live["live"], live["paused"]) == ("transfer-notice", True, True)
    (over,) = _grants(each_desk, "--feature", "share-a-track")
    assert (over["live"], over["end_cause"]) == (False, "feature_shut_down")
    assert over["ended_at"] is not None
    assert each_desk.world.says(ended.access) == "feature-shut-down"


def test_the_limit_counts_live_ones_when_those_are_asked_for(desk: Desk) -> None:
    people = ("alice", "bob", "carol", "dave", "erin")
    oldest = desk.world.connect(people[0], "tuneloop-share")
    for person in people[1:]:
        desk.world.disconnect(desk.world.connect(person, "tuneloop-share"))
    (live,) = _grants(desk, "--live", "--limit", "1")
    assert live["user"] == oldest.person
    assert [each["user"] for each in _grants(desk, "--limit", "2")] == ["erin", "dave"]


def test_revoking_ends_the_tokens_and_the_grant_stays_in_the_history(each_desk: Desk) -> None:
    held, other = (each_desk.world.connect(person, "tuneloop-share") for person in ("alice", "bob"))
    number = next(each["id"] for each in _grants(each_desk) if each["user"] == "alice")
    revoked = each_desk.json("grants", "revoke", number, "--as", "ops")
    assert (revoked["id"], revoked["live"], revoked["end_cause"]) == (number, False, "revoked_by_operator")
    assert each_desk.world.says(held.access) == "grant-ended"
    assert each_desk.world.says(other.access) == "allowed"
    assert (each_desk.log()[0]["action"], each_desk.log()[0]["actor"]) == ("grant.ended", "operator:ops")
    assert len(_grants(each_desk)) == 2


def test_revoking_what_is_over_changes_nothing(desk: Desk) -> None:
    desk.world.disconnect(desk.world.connect("alice", "tuneloop-share"))
    number = _grants(desk)[0]["id"]
    assert desk.says("grants", "revoke", number) == f"the grant {number} was over already\n"
    assert _grants(desk)[0]["end_cause"] == "disconnected"


def test_an_id_that_was_made_up_is_no_grant(desk: Desk) -> None:
    for made_up in ("1", "0" * 32, "b" * 32, "../etc"):
        assert desk.refused("grants", "revoke", made_up) == "there is no such grant"
