"""broker audit: the log of what changed standing, and the proof that nobody changed the log."""

from __future__ import annotations

import json
import shutil
import sys
from collections import deque
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile

import click

from broker.cli.commands import MOMENT, Group
from broker.cli.evidence import documents
from broker.cli.invocation import Invocation, pass_invocation
from broker.cli.output import progress
from broker.domain.audit import Entry, verify
from broker.domain.errors import Refused
from broker.domain.instants import Instant
from broker.store.engine.database import Transaction
from broker.store.evidence import audit as stored

_IN_MEMORY = 1 << 24


@click.group(cls=Group)
def audit() -> None:
    """The log of what changed standing."""


@audit.command("list")
@click.option("--action", metavar="A", help="Only this action, such as feature.shut_down.")
@click.option("--actor", metavar="WHO", help="Only by this actor, such as operator:ops.")
@click.option("--subject", metavar="WHAT", help="Only about this, such as client:tuneloop-share.")
@click.option("--feature", metavar="F", help="Only concerning this feature.")
@click.option("--since", type=MOMENT, metavar="TIME", default=None, help="Only from this time on.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="The newest so many.")
@pass_invocation
def list_audit(
    cli: Invocation,
    action: str | None,
    actor: str | None,
    subject: str | None,
    feature: str | None,
    since: Instant | None,
    limit: int,
) -> None:
    """List entries, newest first."""
    filters = {"action": action, "actor": actor, "subject": subject, "feature": feature}
    wanted = {field: value for field, value in filters.items() if value is not None}
    with cli.read() as context:
        found = _newest(context.transaction, wanted, since or 0, limit)
    rows = [documents.of_entry(each) for each in found]
    cli.output.list("audit", rows, ("position", "at", "actor", "action", "subject", "details"))


def _newest(transaction: Transaction, wanted: dict[str, str], since: Instant, limit: int) -> list[Entry]:
    if not wanted and not since:
        return stored.latest(transaction, limit)
    matching = (
        entry
        for entry, _ in stored.entries(transaction)
        if entry.at >= since and all(getattr(entry, field) == value for field, value in wanted.items())
    )
    return list(deque(matching, limit))[::-1]


@audit.command("verify")
@pass_invocation
def verify_chain(cli: Invocation) -> None:
    """Verify the whole chain; refuses with the first entry that does not hold."""
    with cli.read() as context:
        position, hash = stored.head(context.transaction)
        entries = progress(stored.entries(context.transaction), position, "verifying")
        broken = verify(entries, position, hash)
    if broken is not None:
        raise Refused(f"the audit log is broken: entry {broken.position} {broken.why}")
    intact = {"intact": True, "position": position, "hash": hash.hex()}
    cli.output.say(intact, f"intact: {position} entries; the hash of the last is {hash.hex()}")


@audit.command()
@pass_invocation
def export(cli: Invocation) -> None:
    """Print every entry with its hashes, oldest first: JSON Lines, or with --json one document."""
    with SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="ascii") as copy:
        with cli.read() as context:  # to its end first: a slow reader would pin the snapshot, a failure leave a half
            position, _ = stored.head(context.transaction)
            for number, line in enumerate(progress(_lines(context.transaction), position, "exporting")):
                copy.write(f"{',' if number and cli.output.as_json else ''}{line}\n")
        copy.seek(0)
        sys.stdout.write('{"audit": [\n' if cli.output.as_json else "")
        shutil.copyfileobj(copy, sys.stdout)
        sys.stdout.write("]}\n" if cli.output.as_json else "")
        sys.stdout.flush()


def _lines(transaction: Transaction) -> Iterator[str]:
    for entry, hash in stored.entries(transaction):
        yield json.dumps(documents.of_stored_entry(entry, hash))
