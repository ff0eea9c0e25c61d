"""broker approvals: two people, exactly what was asked, once."""

from __future__ import annotations

import pytest

from tests.cli.desk import Desk


@pytest.fixture
def pending(desk: Desk) -> str:
    """What `ops` has asked for: resuming a suspended partner."""
    desk.json("partners", "suspend", "tuneloop")
    asked: str = desk.json("partners", "resume", "tuneloop", "--as", "ops")["pending"]
    return asked


def test_what_waits_says_who_asked_for_what(desk: Desk, pending: str) -> None:
    asked = desk.json("approvals", "list")["approvals"][0]
    assert asked.pop("requested_at").endswith("Z")
    assert asked == {
        "id": pending, "state": "pending", "summary": "resume partner tuneloop", "operation": "resume_partner",
        "parameters": {"partner": "tuneloop"}, "requested_by": "operator:ops", "decided_by": None, "decided_at": None,
    }  # fmt: skip


def test_asking_again_is_the_same_request(desk: Desk, pending: str) -> None:
    assert desk.json("partners", "resume", "tuneloop", "--as", "ops") == {"pending": pending}


def test_people_are_told_which_command_approves(desk: Desk, pending: str) -> None:
    said = desk.says("partners", "resume", "tuneloop", "--as", "ops")
    assert said == f"resuming tuneloop waits for another operator: broker approvals approve {pending} --as OPERATOR\n"


def test_what_is_decided_is_off_the_list_of_what_waits(desk: Desk, pending: str) -> None:
    assert len(desk.json("approvals", "list", "--pending")["approvals"]) == 1
    assert desk.says("approvals", "approve", pending, "--as", "ops2") == "approved and done: resume partner tuneloop\n"
    assert desk.json("approvals", "list", "--pending") == {"approvals": []}
    assert [each["state"] for each in desk.json("approvals", "list")["approvals"]] == ["approved"]


def test_who_asked_cannot_approve(desk: Desk, pending: str) -> None:
    line = desk.refused("approvals", "approve", pending, "--as", "ops")
    assert line == "who asked cannot approve; another operator must"
    assert desk.json("partners", "show", "tuneloop")["state"] == "suspended"


def test_a_request_is_approved_once(desk: Desk, pending: str) -> None:
    desk.json("approvals", "approve", pending, "--as", "ops2")
    desk.json("partners", "suspend", "tuneloop")
    assert desk.refused("approvals", "approve", pending, "--as", "ops2") == f"approval {pending} is approved already"
    assert desk.json("partners", "show", "tuneloop")["state"] == "suspended"


def test_nobody_but_an_active_operator_approves(desk: Desk, pending: str) -> None:
    assert desk.refused("approvals", "approve", pending, "--as", "alice") == "'alice' is not an active operator"
    desk.json("users", "disable", "ops2")
    assert desk.refused("approvals", "approve", pending, "--as", "ops2") == "'ops2' is not an active operator"


def test_approving_needs_a_name_and_a_request(desk: Desk, pending: str) -> None:
    assert "--as" in desk.misused("approvals", "approve", pending)
    assert desk.refused("approvals", "approve", "none", "--as", "ops2") == "there is no approval 'none'"


def test_what_has_changed_in_between_is_not_forced(desk: Desk) -> None:
    desk.json("features", "suspend", "share-a-track")
    pending = desk.json("features", "resume", "share-a-track", "--as", "ops")["pending"]
    desk.json("features", "shut-down", "share-a-track")
    line = desk.refused("approvals", "approve", pending, "--as", "ops2")
    assert line == "feature share-a-track is shut_down, not suspended"
    assert desk.json("approvals", "list")["approvals"][0]["state"] == "pending"
