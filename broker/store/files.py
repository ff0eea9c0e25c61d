"""Files whose content outlives a crash of the machine."""

from __future__ import annotations

import errno
import os
from pathlib import Path

TAIL = 64 << 10
"""How much of a file's end is looked at, in bytes."""


def tail(file: Path) -> bytes:
    """What was written lately: where something that happened just now is, if it is there."""
    if not file.exists():
        return b""
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - TAIL))
        return stream.read()


def append(file: Path, lines: bytes, *, durably: bool) -> None:
    """Append whole lines, after one that a crash has torn on a line of their own; ``OSError`` if not all fit."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        lines = b"\n" * torn + lines
        if os.write(descriptor, lines) != len(lines):
            raise OSError(errno.ENOSPC, "the disk is full")
        if durably:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if size == 0 and durably:
        sync(file.parent)


def write_whole(file: Path, content: bytes) -> None:
    """All of it or nothing, whenever the machine stops."""
    fresh = file.with_name(f"{file.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)
    fresh.rename(file)
    sync(file.parent)


def sync(path: Path) -> None:
    """Have a file's content, or a directory's names, on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
