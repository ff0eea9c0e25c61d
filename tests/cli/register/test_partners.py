"""broker partners."""

from __future__ import annotations

from tests.cli.desk import Desk


def test_the_list_has_every_partner(each_desk: Desk) -> None:
    partners = {each["id"]: each for each in each_desk.json("partners", "list")["partners"]}
    assert len(partners) == 8
    assert partners["tuneloop"] == {
        "id": "tuneloop", "name": "TuneLoop", "homepage": "https://tuneloop.example", "state": "active",
        "registered_by": "config",
    }  # fmt: skip


def test_showing_one_lists_its_features_and_clients(desk: Desk) -> None:
    shown = desk.json("partners", "show", "tuneloop")
    assert [each["id"] for each in shown["features"]] == ["share-a-track"]
    assert [each["id"] for each in shown["clients"]] == ["tuneloop-share"]


def test_suspending_holds_all_it_has_and_two_operators_let_it_go_on(each_desk: Desk) -> None:
    held = each_desk.world.connect("alice", "tuneloop-share")
    other = each_desk.world.connect("alice", "northbank-notice")
    assert each_desk.json("partners", "suspend", "tuneloop", "--as", "ops")["state"] == "suspended"
    assert each_desk.world.says(held.access) == "client-disabled"
    assert each_desk.world.says(other.access) == "allowed"
    pending = each_desk.json("partners", "resume", "tuneloop", "--as", "ops")["pending"]
    assert each_desk.world.says(held.access) == "client-disabled"
    each_desk.json("approvals", "approve", pending, "--as", "ops2")
    assert each_desk.world.says(held.access) == "allowed"


def test_suspending_twice_is_refused(desk: Desk) -> None:
    desk.json("partners", "suspend", "tuneloop")
    assert desk.refused("partners", "suspend", "tuneloop") == "partner tuneloop is not active"


def test_resuming_what_is_not_suspended_is_refused(desk: Desk) -> None:
    assert desk.refused("partners", "resume", "tuneloop") == "partner tuneloop is not suspended"


def test_an_unknown_partner_is_refused_by_name(desk: Desk) -> None:
    for command in ("show", "suspend", "resume"):
        assert desk.refused("partners", command, "nobody") == "there is no partner 'nobody'"
