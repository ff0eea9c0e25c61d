"""broker access."""

from __future__ import annotations

from typing import Any

from broker.operations import access
from tests.cli.desk import Desk


def _records(desk: Desk, *filters: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = desk.json("access", "list", *filters)["access"]
    return listed


def test_a_record_says_who_did_what_through_which_grant(each_desk: Desk) -> None:
    held = each_desk.world.connect("alice", "tuneloop-share")
    each_desk.world.note(each_desk.world.check(held.access, "messages:write"))
    (record,) = _records(each_desk)
    grant = each_desk.json("grants", "list")["grants"][0]["id"]
    assert (record["user"], record["client"], record["feature"]) == ("alice", "tuneloop-share", "share-a-track")
    assert (record["grant"], record["epoch"], record["scope"]) == (grant, 1, "messages:write")
    assert (record["request"], record["thread"], record["decision"]) == ("GET /api/threads", None, "allowed")
    assert record["at"].endswith("Z")


def test_refusals_are_recorded_with_their_reason_newest_first(each_desk: Desk) -> None:
    held = each_desk.world.connect("alice", "tuneloop-share")
    each_desk.world.note(each_desk.world.check(held.access, "messages:write"))
    each_desk.json("features", "shut-down", "share-a-track")
    each_desk.world.note(each_desk.world.check(held.access, "messages:write"))
    assert [each["decision"] for each in _records(each_desk)] == ["feature-shut-down", "allowed"]


def test_filters_are_joined(desk: Desk) -> None:
    for person, client in (("alice", "tuneloop-share"), ("bob", "northbank-notice")):
        desk.world.note(desk.world.check(desk.world.connect(person, client).access, "messages:write"))
    assert [each["user"] for each in _records(desk, "--user", "alice")] == ["alice"]
    assert [each["user"] for each in _records(desk, "--feature", "transfer-notice")] == ["bob"]
    assert _records(desk, "--feature", "transfer-notice", "--user", "alice") == []
    grant = desk.json("grants", "list", "--user", "bob")["grants"][0]["id"]
    assert [each["user"] for each in _records(desk, "--grant", grant)] == ["bob"]
    assert len(_records(desk, "--limit", "1")) == 1
    assert _records(desk, "--since", "2100-01-01T00:00:00Z") == []


def test_a_misspelt_filter_is_refused_rather_than_answered_with_nothing(desk: Desk) -> None:
    assert desk.refused("access", "list", "--user", "alicia") == "there is no user 'alicia'"
    assert desk.refused("access", "list", "--feature", "share") == "there is no feature 'share'"
    assert desk.refused("access", "list", "--grant", "1") == "there is no grant '1'"


def test_records_that_are_out_of_reach_are_mentioned_beside_the_list(desk: Desk) -> None:
    access.announce(desk.world.runtime, "another-machine.spool")
    result = desk.run("access", "list", "--json")
    assert (result.exit_code, result.stdout) == (0, '{\n  "access": []\n}\n')
    assert result.stderr == (
        "broker: some workers keep their records on another machine; those are not in this list yet\n"
    )
