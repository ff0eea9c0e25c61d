"""Access records: taken in from the workers' spools, so that whoever reads them reads all of them."""

from __future__ import annotations

import fcntl
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from broker.domain.access import ALLOWED, AccessRecord, decode
from broker.operations.context import Context, Runtime
from broker.operations.recovery import current
from broker.store import clock, grants
from broker.store.evidence import access
from broker.store.grants import Use

SUFFIX = ".spool"
_CHUNK = 1 << 20


def take_in_own(runtime: Runtime, spool: str) -> None:
    """Take in what one spool holds: a living worker's own, now and then, so that readers find little left to do."""
    _take_in_file(runtime, runtime.spools / spool)


def take_in(runtime: Runtime) -> bool:
    """Take in what every spool of this machine holds; True if no spool that is known of was out of reach.

    Whole lines only, in batches of a transaction each. Safe beside others that do the same, and after a crash: a batch
    is taken in and marked in one commit.
    """
    files = sorted(runtime.spools.glob("*" + SUFFIX)) if runtime.spools.is_dir() else []
    for file in files:
        _take_in_file(runtime, file)
        _remove_if_done(runtime, file)
    with runtime.database.read() as transaction:
        return access.spools(transaction) <= {file.name for file in files}


def _take_in_file(runtime: Runtime, file: Path) -> None:
    try:
        stream = file.open("rb")
    except FileNotFoundError:  # another has taken it in and removed it
        return
    with stream:
        end = os.fstat(stream.fileno()).st_size  # what comes later may come faster than it is taken in
        while True:
            with runtime.database.read() as transaction:
                before = access.taken(transaction, file.name)
            stream.seek(before)
            chunk = stream.read(min(_CHUNK, max(0, end - before)))
            whole = chunk[: chunk.rfind(b"\n") + 1]
            if not whole:
                return
            with runtime.write("broker") as context:
                _add(context, file.name, before, whole)


def _add(context: Context, spool: str, before: int, lines: bytes) -> None:
    records, place = [], before
    for line in lines.splitlines(keepends=True):
        record = decode(line)
        if record is not None:
            records.append((place, record))
        place += len(line)
    if access.take_in(context.transaction, spool, before, before + len(lines), records):
        _note_uses(context, [record for _, record in records])
        clock.raise_floor(context.transaction, context.now)


def _note_uses(context: Context, records: list[AccessRecord]) -> None:
    """Last use per grant and scope: it moves the end by disuse, unless that end has come already."""
    uses: dict[tuple[int, str], list[int]] = defaultdict(list)
    for record in records:
        if record.decision == ALLOWED and record.grant_id is not None:
            uses[record.grant_id, record.scope].append(record.at)
    unused_us = context.settings.lifetimes.scope_unused_s * 1_000_000
    grants.used(
        context.transaction,
        [Use(grant_id, scope, max(times), len(times), max(times) + unused_us)
         for (grant_id, scope), times in sorted(uses.items())],
        context.now,
    )  # fmt: skip


def _remove_if_done(runtime: Runtime, file: Path) -> None:
    """Remove a spool whose worker is gone and of which nothing is left; the living hold a lock on theirs."""
    with _orphaned(file) as descriptor:
        if descriptor is None:
            return
        with runtime.database.write() as transaction:
            if access.taken(transaction, file.name) >= os.fstat(descriptor).st_size - _torn(descriptor):
                access.forget(transaction, file.name)
                file.unlink(missing_ok=True)


def _torn(descriptor: int) -> int:
    """Bytes of a last line that a crash has cut; they were never a record."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, 4096, max(0, size - 4096))
    return len(tail) - (tail.rfind(b"\n") + 1)


@contextmanager
def _orphaned(file: Path) -> Iterator[int | None]:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    except BlockingIOError:
        yield None
    finally:
        os.close(descriptor)


def announce(runtime: Runtime, spool: str) -> None:
    """Make a spool known before anything is written to it, so that its absence is noticed elsewhere."""
    with runtime.write("broker") as context:
        access.announce(context.transaction, spool)
        current.note_presence(context, spool)


def living(runtime: Runtime) -> list[str]:
    """Spools of this machine's workers that run."""
    files = sorted(runtime.spools.glob("*" + SUFFIX)) if runtime.spools.is_dir() else []
    found = []
    for file in files:
        with _orphaned(file) as descriptor:
            if descriptor is None and file.exists():
                found.append(file.name)
    return found
