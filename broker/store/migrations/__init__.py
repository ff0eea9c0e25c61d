"""Schema versions: bring a database up to date, and refuse one that is newer than this code knows."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from broker.domain.errors import Refused, Undecided
from broker.store.engine.database import Database


def _config(database: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["engine"] = database.engine
    return config


def newest() -> str:
    """The version that this code is written for."""
    head = ScriptDirectory(str(Path(__file__).parent)).get_current_head()
    assert head is not None
    return head


def current(database: Database) -> str | None:
    """The version of the database, or None for an empty one."""
    with database.failures.translated(lambda: None), database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def known() -> set[str]:
    """Every version that this code knows."""
    return {script.revision for script in ScriptDirectory(str(Path(__file__).parent)).walk_revisions()}


def refuse_newer(database: Database) -> None:
    """Refuse a database that a newer broker has changed: this one would misread it."""
    version = current(database)
    if version is not None and version not in known():
        raise Refused(f"the database has version {version}, newer than this broker knows ({newest()})")


def upgrade(database: Database) -> str:
    """Bring the schema to the newest version; the version."""
    refuse_newer(database)
    with database.failures.translated(lambda: None):
        command.upgrade(_config(database), "head")
    return newest()


def require_current(database: Database) -> None:
    """Refuse to work on a schema that is not the one this code is written for."""
    refuse_newer(database)
    if current(database) != newest():
        raise Undecided("the database is not set up for this version; run: broker db upgrade")
