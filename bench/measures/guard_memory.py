"""What a node's memory costs: bytes for each decision and each revocation, and that neither grows beyond its bound.

Measured in a process of its own, by its resident memory: what the interpreter keeps for itself counts too.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

from bench.catalogue import Database
from bench.measures.context import Bench, Invalid
from bench.pairs import QUICK
from broker.domain import marks
from broker.domain.decisions import Allowed, Standing
from broker.domain.scopes import MESSAGES_READ
from broker.enforcement.memory import Memory, Seen

NAMES = ("guard.bytes_per_decision", "guard.bytes_per_revocation")
ENTRIES, _QUICK_ENTRIES = 1_000_000, 100_000
_GROWTH = 0.05  # of the whole, while a fifth as many more come
_FAR = 1 << 60
_NEEDED = frozenset({MESSAGES_READ})


def run(bench: Bench) -> None:
    """Measure the wanted ones of NAMES; ``Invalid`` if a bound does not hold. No database has a part in it."""
    if bench.database is Database.SQLITE:
        return
    entries = _QUICK_ENTRIES if bench.plan is QUICK else ENTRIES
    for name, measure in zip(NAMES, (decisions, revocations), strict=True):
        if name in bench.wanted:
            bench.say(f"the memory of {entries:,} entries")
            with multiprocessing.get_context("spawn").Pool(1) as process:
                full, beyond = process.apply(measure, (entries,))
            bench.record(name, full / entries, entries=entries, whole_mb=full / 1e6, grown_beyond_mb=beyond / 1e6)
            if beyond > full * _GROWTH:
                raise Invalid(f"{entries:,} entries are {full:,} bytes, and {beyond:,} more when more come")


def decisions(entries: int) -> tuple[int, int]:
    """Resident bytes of so many decisions where there is room for no more, and how many more once others follow."""
    memory = Memory(decisions=entries)
    numbers = count(1)

    def one_more() -> None:
        number = next(numbers)
        memory.put(_hash(number), _decided(number))

    found = _grown(one_more, entries)
    if memory.get(_hash(1)) is not None or memory.get(_hash(next(numbers) - 1)) is None:
        raise Invalid("what was remembered first is to go first")
    return found


def revocations(entries: int) -> tuple[int, int]:
    """The same of revocations, each of a grant of its own; what is forgotten must go on being a no."""
    memory = Memory(marks=entries)
    numbers, early = count(1), _decided(1)

    def one_more() -> None:
        number = next(numbers)
        memory.note([(number, f"grant:{_spread(number)}")])

    found = _grown(one_more, entries)
    if memory.holds(early):
        raise Invalid("a revocation that was forgotten has become a yes")
    return found


def _grown(one_more: Callable[[], None], entries: int) -> tuple[int, int]:
    before = _resident()
    for _ in range(entries):
        one_more()
    full = _resident()
    for _ in range(entries // 5):
        one_more()
    return full - before, _resident() - full


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _spread(number: int) -> int:
    """A number as large as the broker's random ones."""
    return (1 << 62) + number * 0x9E3779B97F4A7C15 % (1 << 62)


def _hash(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _text(value: str) -> str:
    """A string of its own, as a row from a database has one for each field."""
    return value.encode().decode()


def _decided(number: int) -> Seen:
    """A yes to one token, with nothing in it that another's has, as a reading gives it; read at position 0."""
    end = _FAR + number
    standing = Standing(
        _text("tuneloop-search"), _spread(number), _spread(number + 1), _text("archive-search"), 1,
        _text(MESSAGES_READ), end - 1, end, None, _spread(number + 2), None, 1, None, end, end, True, _text("active"),
        1, None, None, _text("active"), _text("TuneLoop"), _text("tuneloop"), _text("active"), _text("active"),
        f"{MESSAGES_READ}={end}", end - 2, 0, 1,
    )  # fmt: skip
    seen = Seen(standing, marks.of_standing(standing), 1, 0, end - 3, end)
    if not isinstance(seen.decision(_NEEDED), Allowed):
        raise Invalid("a decision that is no yes was measured")
    return seen
