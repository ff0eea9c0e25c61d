"""Builds whose ledger, mark or recovery is broken on purpose, each in the one way that its name says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from broker.store import ledger, recovery
from broker.store.engine.database import Database
from broker.store.ledger import Ledger, Narrowing


def with_the_ledger_after_the_commit(patch: pytest.MonkeyPatch) -> None:
    """What is committed is written down only then: a crash in between leaves it nowhere."""

    @contextmanager
    def noted(self: Database, narrowings: list[Narrowing]) -> Iterator[None]:
        yield
        if self.ledger is not None and narrowings:
            self.ledger.attempted(narrowings)
            self.ledger.committed(narrowings)

    patch.setattr(Database, "_noted", noted)


def with_the_mark_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """The mark rises to what is only attempted."""

    @contextmanager
    def noted(self: Database, narrowings: list[Narrowing]) -> Iterator[None]:
        if self.ledger is not None and narrowings:
            self.ledger.attempted(narrowings)
            self.ledger.committed(narrowings)
        yield

    patch.setattr(Database, "_noted", noted)


def with_the_mark_raised_by_attempts(patch: pytest.MonkeyPatch) -> None:
    """A line is taken for a commit."""
    attempted = Ledger.attempted

    def attempting(self: Ledger, narrowings: list[Narrowing]) -> None:
        attempted(self, narrowings)
        self._raise_mark(narrowings)

    patch.setattr(Ledger, "attempted", attempting)


def without_a_new_generation(patch: pytest.MonkeyPatch) -> None:
    """A recovery goes on in the generation that it found."""
    patch.setattr(recovery, "set_generation", lambda transaction, generation: None)


def without_ending_what_was_issued(patch: pytest.MonkeyPatch) -> None:
    """A recovery leaves the tokens that the backup brought back."""
    patch.setattr(recovery, "end_what_was_issued", lambda transaction, at: {})


def without_a_mark(patch: pytest.MonkeyPatch) -> None:
    """Nobody remembers how far the log had come."""
    patch.setattr(ledger, "mark_in", lambda directory, database: ledger.NOTHING)


def with_lost_commits_believed(patch: pytest.MonkeyPatch) -> None:
    """A line counts although another was seen committed in its place."""
    patch.setattr(Ledger, "committed", lambda self, narrowings: self._raise_mark(narrowings))
