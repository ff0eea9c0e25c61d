"""A database that remembers how many statements each of its transactions ran."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from broker.store.engine.database import Database, Transaction


class WatchedDatabase(Database):
    """Does what a database does, and can tell afterwards."""

    seen: tuple[Transaction, ...] = ()

    @contextmanager
    def _transaction(self, begin: str | None, end: str | None) -> Iterator[Transaction]:
        with super()._transaction(begin, end) as transaction:
            self.seen = (*self.seen, transaction)
            yield transaction

    def statements(self) -> tuple[int, ...]:
        """Of each transaction since the last time this was asked: how many statements."""
        found = tuple(transaction.statements for transaction in self.seen)
        self.seen = ()
        return found
