"""One module per family of figures, each with a ``run``; this is the list of them."""

from __future__ import annotations

from bench.measures import beside_plain, commits, leased_read, shutdown_return, shutdowns, strict_read
from bench.measures.context import Measure

MEASURES = tuple(
    Measure(each.NAMES, each.run)
    for each in (commits, strict_read, leased_read, beside_plain, shutdowns, shutdown_return)
)
