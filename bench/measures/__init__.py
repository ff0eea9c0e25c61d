"""One module per family of figures, each with a ``run``; this is the list of them."""

from __future__ import annotations

from bench.measures import (
    beside_plain,
    commits,
    guard_memory,
    introspection,
    leased_read,
    shutdown_return,
    shutdowns,
    strict_read,
)
from bench.measures.context import Measure

_FAMILIES = (commits, strict_read, leased_read, beside_plain, introspection, shutdowns, shutdown_return, guard_memory)
MEASURES = tuple(Measure(each.NAMES, each.run) for each in _FAMILIES)
