"""The database: reached, at its version, durable, of this world; and its clock."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from pathlib import Path

from broker.cli.doctor.finding import Finding, judged
from broker.domain.errors import BrokerError
from broker.domain.instants import SECOND, rfc3339
from broker.operations.context import Runtime
from broker.operations.recovery import current
from broker.store import clock, deployment, migrations
from broker.store.engine import durability

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MAX_SKEW = 2 * SECOND


def findings(runtime: Runtime) -> Iterator[Finding]:
    """Whether it can be relied on; the last finding is unsafe if nothing more can be asked of it."""
    database = runtime.database
    try:
        version = migrations.current(database)
    except BrokerError as error:
        yield Finding("database", "unsafe", str(error))
        return
    yield Finding("database", "ok", f"{database.engine.dialect.name}, reached")
    if database.is_sqlite:
        yield _permissions(database.path)
    yield judged("schema", version == migrations.newest(), "unsafe",
                 f"version {version or 'none'}, this broker's is {migrations.newest()}")  # fmt: skip
    with database.read() as transaction:
        if durability.is_standby(transaction):
            yield Finding("primary", "unsafe", "a standby: what it says is late, and it takes no shutdown")
        for each in durability.settings(transaction):
            yield judged("durability", each.sound, "unsafe", f"{each.name} = {each.value}")


def is_set_up(runtime: Runtime) -> bool:
    """Whether there is more to look at."""
    if migrations.current(runtime.database) != migrations.newest():
        return False
    with runtime.database.read() as transaction:
        return deployment.is_seeded(transaction)


def world(runtime: Runtime) -> Iterator[Finding]:
    """Whether the demo world is in the database, which no configuration but its own may serve."""
    with runtime.database.read() as transaction:
        demo = deployment.is_demo(transaction)
        now = clock.read(transaction)
    if not demo:
        yield Finding("demo", "ok", "this database never held the demo world")
    elif runtime.settings.demo is not None:
        yield Finding("demo", "unusual", "the demo world, whose passwords everybody knows")
    else:
        yield Finding("demo", "unsafe", "seeded with the demo world, whose passwords everybody knows; use another")
    yield _clock(now)
    yield _age(runtime)


def _age(runtime: Runtime) -> Finding:
    """Whether it is what was last committed to it, as far as this machine has seen."""
    try:
        why = current.behind(runtime)
    except BrokerError as error:
        why = str(error)
    return Finding("restore", "unsafe" if why else "ok", why or "not behind what was seen committed here")


def _clock(now: int) -> Finding:
    """Compare with this machine's. A clock that was set back stands still here until the time it had is reached."""
    ahead = now - time.time_ns() // 1000
    detail = f"{rfc3339(now)}, {abs(ahead) / SECOND:.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    return judged("clock", abs(ahead) <= _MAX_SKEW, "unusual", detail)


def _permissions(file: Path) -> Finding:
    """Whether other users of this machine can open the file: by its own mode and by its directory's."""
    file_mode, directory_mode = file.stat().st_mode, file.absolute().parent.stat().st_mode
    open_to_others = bool(file_mode & _OTHERS and directory_mode & _OTHERS)
    detail = f"{file} has mode {file_mode & 0o777:03o} in a directory of mode {directory_mode & 0o777:03o}"
    return judged("permissions", not open_to_others, "unusual", detail)
