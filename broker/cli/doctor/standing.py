"""What waits in the database or beside it: access records, receipts, ends by date, approvals."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from broker.cli.doctor.finding import Finding, judged
from broker.cli.invocation import is_active_operator
from broker.operations.access import SUFFIX
from broker.operations.context import Runtime
from broker.store import accounts, approvals
from broker.store.evidence import access, shutdowns
from broker.store.register import features
from broker.store.revocations import nodes

_LEAST_FREE = 1 << 30


def findings(runtime: Runtime) -> Iterator[Finding]:
    """What is unfinished, and who is there to finish it."""
    with runtime.read() as context:
        transaction = context.transaction
        unfinished = [each.feature_id for each in shutdowns.unfinished(transaction)]
        due = features.past_their_end(transaction, context.now)
        waiting = sum(each.state == "pending" for each in approvals.all(transaction))
        operators = sum(is_active_operator(each) for each in accounts.all(transaction))
        spools = access.spools(transaction)
        known = nodes.all(transaction)
        silent = [each.id for each in known if each.renewed_at + each.lease_us < context.now]
    yield judged("receipts", not unfinished, "unusual", f"{len(unfinished)} not counted yet{_named(unfinished)}")
    yield judged("end dates", not due, "unusual", f"{len(due)} reached and not recorded yet{_named(due)}")
    yield Finding("approvals", "ok", f"{waiting} pending")
    yield judged("operators", operators > 1, "unusual", f"{operators} active; what widens takes two")
    detail = f"{len(known)} say yes from memory, {len(silent)} of them without a lease{_named(silent)}"
    yield judged("nodes", not silent, "unusual", detail)
    yield from _spools(runtime.spools, spools)


def _named(features: list[str]) -> str:
    return f": {', '.join(features)}" if features else ""


def _spools(directory: Path, known: set[str]) -> Iterator[Finding]:
    files = sorted(directory.glob("*" + SUFFIX)) if directory.is_dir() else []
    size = sum(file.stat().st_size for file in files)
    place = next(each for each in (directory, *directory.parents) if each.exists())
    writable = os.access(place, os.W_OK)
    detail = f"{directory}: {len(files)} with {size} bytes; {'writable' if writable else 'not writable'}"
    yield judged("spools", writable, "unsafe", detail)
    elsewhere = known - {file.name for file in files}
    if elsewhere:
        yield Finding("spools", "unusual", f"{len(elsewhere)} are on other machines, or were lost")
    free = shutil.disk_usage(place).free
    yield judged("disk", free > _LEAST_FREE, "unsafe", f"{free >> 20} MB free where access records are written")
