"""broker doctor: each thing that it looks at, in order and not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from broker.operations import access, nodes
from broker.store import clock
from broker.store.revocations import nodes as stored
from broker.store.revocations.nodes import Node
from tests.cli.desk import PRODUCTION, Desk, production, run

Findings = dict[str, list[tuple[str, str]]]


def _findings(desk: Desk, *options: str) -> Findings:
    """What was found, by what was looked at: each with its status."""
    found: Findings = {}
    for each in desk.json("doctor", *options)["findings"]:
        found.setdefault(each["check"], []).append((each["status"], each["detail"]))
    return found


def _statuses(found: Findings, check: str) -> set[str]:
    return {status for status, _ in found[check]}


def test_a_broker_of_the_demo_world_is_sound_but_for_being_one(each_desk: Desk) -> None:
    found = _findings(each_desk)
    assert _statuses(found, "environment") == {"unusual"}
    assert _statuses(found, "defaults") == {"unsafe"}
    assert any("secret_key" in detail for _, detail in found["defaults"])
    assert found["demo"] == [("unusual", "the demo world, whose passwords everybody knows")]
    for check in (
        "bind",
        "database",
        "schema",
        "durability",
        "clock",
        "receipts",
        "end dates",
        "operators",
        "nodes",
        "spools",
    ):
        assert _statuses(found, check) == {"ok"}, (check, found[check])


def test_looking_changes_nothing(desk: Desk) -> None:
    before = desk.json("audit", "verify")
    desk.world.connect("alice", "tuneloop-share")
    between = desk.json("audit", "verify")
    desk.json("doctor")
    assert before != between == desk.json("audit", "verify")


def test_an_address_for_everybody_is_unsafe_in_development(desk: Desk) -> None:
    assert _statuses(_findings(desk, "--host", "0.0.0.0"), "bind") == {"unsafe"}


def test_a_production_broker_is_sound_but_for_its_lack_of_operators(tmp_path: Path) -> None:
    private = tmp_path / "state"
    where = ("--config", production(tmp_path), "--database", f"sqlite:///{private}/broker.db")
    assert run("db", "upgrade", "--seed", *where, env=PRODUCTION).exit_code == 0
    result = run("doctor", "--json", "--host", "0.0.0.0", *where, env=PRODUCTION)
    findings = json.loads(result.stdout)["findings"]
    assert [each["check"] for each in findings if each["status"] != "ok"] == ["operators"]
    assert {"environment", "defaults", "bind", "permissions", "demo"} <= {each["check"] for each in findings}


def test_the_demo_world_under_another_configuration_is_unsafe(desk: Desk, tmp_path: Path) -> None:
    result = run("doctor", "--json", "--config", production(tmp_path), "--database", desk.url, env=PRODUCTION)
    demo = [each for each in json.loads(result.stdout)["findings"] if each["check"] == "demo"]
    assert [each["status"] for each in demo] == ["unsafe"]


def test_a_receipt_that_is_not_counted_is_unusual(desk: Desk) -> None:
    desk.json("features", "shut-down", "share-a-track", "--no-count")
    assert _findings(desk)["receipts"] == [("unusual", "1 not counted yet: share-a-track")]


def test_an_end_date_that_nobody_recorded_is_unusual(desk: Desk) -> None:
    desk.json("features", "schedule", "share-a-track", "--at", "2100-01-01T00:00:00Z")
    desk.days_pass(100 * 366)
    found = _findings(desk)
    assert found["end dates"] == [("unusual", "1 reached and not recorded yet: share-a-track")]


def test_a_clock_that_was_set_back_is_unusual(desk: Desk) -> None:
    with desk.world.write("broker") as context:
        clock.raise_floor(context.transaction, context.now + 90_000_000)
    ((status, detail),) = _findings(desk)["clock"]
    assert status == "unusual"
    assert "s ahead of this machine's" in detail


def test_one_operator_alone_is_unusual(desk: Desk) -> None:
    desk.json("users", "disable", "ops2")
    assert _findings(desk)["operators"] == [("unusual", "1 active; what widens takes two")]


def test_what_waits_for_approval_is_counted(desk: Desk) -> None:
    desk.json("features", "suspend", "share-a-track")
    desk.json("features", "resume", "share-a-track")
    assert _findings(desk)["approvals"] == [("ok", "1 pending")]


def test_a_node_whose_lease_has_run_out_is_unusual(desk: Desk) -> None:
    with desk.world.write("broker") as context:
        nodes.register(context, 10_000_000)
    assert _findings(desk)["nodes"] == [("ok", "1 say yes from memory, 0 of them without a lease")]
    with desk.world.database.write() as transaction:
        stored.add(transaction, Node("n1", None, "live", 300_000, 0, 0, 0, 0), b"h")
    assert _findings(desk)["nodes"] == [("unusual", "2 say yes from memory, 1 of them without a lease: n1")]


def test_spools_of_other_machines_are_unusual(desk: Desk) -> None:
    access.announce(desk.world.runtime, "another-machine.spool")
    assert ("unusual", "1 are on other machines, or were lost") in _findings(desk)["spools"]


def test_a_file_that_others_can_open_is_unusual(desk: Desk) -> None:
    file = Path(desk.url.removeprefix("sqlite:///"))
    file.chmod(0o600)
    assert _statuses(_findings(desk), "permissions") == {"ok"}
    file.chmod(0o644)
    file.parent.chmod(0o755)
    assert _statuses(_findings(desk), "permissions") == {"unusual"}


def test_a_database_that_cannot_be_reached_is_unsafe_and_ends_the_looking() -> None:
    result = run("doctor", "--json", "--database", "postgresql://nobody@127.0.0.1:1/none")
    last = json.loads(result.stdout)["findings"][-1]
    assert (result.exit_code, last["check"], last["status"]) == (0, "database", "unsafe")


def test_a_database_that_is_not_set_up_is_said(sqlite_url: str) -> None:
    run("db", "upgrade", "--database", sqlite_url)
    last = json.loads(run("doctor", "--json", "--database", sqlite_url).stdout)["findings"][-1]
    assert (last["check"], last["status"]) == ("setup", "unusual")


@pytest.mark.parametrize("version", ["0000", "9999"])
def test_another_schema_than_this_brokers_is_unsafe(desk: Desk, version: str) -> None:
    with create_engine(desk.url).connect() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{version}'"))
        connection.commit()
    assert _statuses(_findings(desk), "schema") == {"unsafe"}
