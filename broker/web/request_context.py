"""One transaction a request, opened here and nowhere else; its kind is the view's.

A safe method reads in one snapshot, any other writes. A view may say otherwise with ``runs(...)``. The transaction ends
before the answer leaves: an answer that is sent stands for what is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from flask import current_app, g

from broker.operations.context import Context, Runtime, begin
from broker.store.engine.database import Transaction

READ, WRITE, SINGLE, NONE = "read", "write", "single", "none"
_SAFE = ("GET", "HEAD", "OPTIONS")
_current: ContextVar[Transaction] = ContextVar("transaction")

View = TypeVar("View", bound=Callable[..., object])


def runs(kind: str) -> Callable[[View], View]:
    """Mark a view that needs another kind of transaction than its method says."""

    def mark(view: View) -> View:
        view.transaction_kind = kind  # type: ignore[attr-defined]
        return view

    return mark


def runtime() -> Runtime:
    """The runtime of the application that serves this request."""
    found: Runtime = current_app.extensions["broker"]
    return found


def kind_of(view: Callable[..., object] | None, method: str) -> str:
    """Which kind of transaction a view runs in."""
    return getattr(view, "transaction_kind", READ if method in _SAFE else WRITE)


@contextmanager
def serving(kind: str, running: Runtime | None = None) -> Iterator[None]:
    """The transaction of a request, from its first statement to its commit; ``running`` where there is no framework."""
    if kind == NONE:
        yield
        return
    serves = running or runtime()
    serves.require_current()
    database = serves.database
    opened = {READ: database.read, WRITE: database.write, SINGLE: database.single}[kind]
    with opened() as transaction:
        before = _current.set(transaction)
        try:
            yield
        finally:
            _current.reset(before)
            if running is None:
                g.pop("context", None)
    if kind == WRITE:
        (running or runtime()).settle(transaction)


def transaction() -> Transaction:
    """The transaction of this request."""
    return _current.get()


def context() -> Context:
    """The context of this request's transaction, begun when it is first asked for."""
    found: Context | None = g.get("context")
    if found is None:
        running = runtime()
        found = g.context = begin(transaction(), running.settings, g.get("actor", "anonymous"), running.randomness)
    return found


@contextmanager
def writing(actor: str) -> Iterator[Context]:
    """A short transaction of its own, for a view that runs in none."""
    with runtime().write(actor) as found:
        yield found
