"""broker features shut-down and reopen: the receipt, its names, and what comes after."""

from __future__ import annotations

from tests.cli.desk import Desk

KEYS = {
    "feature", "state", "epoch", "op_id", "reason", "cause", "by", "committed_at", "effective_at", "elapsed_ms",
    "nodes", "counted_at", "ended", "live_after", "last_access_at", "last_access_complete",
}  # fmt: skip


def test_shutting_down_prints_the_receipt_and_ends_what_stood(each_desk: Desk) -> None:
    held = [each_desk.world.connect(person, "tuneloop-share") for person in ("alice", "bob")]
    other = each_desk.world.connect("alice", "northbank-notice")
    receipt = each_desk.json("features", "shut-down", "share-a-track", "--reason", "the feature is gone", "--as", "ops")
    assert set(receipt) == KEYS
    assert (receipt["state"], receipt["epoch"], receipt["by"]) == ("shut_down", 2, "operator:ops")
    assert (receipt["reason"], receipt["cause"]) == ("the feature is gone", "operator")
    assert receipt["ended"] == {"grants": 2, "users": 2, "access_tokens": 2, "refresh_tokens": 2, "codes": 0}
    assert set(receipt["live_after"].values()) == {0}
    assert receipt["elapsed_ms"] > 0
    assert [each_desk.world.says(each.access) for each in held] == ["feature-shut-down"] * 2
    assert each_desk.world.says(other.access) == "allowed"


def test_asking_again_gives_the_same_receipt(each_desk: Desk) -> None:
    each_desk.world.connect("alice", "tuneloop-share")
    first = each_desk.json("features", "shut-down", "share-a-track", "--op-id", "cleanup-7")
    assert first["op_id"] == "cleanup-7"
    assert each_desk.json("features", "shut-down", "share-a-track", "--op-id", "cleanup-7") == first
    assert each_desk.json("features", "shut-down", "share-a-track", "--reason", "another") == first


def test_a_name_that_was_used_for_another_feature_is_refused(desk: Desk) -> None:
    desk.json("features", "shut-down", "share-a-track", "--op-id", "cleanup-7")
    line = desk.refused("features", "shut-down", "recommend-a-show", "--op-id", "cleanup-7")
    assert line == "operation cleanup-7 was for another feature"
    assert desk.json("features", "show", "recommend-a-show")["state"] == "active"


def test_without_counting_the_answer_comes_at_the_effect(desk: Desk) -> None:
    held = desk.world.connect("alice", "tuneloop-share")
    receipt = desk.json("features", "shut-down", "share-a-track", "--no-count")
    assert receipt["effective_at"] is not None
    assert [receipt[key] for key in ("counted_at", "ended", "live_after", "last_access_complete")] == [None] * 4
    assert desk.world.says(held.access) == "feature-shut-down"
    assert desk.json("features", "shut-down", "share-a-track")["ended"]["grants"] == 1


def test_people_read_what_has_ended(desk: Desk) -> None:
    desk.world.connect("alice", "tuneloop-share")
    said = desk.says("features", "shut-down", "share-a-track")
    assert said.startswith("share-a-track is shut down: nothing is admitted under its grants any more\n\n")
    assert "  grants          1\n" in said


def test_reopening_takes_two_people_and_old_grants_stay_dead(each_desk: Desk) -> None:
    held = each_desk.world.connect("alice", "tuneloop-share")
    each_desk.json("features", "shut-down", "share-a-track", "--as", "ops")
    pending = each_desk.json("features", "reopen", "share-a-track", "--epoch", "2", "--as", "ops")["pending"]
    assert each_desk.json("features", "show", "share-a-track")["state"] == "shut_down"
    assert each_desk.refused("approvals", "approve", pending, "--as", "ops").startswith("who asked cannot approve")
    approved = each_desk.json("approvals", "approve", pending, "--as", "ops2")
    assert (approved["state"], approved["requested_by"], approved["decided_by"]) == ("approved", "operator:ops", "ops2")
    assert each_desk.json("features", "show", "share-a-track")["state"] == "active"
    assert each_desk.world.says(held.access) == "grant-ended"
    assert each_desk.world.says(each_desk.world.connect("alice", "tuneloop-share").access) == "allowed"


def test_a_shutdown_after_reopening_has_a_receipt_of_its_own(desk: Desk) -> None:
    first = desk.json("features", "shut-down", "share-a-track", "--op-id", "first")
    pending = desk.json("features", "reopen", "share-a-track", "--epoch", "2", "--as", "ops")["pending"]
    desk.json("approvals", "approve", pending, "--as", "ops2")
    line = desk.refused("features", "shut-down", "share-a-track", "--op-id", "first")
    assert line == "operation first shut share-a-track down; it was reopened since"
    second = desk.json("features", "shut-down", "share-a-track")
    assert (first["epoch"], second["epoch"]) == (2, 3)
    assert first["op_id"] != second["op_id"]


def test_reopening_at_another_epoch_than_there_is_is_refused(desk: Desk) -> None:
    desk.json("features", "shut-down", "share-a-track")
    line = desk.refused("features", "reopen", "share-a-track", "--epoch", "1")
    assert line == "feature share-a-track is shut_down at epoch 2"


def test_reopening_what_stands_is_refused(desk: Desk) -> None:
    assert (
        desk.refused("features", "reopen", "share-a-track", "--epoch", "1")
        == "feature share-a-track is active at epoch 1"
    )


def test_a_receipt_that_was_left_unfinished_does_not_keep_two_people_from_reopening(desk: Desk) -> None:
    desk.json("features", "shut-down", "share-a-track", "--no-count")
    pending = desk.json("features", "reopen", "share-a-track", "--epoch", "2", "--as", "ops")["pending"]
    desk.json("approvals", "approve", pending, "--as", "ops2")
    assert desk.json("features", "show", "share-a-track")["receipt"]["counted_at"] is not None


def test_an_end_date_that_has_passed_is_reopened_like_a_shutdown(desk: Desk) -> None:
    held = desk.world.connect("alice", "tuneloop-share")
    desk.json("features", "schedule", "share-a-track", "--at", "2100-01-01T00:00:00Z")
    desk.days_pass(100 * 366)
    assert desk.refused("features", "reopen", "share-a-track", "--epoch", "1") == (
        "feature share-a-track is shut_down at epoch 2"
    )
    pending = desk.json("features", "reopen", "share-a-track", "--epoch", "2", "--as", "ops")["pending"]
    desk.json("approvals", "approve", pending, "--as", "ops2")
    shown = desk.json("features", "show", "share-a-track")
    assert (shown["state"], shown["ends_at"], shown["receipt"]["cause"]) == ("active", None, "end_date")
    assert desk.world.says(held.access) == "grant-ended"
