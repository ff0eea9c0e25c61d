"""Being woken when PostgreSQL says that something was narrowed. A hint: who hears nothing looks by itself in time."""

from __future__ import annotations

import threading
from typing import Any

from broker.store.engine.database import Database


class Listener:
    """One connection of its own that listens; on SQLite, or when it cannot, it only waits. For one thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Any = None
        self._pause = threading.Event()

    def wait(self, seconds: float) -> None:
        """Wait that long, or until there is something to hear."""
        if self._database.is_sqlite:
            self._pause.wait(seconds)
            return
        try:
            driver = self._listening().connection.driver_connection
            for _ in driver.notifies(timeout=seconds, stop_after=1):
                return
        except Exception:  # noqa: BLE001 - without the hint the node looks each time the wait is over
            self.close()
            self._pause.wait(seconds)

    def _listening(self) -> Any:
        if self._connection is None:
            self._connection = self._database.engine.connect()
            self._connection.exec_driver_sql("LISTEN broker_revocations")
        return self._connection

    def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()
