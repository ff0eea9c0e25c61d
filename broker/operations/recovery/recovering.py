"""Recovering a restored database: what it lacks is done again, and what it brought back is void."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from broker.domain.audit import Action
from broker.domain.errors import Refused
from broker.operations.context import Context, Runtime
from broker.operations.recovery.current import head_of
from broker.operations.recovery.repeating import Work, again
from broker.store import deployment, ledger, recovery, standing
from broker.store.evidence import audit, shutdowns
from broker.store.ledger import Mark, Narrowing, Records
from broker.store.register import features

Report = dict[str, object]


def recover(
    runtime: Runtime, actor: str, directories: Sequence[Path] = (), accepted: Iterable[str] = (), *,
    anyway: bool = False,
) -> Report:  # fmt: skip
    """Bring a restored database back to where everything that was taken is taken; what was done.

    ``Refused`` if nothing was restored (unless ``anyway``), or if ledgers are missing that are not ``accepted``.
    """
    own = runtime.database.ledger
    assert own is not None, "a broker has a ledger"
    places = [own.directory, *(each for each in directories if each.resolve() != own.directory.resolve())]
    with runtime.write(actor) as context:
        database = deployment.identity(context.transaction)
        if database is None:
            raise Refused("the database is not set up; there is nothing to recover")
        found = ledger.read(places, database)
        head = head_of(context.transaction)
        if head >= found.mark and not own.was_restored(database) and not anyway:
            raise Refused("the database is not behind what was committed to it; there is nothing to recover")
        missing = _missing(context, found, head)
        not_accepted = sorted(missing - set(accepted))
        if not_accepted:
            raise Refused(
                f"the ledgers of {', '.join(not_accepted)} are missing, and what they narrowed may be: give them with"
                " --ledger DIR, or go without each with --accept-missing NAME"
            )
        report = apply(context, found, head, sorted(missing))
    own.restore_is_over(database)
    own.below = None
    return report


def _missing(context: Context, found: Records, head: Mark) -> set[str]:
    """Who has written to a ledger that was not given, and which ledgers no longer reach back to the backup."""
    known = recovery.writers(context.transaction) | found.heard_of
    newest = audit.latest(context.transaction, 1)
    made = newest[0].at if newest else 0
    return (known - found.names) | {name for name, before in found.cut_before.items() if before > made}


def apply(context: Context, found: Records, head: Mark, missing: Sequence[str] = ()) -> Report:
    """Do again what the database lacks, begin a generation and end what was issued in older ones; one entry."""
    transaction = context.transaction
    standing.close_fence(transaction, *(each.id for each in features.all(transaction)))
    work = Work(context)
    for narrowing in lacking(found, head):
        again(work, narrowing)
    ended = recovery.end_what_was_issued(transaction, context.now)
    newest = max([head, found.mark, *(each.mark for each in found.narrowings)])
    recovery.set_generation(transaction, newest.generation + 1)
    report: dict[str, Any] = {
        "generation": newest.generation + 1, "restored_position": head.position, "complete": not missing,
        "missing": list(missing), "unreadable_lines": found.unreadable, "applied": [_named(each) for each in work.done],
        "absent": [_named(each) for each in work.absent], "need_new_password": work.passwords, "ended": ended,
    }  # fmt: skip
    position = context.record(Action.BROKER_RECOVERED, "broker", **report)
    for shutdown in work.shutdowns:
        shutdowns.add(transaction, replace(shutdown, position=position))
    return report | {"position": position}


def lacking(found: Records, head: Mark) -> list[Narrowing]:
    """What came after a database's head. What an older generation lost, the recovery that ended it has done again."""
    return [each for each in found.narrowings if each.mark > head]


def _named(narrowing: Narrowing) -> str:
    return f"{narrowing.generation}.{narrowing.position} {narrowing.action} {narrowing.subject}"
