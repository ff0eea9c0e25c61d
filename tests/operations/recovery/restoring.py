"""A world that keeps a ledger, and old states of its database that come back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from broker.operations.recovery import recovering
from broker.operations.recovery.recovering import Report
from broker.store import deployment
from broker.store.engine import backups
from broker.store.ledger import Ledger
from tests.databases import Contents
from tests.world import World

FEATURE, CLIENT = "share-a-track", "tuneloop-share"


def keeping(world: World, name: str = "ledger") -> Ledger:
    """Have a world note what it narrows, in a directory of this name."""
    kept = world.database.ledger = Ledger(world.directory / name)
    return kept


def back_up(world: World) -> Callable[[], None]:
    """Keep the state that the database has now; what is returned brings it back, with whatever it holds."""
    if world.database.is_sqlite:
        file = world.directory / "old.backup"
        backups.back_up(world.database.path, file)

        def restore_file() -> None:
            world.database.close()
            backups.put_in_place(file, world.database.path)

        return restore_file
    contents = Contents.of(world.url)

    def restore_rows() -> None:
        world.database.close()
        assert contents.restored(world.url)

    return restore_rows


def identity(world: World) -> int:
    """What the ledger knows the world's database by."""
    with world.read() as context:
        found = deployment.identity(context.transaction)
    assert found is not None
    return found


def recover(world: World, *others: Path, accepted: tuple[str, ...] = (), anyway: bool = False) -> Report:
    """An operator recovers the world's database."""
    return recovering.recover(world.runtime, "operator:ops", others, accepted, anyway=anyway)


def away(kept: Ledger) -> None:
    """Lose a ledger with all it held."""
    shutil.rmtree(kept.directory)
