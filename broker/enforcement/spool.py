"""A worker's spool of access records: one file, one write a record, on the disk's way before the response leaves.

A record that was appended survives kill -9, since it is the kernel's then; it is in nobody's way, since no database is
asked. The lock tells others that the worker lives; the operating system takes it away when the worker does not.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

from broker.domain.errors import Undecided

SUFFIX = ".spool"


class Spool:
    """An open spool. To be opened in the process that writes it, after any fork."""

    def __init__(self, directory: Path, *, rotate_at: int = 64 << 20) -> None:
        self._directory, self._rotate_at = directory, rotate_at
        self._lock = threading.Lock()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.name = ""
        self._file = -1
        self._size = 0
        self._open()

    def _open(self) -> None:
        self.name = f"{os.getpid()}-{os.urandom(8).hex()}{SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        # Locked before it has the name that others look for: one that finds it free takes it for a dead worker's.
        unseen = self._directory / f"{self.name}.new"
        self._file = os.open(unseen, flags, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        unseen.rename(self._directory / self.name)
        self._size = 0

    def append(self, line: bytes) -> None:
        """Append one whole line; ``Undecided`` if the disk does not take it, and then nothing of it is left."""
        with self._lock:
            try:
                written = os.write(self._file, line)
            except OSError as error:
                raise Undecided(f"the access record cannot be written: {error.strerror}") from error
            if written != len(line):
                os.ftruncate(self._file, self._size)
                raise Undecided("the access record cannot be written: the disk is full")
            self._size += written

    def rotate(self) -> str | None:
        """Begin a new file if this one has grown large, and let go of the old; the new name, or None."""
        with self._lock:
            if self._size < self._rotate_at:
                return None
            before = self._file
            self._open()
            os.close(before)
            return self.name

    def close(self) -> None:
        """Let go of the file; whoever takes it in may remove it then."""
        with self._lock:
            os.close(self._file)
            self._file = -1
