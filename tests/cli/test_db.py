"""broker db, and what every other command says of a database that is not ready."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from broker.store import migrations
from tests.cli.desk import PRODUCTION, Desk, production, refusal, run


def test_upgrading_an_empty_database_creates_the_schema_alone(database_url: str) -> None:
    upgraded = run("db", "upgrade", "--json", "--database", database_url)
    assert json.loads(upgraded.stdout) == {"version": migrations.newest(), "before": None, "seeded": False}
    status = json.loads(run("db", "status", "--json", "--database", database_url).stdout)
    assert (status["version"], status["current"], status["seeded"]) == (migrations.newest(), True, False)
    refused = refusal(run("features", "list", "--database", database_url))
    assert refused == "the database is not set up; run: broker serve, or broker db upgrade --seed"


def test_seeding_fills_an_empty_database_once(database_url: str) -> None:
    first = run("db", "upgrade", "--seed", "--database", database_url)
    assert first.stdout == (
        f"the database is at version {migrations.newest()} (it was empty); the register was filled from the files\n"
    )
    again = json.loads(run("db", "upgrade", "--seed", "--json", "--database", database_url).stdout)
    assert again == {"version": migrations.newest(), "before": migrations.newest(), "seeded": False}
    status = json.loads(run("db", "status", "--json", "--database", database_url).stdout)
    assert (status["seeded"], status["demo"]) == (True, True)
    assert len(json.loads(run("features", "list", "--json", "--database", database_url).stdout)["features"]) == 8


def test_the_status_names_the_kind_of_database_and_never_its_password(each_desk: Desk) -> None:
    status = each_desk.json("db", "status")
    sqlite = each_desk.url.startswith("sqlite")
    assert status["database"] == ("sqlite" if sqlite else "postgresql")
    assert status["file"] == (each_desk.url.removeprefix("sqlite:///") if sqlite else None)
    assert each_desk.url not in each_desk.says("db", "status", "--json")


def test_an_empty_postgresql_database_says_what_to_run(postgres_url: str) -> None:
    assert refusal(run("features", "list", "--database", postgres_url)) == (
        "the database is empty; run: broker serve, or broker db upgrade --seed"
    )
    assert json.loads(run("db", "status", "--json", "--database", postgres_url).stdout)["version"] is None


def test_asking_about_a_file_that_is_not_there_does_not_create_it(tmp_path: Path) -> None:
    file = tmp_path / "missing.db"
    line = refusal(run("features", "list", "--database", f"sqlite:///{file}"))
    assert line == f"there is no database {file} yet; run: broker serve, or broker db upgrade --seed"
    assert json.loads(run("db", "status", "--json", "--database", f"sqlite:///{file}").stdout)["version"] is None
    assert run("doctor", "--database", f"sqlite:///{file}").exit_code == 0
    assert not file.exists()


@pytest.mark.parametrize("command", [["features", "list"], ["db", "upgrade"], ["audit", "verify"]])
def test_a_database_that_is_newer_is_refused(desk: Desk, command: list[str]) -> None:
    with create_engine(desk.url).connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.commit()
    line = desk.refused(*command)
    assert line == f"the database has version 9999, newer than this broker knows ({migrations.newest()})"


def test_the_demo_world_is_refused_by_another_configuration(desk: Desk, tmp_path: Path) -> None:
    where = ("--config", production(tmp_path), "--database", desk.url)
    for command in (["features", "list"], ["features", "shut-down", "share-a-track"], ["db", "upgrade", "--seed"]):
        line = refusal(run(*command, *where, env=PRODUCTION))
        assert line.startswith("this database was seeded with the demo world, whose passwords everybody knows")
    assert desk.json("features", "show", "share-a-track")["state"] == "active"


def test_production_names_its_database_itself(tmp_path: Path) -> None:
    line = refusal(run("db", "status", "--config", production(tmp_path), env=PRODUCTION))
    assert line == "no database is configured: give --database, BROKER_DATABASE_URL or database.url"


def test_a_production_register_is_seeded_from_its_files(tmp_path: Path) -> None:
    where = ("--config", production(tmp_path), "--database", f"sqlite:///{tmp_path}/production.db")
    env = PRODUCTION
    assert run("db", "upgrade", "--seed", *where, env=env).exit_code == 0
    assert json.loads(run("users", "list", "--json", *where, env=env).stdout) == {"users": []}
    assert json.loads(run("db", "status", "--json", *where, env=env).stdout)["demo"] is False


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://db/broker", "the database URL must be sqlite:///FILE or postgresql://..."),
        ("sqlite:///", "the database URL must be sqlite:///FILE or postgresql://..."),
        ("sqlite:////proc/none/broker.db", "there is no database /proc/none/broker.db yet; "),
        ("postgresql://ops:hidden-word@127.0.0.1:1/broker", "cannot decide now: the database cannot be reached: "),
    ],
)
def test_a_database_that_cannot_be_is_one_line_without_its_password(url: str, said: str) -> None:
    line = refusal(run("features", "list", "--database", url))
    assert line.startswith(said)
    assert "hidden-word" not in line


def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    line = refusal(run("db", "upgrade", "--database", f"sqlite:///{tmp_path}/one/two/broker.db"))
    assert line.startswith("the database cannot be opened: ")
    assert not (tmp_path / "one").exists()


def test_a_file_that_is_no_database_is_one_line_and_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("these are notes, and no database at all\n" * 100)
    before = file.read_bytes()
    for command in (["features", "list"], ["db", "upgrade"]):
        line = refusal(run(*command, "--database", f"sqlite:///{file}"))
        assert line == "cannot decide now: the database is damaged: file is not a database"
    assert file.read_bytes() == before
