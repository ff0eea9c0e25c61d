"""What the figures were measured on: enough to tell why another machine's differ, nothing that names this one."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

_LIBRARIES = ("authlib", "flask", "granian", "psycopg", "sqlalchemy", "werkzeug")


def description() -> dict[str, Any]:
    """Processor, memory, system and versions; the load average (1 minute) tells whether the machine was quiet."""
    return {
        "processor": _field(Path("/proc/cpuinfo"), "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory": _field(Path("/proc/meminfo"), "MemTotal"),
        "system": f"{platform.system()} {platform.release()}",
        "databases_on": _file_system(Path(tempfile.gettempdir())),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{library: version(library) for library in _LIBRARIES},
    }


def _field(file: Path, name: str) -> str:
    for line in file.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def _file_system(path: Path) -> str:
    """The type of the file system that holds ``path``: on one in memory, commits cost nothing."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    holding = [(Path(place), kind) for place, kind in mounts if path.resolve().is_relative_to(place)]
    return max(holding, key=lambda mount: len(mount[0].parts))[1]
