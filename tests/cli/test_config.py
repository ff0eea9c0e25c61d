"""broker config: files propose, and the rules of what they may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.desk import Desk

TUNELOOP = "partners/tuneloop.toml"
REELWISE = "partners/reelwise.toml"
_ACTIVE = 'state = "active"'
_READ = """
[[feature.scopes]]
scope = "profile:read"
reason = "We greet you by name."
required = false
beyond_need = "A greeting by name is friendlier."

[[feature.clients]]"""


def _kinds(changes: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["kind"], each["subject"]) for each in changes]


def _plan(desk: Desk) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = desk.json("config", "plan")["changes"]
    return changes


def _position(desk: Desk) -> int:
    position: int = desk.json("audit", "verify")["position"]
    return position


def test_a_sound_configuration_is_counted(desk: Desk) -> None:
    sound = desk.json("config", "check")
    assert Path(sound.pop("config")).name == "palaver.toml"
    assert sound == {"environment": "development", "scopes": 8, "partners": 8, "features": 8, "clients": 3,
                     "resource_servers": 1}  # fmt: skip


def test_files_as_they_were_seeded_change_nothing(each_desk: Desk) -> None:
    assert _plan(each_desk) == []
    before = _position(each_desk)
    assert each_desk.json("config", "apply") == {"changes": [], "shutdowns": []}
    assert each_desk.says("config", "apply").startswith("nothing to do")
    assert _position(each_desk) == before


def test_a_broken_file_changes_nothing_and_names_its_mistakes(desk: Desk) -> None:
    before = _position(desk)
    desk.change(TUNELOOP, _ACTIVE, 'state = "shutdown"')
    desk.change(REELWISE, 'reason = "When you recommend', 'reasons = "When you recommend')
    checked = desk.refused("config", "check")
    assert "tuneloop.toml: feature[0].state" in checked
    assert "reelwise.toml: feature[0].scopes[0].reason" in checked
    applied = desk.refused("config", "apply")
    assert "reelwise.toml: feature[0].scopes[0].reason" in applied
    assert applied.endswith("more; see: broker config check)")
    desk.change(TUNELOOP, 'state = "shutdown"', _ACTIVE)
    desk.change(REELWISE, 'reasons = "When you recommend', 'reason = "When you recommend')
    assert _position(desk) == before
    assert _plan(desk) == []


def test_a_file_that_says_shut_down_ends_what_the_plan_counted(each_desk: Desk) -> None:
    held = [each_desk.world.connect(person, "tuneloop-share") for person in ("alice", "bob")]
    each_desk.change(TUNELOOP, _ACTIVE, 'state = "shut_down"')
    (planned,) = _plan(each_desk)
    assert (planned["kind"], planned["grants"], planned["people"]) == ("ends", 2, 2)
    assert each_desk.world.says(held[0].access) == "allowed"
    applied = each_desk.json("config", "apply", "--as", "ops")
    assert applied["changes"] == [planned]
    (receipt,) = applied["shutdowns"]
    assert (receipt["feature"], receipt["cause"], receipt["by"]) == ("share-a-track", "configuration", "operator:ops")
    assert (receipt["ended"]["grants"], receipt["ended"]["users"]) == (2, 2)
    assert set(receipt["live_after"].values()) == {0}
    assert receipt["elapsed_ms"] > 0
    assert [each_desk.world.says(each.access) for each in held] == ["feature-shut-down"] * 2
    assert each_desk.json("features", "shut-down", "share-a-track") == receipt
    assert _plan(each_desk) == []


def test_people_read_what_applying_ended(desk: Desk) -> None:
    desk.world.connect("alice", "tuneloop-share")
    desk.change(TUNELOOP, _ACTIVE, 'state = "shut_down"')
    assert desk.says("config", "apply") == "shuts share-a-track down: 1 grants of 1 people\n"


def test_a_scope_that_a_file_drops_is_gone_from_live_tokens(each_desk: Desk) -> None:
    held = each_desk.world.connect("alice", "reelwise-recommend", "messages:write", "profile:read")
    each_desk.world.connect("bob", "reelwise-recommend", "messages:write")
    text = (each_desk.files / REELWISE).read_text()
    kept, _, optional = text.partition('\n[[feature.scopes]]\nscope = "profile:read"')
    (each_desk.files / REELWISE).write_text(
        kept + "\n[[feature.clients]]" + optional.partition("[[feature.clients]]")[2]
    )
    (planned,) = _plan(each_desk)
    assert (planned["kind"], planned["grants"], planned["people"]) == ("narrows", 1, 1)
    each_desk.json("config", "apply")
    assert each_desk.world.says(held.access, "profile:read") == "insufficient-scope"
    assert each_desk.world.says(held.access, "messages:write") == "allowed"


def test_a_scope_that_a_file_adds_waits_for_another_operator(each_desk: Desk) -> None:
    held = each_desk.world.connect("alice", "tuneloop-share")
    each_desk.change(TUNELOOP, "\n[[feature.clients]]", _READ)
    assert _kinds(_plan(each_desk)) == [("widens", "feature:share-a-track")]
    applied = each_desk.json("config", "apply", "--as", "ops")
    assert applied["approvals"] == [applied["pending"]]
    assert each_desk.json("features", "show", "share-a-track")["scopes"] == ["messages:write"]
    assert each_desk.refused("approvals", "approve", applied["pending"], "--as", "ops").startswith("who asked")
    each_desk.json("approvals", "approve", applied["pending"], "--as", "ops2")
    assert each_desk.json("features", "show", "share-a-track")["scopes"] == ["messages:write", "profile:read"]
    assert each_desk.world.says(held.access, "profile:read") == "insufficient-scope"
    assert _plan(each_desk) == []


def test_applying_twice_asks_once(desk: Desk) -> None:
    desk.change(TUNELOOP, "\n[[feature.clients]]", _READ)
    first = desk.json("config", "apply", "--as", "ops")["pending"]
    assert desk.json("config", "apply", "--as", "ops")["pending"] == first
    asked, waits = desk.says("config", "apply", "--as", "ops").splitlines()
    assert asked == "asks a second operator to let profile:read into share-a-track"
    assert waits == f"this waits for another operator: broker approvals approve {first} --as OPERATOR"


def test_several_that_wait_are_all_listed(desk: Desk) -> None:
    desk.change(TUNELOOP, "\n[[feature.clients]]", _READ)
    desk.change(REELWISE, "8102/callback", "8202/callback")
    applied = desk.json("config", "apply", "--as", "ops")
    assert applied["pending"] in applied["approvals"]
    waiting = desk.json("approvals", "list", "--pending")["approvals"]
    assert {each["id"] for each in waiting} == set(applied["approvals"])
    assert {each["operation"] for each in waiting} == {"widen", "change_client"}


def _forget(desk: Desk) -> None:
    """Take a partner out of the files, and the feature of another with its client."""
    (desk.files / "partners/folderbay.toml").unlink()
    file = desk.files / TUNELOOP
    file.write_text(file.read_text().partition("[[feature]]")[0])


def test_absence_is_refused_and_the_command_that_would_end_it_is_named(each_desk: Desk) -> None:
    _forget(each_desk)
    assert _kinds(_plan(each_desk)) == [
        ("refused", "partner:folderbay"), ("refused", "feature:share-folder"), ("refused", "feature:share-a-track"),
        ("refused", "client:tuneloop-share"),
    ]  # fmt: skip
    before = _position(each_desk)
    line = each_desk.refused("config", "apply")
    assert "broker features shut-down share-a-track" in line
    assert each_desk.json("features", "show", "share-a-track")["state"] == "active"
    assert _position(each_desk) == before


def test_one_refused_change_holds_back_all_others(desk: Desk) -> None:
    _forget(desk)
    desk.change(REELWISE, _ACTIVE, 'state = "shut_down"')
    assert [each["kind"] for each in _plan(desk)] == ["ends"] + ["refused"] * 4
    desk.refused("config", "apply")
    assert desk.json("features", "show", "recommend-a-show")["state"] == "active"


def test_a_file_never_reopens(desk: Desk) -> None:
    desk.json("features", "shut-down", "share-a-track")
    assert "broker features reopen share-a-track --epoch 2" in desk.refused("config", "apply")
    assert desk.json("features", "show", "share-a-track")["state"] == "shut_down"


def test_what_an_operator_registered_is_not_the_files_to_remove(desk: Desk) -> None:
    desk.json("clients", "register", "--feature", "share-a-track", "--name", "TuneLoop car", "--id", "tuneloop-car",
              "--redirect-uri", "https://car.tuneloop.example/callback")  # fmt: skip
    assert _plan(desk) == []
    desk.json("config", "apply")
    assert {each["id"] for each in desk.json("clients", "list")["clients"]} >= {"tuneloop-car"}


@pytest.mark.parametrize("ending", ['state = "active"\nends_at = 2100-01-01T00:00:00Z', 'state = "suspended"'])
def test_other_narrowings_take_one_person(desk: Desk, ending: str) -> None:
    desk.world.connect("alice", "tuneloop-share")
    desk.change(TUNELOOP, _ACTIVE, ending)
    (planned,) = _plan(desk)
    assert (planned["kind"], planned["grants"]) == ("narrows", 1)
    assert "pending" not in desk.json("config", "apply")
    assert _plan(desk) == []


def test_a_new_partner_is_registered_with_its_features(desk: Desk) -> None:
    text = (desk.files / "partners/folderbay.toml").read_text().replace("folderbay", "boxwell")
    text = text.replace("FolderBay", "Boxwell").replace("share-folder", "share-box").replace("Share a folder", "Share")
    (desk.files / "partners/boxwell.toml").write_text(text)
    assert _kinds(_plan(desk)) == [("registers", "partner:boxwell")]
    assert desk.says("config", "apply") == "registers partner boxwell, 1 features\n"
    assert desk.json("features", "show", "share-box")["state"] == "draft"


def test_only_an_active_operator_is_named_by_the_log(desk: Desk) -> None:
    desk.change(TUNELOOP, _ACTIVE, 'state = "shut_down"')
    assert desk.refused("config", "apply", "--as", "alice") == "'alice' is not an active operator"
    assert desk.json("features", "show", "share-a-track")["state"] == "active"
