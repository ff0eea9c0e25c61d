"""One module per family of figures, each with a ``run``; this is the list of them."""

from __future__ import annotations

from bench.measures import commits
from bench.measures.context import Measure

MEASURES = (Measure(commits.NAMES, commits.run),)
