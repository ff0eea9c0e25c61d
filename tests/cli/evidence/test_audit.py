"""broker audit."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import text

from tests.cli.desk import Desk


def _entries(desk: Desk, *filters: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = desk.json("audit", "list", *filters)["audit"]
    return listed


def test_the_list_is_newest_first_and_names_the_actor(each_desk: Desk) -> None:
    each_desk.json("features", "suspend", "share-a-track", "--as", "ops")
    each_desk.json("features", "suspend", "transfer-notice")
    newest, before = _entries(each_desk, "--limit", "2")
    assert (newest["actor"], newest["subject"]) == ("cli", "feature:transfer-notice")
    assert (before["actor"], before["subject"]) == ("operator:ops", "feature:share-a-track")
    assert newest["position"] == before["position"] + 1
    assert before["details"] == {"epoch": 1}


def test_filters_are_joined(desk: Desk) -> None:
    desk.json("features", "suspend", "share-a-track", "--as", "ops")
    desk.json("clients", "disable", "tuneloop-share", "--as", "ops")
    assert [each["action"] for each in _entries(desk, "--actor", "operator:ops")] == [
        "client.disabled", "feature.suspended",
    ]  # fmt: skip
    assert [each["action"] for each in _entries(desk, "--feature", "share-a-track", "--limit", "2")] == [
        "client.disabled", "feature.suspended",
    ]  # fmt: skip
    assert len(_entries(desk, "--action", "client.disabled", "--actor", "operator:ops")) == 1
    assert _entries(desk, "--action", "client.disabled", "--actor", "cli") == []
    assert {each["action"] for each in _entries(desk, "--subject", "client:tuneloop-share")} == {
        "client.disabled", "client.registered",
    }  # fmt: skip
    assert _entries(desk, "--since", "2100-01-01T00:00:00Z") == []


def test_an_intact_log_says_where_its_head_is(each_desk: Desk) -> None:
    head = each_desk.json("audit", "verify")
    assert head["intact"] is True
    assert head["position"] == _entries(each_desk)[0]["position"]
    each_desk.json("features", "suspend", "share-a-track")
    after = each_desk.json("audit", "verify")
    assert after["position"] == head["position"] + 1
    assert after["hash"] != head["hash"]


def test_an_export_can_be_verified_without_us(each_desk: Desk) -> None:
    each_desk.json("features", "suspend", "share-a-track", "--as", "ops")
    entries = [json.loads(line) for line in each_desk.says("audit", "export").splitlines()]
    previous = "0" * 64
    for number, entry in enumerate(entries, 1):
        body = {key: entry[key] for key in ("position", "actor", "action", "subject", "feature", "details", "previous")}
        hashed = json.dumps(body | {"at": entry["at_us"]}, sort_keys=True, separators=(",", ":"))
        assert (entry["position"], entry["previous"]) == (number, previous)
        assert sha256(hashed.encode()).hexdigest() == entry["hash"]
        previous = entry["hash"]
    assert previous == each_desk.json("audit", "verify")["hash"]


def test_an_export_may_be_one_document(desk: Desk) -> None:
    lines = [json.loads(line) for line in desk.says("audit", "export").splitlines()]
    assert desk.json("audit", "export") == {"audit": lines}


@pytest.fixture
def tampered(desk: Desk) -> Desk:
    """A desk whose log will be broken, which the test of every desk's log has to know."""
    desk.world.audit_is_broken = True
    return desk


_CHANGED = "5 was changed after it was written"


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        ("UPDATE audit_entry SET actor = 'operator:ops2' WHERE position = 5", _CHANGED),
        ("UPDATE audit_entry SET details = '{}' WHERE position = 5", _CHANGED),
        ("UPDATE audit_entry SET details = 'no json' WHERE position = 5", _CHANGED),
        ("UPDATE audit_entry SET at = at + 1 WHERE position = 5", _CHANGED),
        ("UPDATE audit_entry SET hash = zeroblob(32) WHERE position = 5", _CHANGED),
        ("UPDATE audit_entry SET previous = zeroblob(32) WHERE position = 5", "5 does not follow the entry before it"),
        ("DELETE FROM audit_entry WHERE position = 5", "5 is missing"),
        ("DELETE FROM audit_entry WHERE position > 30", "31 is missing: the log was cut after it was written"),
    ],
)
def test_verifying_names_the_first_entry_that_does_not_hold(tampered: Desk, tampering: str, said: str) -> None:
    with tampered.world.database.engine.connect() as connection:
        connection.execute(text(tampering))
    assert tampered.refused("audit", "verify") == f"the audit log is broken: entry {said}"


def test_two_entries_that_changed_places_are_noticed(tampered: Desk) -> None:
    with tampered.world.database.engine.connect() as connection:
        for before, after in ((5, -1), (6, 5), (-1, 6)):
            connection.execute(text(f"UPDATE audit_entry SET position = {after} WHERE position = {before}"))
    assert tampered.refused("audit", "verify").startswith("the audit log is broken: entry 5 ")
