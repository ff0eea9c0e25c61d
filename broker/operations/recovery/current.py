"""Noticing that a database is behind what was committed to it, and keeping outside of it what tells."""

from __future__ import annotations

from broker.domain.errors import Refused
from broker.operations.context import Context, Runtime
from broker.store import deployment, ledger, recovery
from broker.store.engine.database import Transaction
from broker.store.engine.durability import is_standby
from broker.store.evidence import audit
from broker.store.ledger import Mark


def require_primary(runtime: Runtime) -> None:
    """Refuse a standby database: what it says is late, and it takes no shutdown."""
    with runtime.database.single() as transaction:
        if is_standby(transaction):
            raise Refused(
                "the database is a standby, which says yes when its primary says no already; name the primary"
            )


def require_current(runtime: Runtime) -> None:
    """Refuse a database that is behind what was seen committed here."""
    why = behind(runtime)
    if why is not None:
        raise Refused(why)


def behind(runtime: Runtime) -> str | None:
    """Why a database may not be served, in a sentence; None while it may.

    The mark is read before the log's head: nothing that commits in between makes a sound database look old.
    """
    kept = runtime.database.ledger
    if kept is None:
        return None
    with runtime.database.single() as transaction:
        database = deployment.identity(transaction)
    if database is None:
        return None
    mark, restored = kept.mark(database), kept.was_restored(database)
    with runtime.database.read() as transaction:
        head = head_of(transaction)
    if head < mark:
        return (
            f"the database is older than what was committed to it (at {head.generation}.{head.position}, seen at"
            f" {mark.generation}.{mark.position}): a backup was restored; run: broker recover"
        )
    return "a backup was restored and not recovered yet; run: broker recover" if restored else None


def head_of(transaction: Transaction) -> Mark:
    """Where the log is, in this transaction."""
    return Mark(audit.generation(transaction), audit.head(transaction)[0])


def watch(runtime: Runtime) -> bool:
    """Look whether this process may still serve, and let it serve nothing while it may not; whether it may."""
    kept = runtime.database.ledger
    if kept is None:
        return True
    try:
        kept.below = behind(runtime)
    except Refused as unreadable:
        kept.below = str(unreadable)
    return kept.below is None


def note_committed(runtime: Runtime) -> None:
    """At the start: raise the mark to where the log is, and drop lines that are too old to be needed."""
    kept = runtime.database.ledger
    if kept is None:
        return
    with runtime.read() as context:
        database = deployment.identity(context.transaction)
        head, now = head_of(context.transaction), context.now
    if database is not None:
        kept.raise_mark(database, head)
        kept.compact(database, now)


def hear(runtime: Runtime, after: int) -> None:
    """Note what was narrowed after a position; on the disk when this returns, so before it is confirmed."""
    kept = runtime.database.ledger
    if kept is None:
        return
    with runtime.database.read() as transaction:
        database, generation = deployment.identity(transaction), audit.generation(transaction)
        assert database is not None, "who hears of it is registered"
        entries = audit.narrowings_after(transaction, after)
        found = [ledger.narrowing(database, generation, entry) for entry in entries]
    if found:
        kept.heard(found)


def note_presence(context: Context, name: str) -> None:
    """Note in the ledger that a process of this name writes to it: whoever recovers asks for its ledger."""
    kept, database = context.transaction.database.ledger, deployment.identity(context.transaction)
    if kept is not None and database is not None:
        kept.present(database, name, recovery.writers(context.transaction) - {name}, context.now)
