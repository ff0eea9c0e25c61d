"""broker features, but for their ends."""

from __future__ import annotations

import pytest

from tests.cli.desk import Desk


def _feature(desk: Desk, feature: str = "share-a-track") -> dict[str, object]:
    shown: dict[str, object] = desk.json("features", "show", feature)
    return shown


def test_the_list_has_every_feature_with_its_standing(each_desk: Desk) -> None:
    listed = {each["id"]: each for each in each_desk.json("features", "list")["features"]}
    assert len(listed) == 8
    assert listed["recommend-a-show"] == {
        "id": "recommend-a-show", "partner": "reelwise", "name": "Recommend a show", "state": "active", "epoch": 1,
        "ended": False, "ends_at": None, "shut_down_at": None, "scopes": ["messages:write", "profile:read"],
        "registered_by": "config",
    }  # fmt: skip


def test_people_read_a_table_with_a_row_for_each(desk: Desk) -> None:
    lines = desk.says("features", "list").splitlines()
    assert lines[0].split() == ["ID", "PARTNER", "STATE", "EPOCH", "ENDS", "AT", "SHUT", "DOWN", "AT", "SCOPES"]
    assert len(lines) == 9
    assert any(line.split()[:4] == ["share-a-track", "tuneloop", "active", "1"] for line in lines)


def test_showing_one_counts_what_a_shutdown_would_end(each_desk: Desk) -> None:
    each_desk.world.connect("alice", "tuneloop-share")
    each_desk.world.connect("bob", "tuneloop-share")
    shown = _feature(each_desk)
    assert shown["would_end"] == {"grants": 2, "users": 2, "access_tokens": 2, "refresh_tokens": 2, "codes": 0}
    assert shown["clients"] == ["tuneloop-share"]
    assert shown["receipt"] is None
    assert [entry["scope"] for entry in shown["ceiling"]] == ["messages:write"]  # type: ignore[attr-defined]


def test_showing_one_that_has_ended_shows_its_receipt(desk: Desk) -> None:
    receipt = desk.json("features", "shut-down", "share-a-track")
    shown = _feature(desk)
    assert (shown["ended"], shown["would_end"], shown["receipt"]) == (True, None, receipt)


def test_an_end_date_that_has_passed_shows_before_anybody_has_recorded_it(desk: Desk) -> None:
    desk.json("features", "schedule", "share-a-track", "--at", "2100-01-01T00:00:00Z")
    assert not _feature(desk)["ended"]
    desk.days_pass(100 * 366)
    shown = _feature(desk)
    assert (shown["state"], shown["ended"], shown["would_end"]) == ("active", True, None)


@pytest.mark.parametrize(
    "command",
    [
        ["show"],
        ["launch"],
        ["suspend"],
        ["resume"],
        ["narrow", "--scope", "messages:write"],
        ["schedule", "--at", "2100-01-01T00:00:00Z"],
        ["shut-down"],
        ["reopen", "--epoch", "1"],
    ],
)
def test_an_unknown_feature_is_refused_by_name(desk: Desk, command: list[str]) -> None:
    assert desk.refused("features", *command, "no-such-thing") == "there is no feature 'no-such-thing'"


def test_launching_makes_a_draft_active_once(desk: Desk) -> None:
    assert desk.json("features", "launch", "gift-ideas", "--as", "ops")["state"] == "active"
    assert (desk.log()[0]["action"], desk.log()[0]["actor"]) == ("feature.launched", "operator:ops")
    assert desk.refused("features", "launch", "gift-ideas") == "feature gift-ideas is active, not draft"


def test_suspending_holds_tokens_and_two_operators_let_them_go_on(each_desk: Desk) -> None:
    held = each_desk.world.connect("alice", "tuneloop-share")
    assert each_desk.json("features", "suspend", "share-a-track")["state"] == "suspended"
    assert each_desk.world.says(held.access) == "feature-suspended"
    pending = each_desk.json("features", "resume", "share-a-track", "--as", "ops")["pending"]
    assert each_desk.world.says(held.access) == "feature-suspended"
    each_desk.json("approvals", "approve", pending, "--as", "ops2")
    assert each_desk.world.says(held.access) == "allowed"


def test_resuming_what_is_not_suspended_is_refused(desk: Desk) -> None:
    assert desk.refused("features", "resume", "share-a-track") == "feature share-a-track is active, not suspended"


def test_narrowing_takes_the_scope_from_live_tokens(each_desk: Desk) -> None:
    held = each_desk.world.connect("alice", "reelwise-recommend", "messages:write", "profile:read")
    assert each_desk.world.says(held.access, "profile:read") == "allowed"
    narrowed = each_desk.json("features", "narrow", "recommend-a-show", "--scope", "profile:read", "--as", "ops")
    assert narrowed["scopes"] == ["messages:write"]
    assert each_desk.world.says(held.access, "profile:read") == "insufficient-scope"
    assert each_desk.world.says(held.access, "messages:write") == "allowed"


def test_narrowing_to_nothing_or_by_what_is_not_held_is_refused(desk: Desk) -> None:
    everything = desk.refused("features", "narrow", "share-a-track", "--scope", "messages:write")
    assert everything == "a ceiling is not empty; to end the feature, shut it down"
    other = desk.refused("features", "narrow", "share-a-track", "--scope", "posts:read")
    assert other == "feature share-a-track does not hold posts:read"


def test_a_first_and_an_earlier_end_date_take_one_person(desk: Desk) -> None:
    first = desk.json("features", "schedule", "share-a-track", "--at", "2100-01-01T01:00:00+01:00")
    assert first["ends_at"] == "2100-01-01T00:00:00.000Z"
    earlier = desk.json("features", "schedule", "share-a-track", "--at", "2099-01-01T00:00:00Z")
    assert earlier["ends_at"] == "2099-01-01T00:00:00.000Z"


@pytest.mark.parametrize(("later", "ends_at"), [("2101-01-01T00:00:00Z", "2101-01-01T00:00:00.000Z"), ("never", None)])
def test_a_later_end_date_waits_for_another_operator(desk: Desk, later: str, ends_at: str | None) -> None:
    desk.json("features", "schedule", "share-a-track", "--at", "2100-01-01T00:00:00Z")
    pending = desk.json("features", "schedule", "share-a-track", "--at", later, "--as", "ops")
    assert list(pending) == ["pending"]
    assert _feature(desk)["ends_at"] == "2100-01-01T00:00:00.000Z"
    desk.json("approvals", "approve", pending["pending"], "--as", "ops2")
    assert _feature(desk)["ends_at"] == ends_at


def test_an_end_date_in_the_past_is_refused(desk: Desk) -> None:
    line = desk.refused("features", "schedule", "share-a-track", "--at", "2020-01-01T00:00:00Z")
    assert line == "2020-01-01T00:00:00.000Z has passed; to end the feature now, shut it down"


def test_an_end_date_that_has_passed_cannot_be_moved(desk: Desk) -> None:
    desk.json("features", "schedule", "share-a-track", "--at", "2100-01-01T00:00:00Z")
    desk.days_pass(100 * 366)
    later = desk.refused("features", "schedule", "share-a-track", "--at", "2300-01-01T00:00:00Z")
    assert later == "feature share-a-track has ended; its end cannot be moved (reopen it)"


def test_taking_away_an_end_date_that_is_not_there_is_refused(desk: Desk) -> None:
    assert (
        desk.refused("features", "schedule", "share-a-track", "--at", "never")
        == "feature share-a-track has no end date"
    )


@pytest.mark.parametrize("time", ["tomorrow", "2100-01-01T00:00:00", "2100-13-01T00:00:00Z", ""])
def test_a_time_without_its_offset_is_wrong_usage(desk: Desk, time: str) -> None:
    assert "2026-12-31T00:00:00Z" in desk.misused("features", "schedule", "share-a-track", "--at", time)
