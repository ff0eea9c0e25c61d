"""broker backup, restore and recover, from the backup to serving again."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import psycopg
import pytest

from broker.operations import access
from broker.settings import DEVELOPMENT
from broker.store.evidence import access as stored_access
from broker.store.ledger import Ledger
from broker.web.runtime import ledger_directory
from tests import serving
from tests.cli.desk import Desk, prepare, refusal, run
from tests.concurrency import LIMIT_S
from tests.operations.recovery.restoring import back_up, identity
from tests.postgres import PostgresServer, Unavailable, binaries

FEATURE = "share-a-track"


def _backed_up(desk: Desk) -> str:
    file = str(desk.world.directory / "old.backup")
    assert desk.json("backup", file)["file"] == file
    return file


def _restored(desk: Desk) -> None:
    file = _backed_up(desk)
    desk.says("features", "shut-down", FEATURE, "--as", "ops")
    desk.world.database.close()
    desk.says("restore", file, "--replace")


def test_a_backup_overwrites_nothing(desk: Desk) -> None:
    assert "overwrites nothing" in desk.refused("backup", _backed_up(desk))


def test_a_restore_replaces_only_when_told_and_only_the_same_database(desk: Desk, tmp_path: Path) -> None:
    file = _backed_up(desk)
    assert "--replace" in desk.refused("restore", file)
    other = tmp_path / "other.db"
    other.write_text("something")
    assert "not a backup" in desk.refused("restore", str(other), "--replace")


def test_a_restore_is_refused_while_a_worker_lives(desk: Desk) -> None:
    file = _backed_up(desk)
    access.announce(desk.world.runtime, desk.world.spool.name)
    assert "being served (1 workers)" in desk.refused("restore", file, "--replace")


@pytest.mark.parametrize("command", [["features", "list"], ["grants", "list"], ["backup", "new"],
                                     ["features", "suspend", FEATURE, "--as", "ops"]])  # fmt: skip
def test_below_the_mark_no_command_says_or_changes_what_stands(desk: Desk, command: list[str]) -> None:
    _restored(desk)
    assert desk.refused(*command).endswith("run: broker recover")


def test_a_restore_wants_a_recovery_also_when_nothing_was_taken_since(desk: Desk) -> None:
    """Tokens that were used up since are not used up in the backup."""
    file = _backed_up(desk)
    desk.world.database.close()
    desk.says("restore", file, "--replace")
    assert desk.refused("features", "list").endswith("run: broker recover")
    assert desk.json("recover", "--as", "ops")["complete"] is True
    desk.says("features", "list")


def test_recover_says_what_it_did_and_everything_works_again(desk: Desk) -> None:
    _restored(desk)
    said = desk.says("recover", "--as", "ops")
    assert "feature.shut_down feature:share-a-track" in said
    assert said.endswith("complete: no ledger is missing\n")
    assert desk.json("features", "show", FEATURE)["state"] == "shut_down"
    assert "nothing to recover" in desk.refused("recover", "--as", "ops")


def test_recover_is_an_operators(each_desk: Desk) -> None:
    assert "not an active operator" in each_desk.refused("recover", "--anyway", "--as", "alice")


def test_a_restore_is_noticed_and_recovered_on_either_database(each_desk: Desk) -> None:
    restore = back_up(each_desk.world)
    each_desk.says("features", "shut-down", FEATURE, "--as", "ops")
    restore()
    assert each_desk.refused("features", "list").endswith("run: broker recover")
    findings = {each["check"]: each["status"] for each in each_desk.json("doctor")["findings"]}
    assert findings["restore"] == "unsafe"
    report = each_desk.json("recover", "--as", "ops")
    assert (report["generation"], len(report["applied"])) == (2, 1)
    each_desk.says("features", "list")


def test_a_missing_ledger_is_named_and_can_be_accepted(desk: Desk) -> None:
    with desk.world.database.write() as transaction:
        stored_access.announce(transaction, "far-away.spool")
    _restored(desk)
    assert "far-away.spool" in desk.refused("recover", "--as", "ops")
    said = desk.says("recover", "--as", "ops", "--accept-missing", "far-away.spool")
    assert said.splitlines()[-1] == "not complete: what only far-away.spool narrowed is not taken again"


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_postgresql_has_its_own_tools(command: str) -> None:
    assert "PostgreSQL has its own tools" in refusal(run(command, "file", "--database", "postgresql://127.0.0.1/none"))


def test_a_broker_does_not_start_below_the_mark_and_a_running_one_stops_answering(desk: Desk) -> None:
    file, config = _backed_up(desk), desk.files / DEVELOPMENT.name
    with serving.serve(desk.url, config, workers=1) as served:
        assert _status(f"{served.url}/readyz") == 200
        assert "stop the broker first" in served.run("restore", file, "--replace").stderr
        ledger_of(desk).note_restore(identity(desk.world))
        deadline = time.monotonic() + LIMIT_S
        while _status(f"{served.url}/readyz") != 503:
            assert time.monotonic() < deadline, "it goes on serving"
    failed = serving.run("serve", "--port", "0", database_url=desk.url, config=config)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.endswith("run: broker recover\n")


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=LIMIT_S) as answer:
            return int(answer.status)
    except HTTPError as refused:
        return refused.code


def ledger_of(desk: Desk) -> Ledger:
    """The ledger that the commands of this desk write to."""
    return Ledger(ledger_directory(desk.world.runtime.settings, desk.url))


@pytest.fixture
def standby_url() -> Iterator[str]:
    """A broker's database on a server that follows another."""
    try:
        server = PostgresServer(binaries())
        server.start()
    except Unavailable as reason:
        pytest.skip(str(reason))
    prepare(server.url())
    with psycopg.connect(server.url()) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    server.stop()
    (Path(row[0]) / "standby.signal").touch()
    server.start()
    yield server.url()
    server.remove()


def test_a_standby_is_neither_served_nor_recovered_and_the_doctor_names_it(standby_url: str) -> None:
    for command in (["serve", "--port", "0"], ["recover"]):
        assert "is a standby" in refusal(run(*command, "--database", standby_url))
    findings = json.loads(run("doctor", "--json", "--database", standby_url).stdout)["findings"]
    assert {each["check"]: each["status"] for each in findings}["primary"] == "unsafe"
