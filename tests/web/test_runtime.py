"""Which database and which spools a broker uses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from broker.domain.errors import Refused
from broker.settings import DEVELOPMENT, Settings
from broker.web.runtime import default_database_url, open_runtime, spool_directory, sqlite_file
from tests.register import SETTINGS

UNSAID = replace(SETTINGS, database=replace(SETTINGS.database, url=None), state_dir=None)


def _with_url(url: str) -> Settings:
    return replace(UNSAID, database=replace(UNSAID.database, url=url))


def test_a_configured_database_is_taken() -> None:
    assert default_database_url(_with_url("postgresql://db/broker")) == "postgresql://db/broker"


def test_development_falls_back_to_a_file_of_the_checkout_whatever_the_working_directory() -> None:
    assert default_database_url(UNSAID) == f"sqlite:///{DEVELOPMENT.parents[1] / 'var' / 'palaver.db'}"


def test_development_falls_back_to_its_state_directory_if_it_has_one(tmp_path: Path) -> None:
    assert default_database_url(replace(UNSAID, state_dir=tmp_path)) == f"sqlite:///{tmp_path}/palaver.db"


def test_production_falls_back_to_nothing(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no database is configured"):
        default_database_url(replace(UNSAID, environment="production", state_dir=tmp_path))


def test_spools_are_beside_a_sqlite_file() -> None:
    assert spool_directory(UNSAID, "sqlite:////data/broker.db") == Path("/data/broker.db.spools")


def test_two_databases_of_a_server_never_share_spools() -> None:
    urls = ["postgresql://db/one", "postgresql://db/two", "postgresql://other/one", "postgresql://db:6432/one"]
    assert len({spool_directory(UNSAID, url) for url in urls}) == len(urls)


def test_another_password_does_not_move_the_spools() -> None:
    first, second = (spool_directory(UNSAID, f"postgresql://broker:{each}@db/one") for each in ("old", "new"))
    assert first == second


def test_a_state_directory_holds_the_spools(tmp_path: Path) -> None:
    settings = replace(UNSAID, state_dir=tmp_path)
    assert spool_directory(settings, "postgresql://db/one") == tmp_path / "spools"


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///broker.db", Path("broker.db")),
        ("sqlite:////data/broker.db", Path("/data/broker.db")),
        ("postgresql://db/one", None),
    ],
)
def test_only_sqlite_has_a_file(url: str, file: Path | None) -> None:
    assert sqlite_file(url) == file


@pytest.mark.parametrize("url", ["mysql://db/broker", "sqlite://", "sqlite:///", "broker.db", ""])
def test_a_url_that_names_no_database_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="the database URL must be"):
        open_runtime(SETTINGS, url)


def test_one_new_directory_is_made_for_nobody_else_to_read(tmp_path: Path) -> None:
    runtime = open_runtime(SETTINGS, f"sqlite:///{tmp_path}/var/broker.db")
    runtime.database.close()
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700
    with pytest.raises(Refused, match="cannot be opened"):
        open_runtime(SETTINGS, f"sqlite:///{tmp_path}/one/two/broker.db")
