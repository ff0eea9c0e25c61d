"""The ledger and the high-water mark: what is kept outside the database, so that an old backup of it is noticed.

From inside, a restored backup looks like any other state. So each directory of a broker's machine holds, beside the
database it serves, every narrowing as a line, and the highest position that was seen committed. A line is on the disk
before the commit: one too many does little harm, one too few would be a grant that comes back. The mark rises after
the commit: one too low misses a restore, one too high would refuse a sound database.
"""

from __future__ import annotations

import fcntl
import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from broker.domain.audit import Action, Entry
from broker.domain.errors import Refused, Undecided
from broker.domain.instants import DAY, Instant
from broker.store import files

KEPT_US = 90 * DAY
"""How long a line is kept: no older backup can be recovered completely."""
_COMPACTED_FROM = 1 << 20
_WAIT_S = 5.0


class Mark(NamedTuple):
    """How far the audit log had come; in the order of what came later."""

    generation: int
    position: int


NOTHING = Mark(0, 0)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """An entry of the audit log that may take something from somebody, in its database and generation."""

    database: int
    generation: int
    position: int
    at: Instant
    actor: str
    action: str
    subject: str
    feature: str | None
    details: Mapping[str, Any]
    hash: str

    @property
    def mark(self) -> Mark:
        """Its place in the log."""
        return Mark(self.generation, self.position)


def narrowing(database: int, generation: int, entry: Entry) -> Narrowing:
    """An entry as the ledger keeps it."""
    return Narrowing(database, generation, entry.position, entry.at, entry.actor, entry.action, entry.subject,
                     entry.feature, entry.details, entry.hash().hex())  # fmt: skip


def takes_something(entry: Entry) -> bool:
    """Whether a narrowing can take anything: a first consent to a client has nothing to take from."""
    return entry.action != Action.CONSENT_APPROVED or bool(entry.details.get("renewed", True))


@dataclass(slots=True)
class Records:
    """What some ledgers hold about one database.

    ``narrowings`` leaves out what another line at the same place in the log, one that was seen committed, shows to be
    a commit that never was. ``names`` wrote here, ``heard_of`` are those that they knew of.
    """

    narrowings: list[Narrowing] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    heard_of: set[str] = field(default_factory=set)
    cut_before: dict[str, Instant] = field(default_factory=dict)
    unreadable: int = 0
    mark: Mark = NOTHING


class Ledger:
    """One directory, shared by all processes of a machine that serve a database; safe to use in many threads."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.below: str | None = None
        """Why this process may serve nothing; None while it may."""
        self._threads = threading.Lock()

    def attempted(self, narrowings: Iterable[Narrowing]) -> None:
        """Note what is about to be committed; on the disk when this returns, else ``Undecided``."""
        self._append([{"kind": "narrowing", "seen": "attempted", **asdict(each)} for each in narrowings])

    def committed(self, narrowings: Iterable[Narrowing]) -> None:
        """Note that a commit is known, and raise the mark to it."""
        self._append([_place(each) for each in narrowings], durably=False)  # a lost one leaves an attempt in doubt
        self._raise_mark(narrowings)

    def heard(self, narrowings: Iterable[Narrowing]) -> None:
        """Note what another has committed, and raise the mark to it.

        Of several processes that hear of it one writes it down: the others find it on the disk.
        """
        narrowings = list(narrowings)
        for database in {each.database for each in narrowings}:
            with self._locked():
                tail = files.tail(self._file(database))
            fresh = [each for each in narrowings if each.database == database and _end_of(each) not in tail]
            self._append([{"kind": "narrowing", "seen": "committed", **asdict(each)} for each in fresh])
        self._append([_place(each) for each in narrowings], durably=False)
        self._raise_mark(narrowings)

    def present(self, database: int, name: str, others: Iterable[str], at: Instant) -> None:
        """Note that a process with this name writes here, and which others it knows of."""
        self._append([{"kind": "present", "database": database, "name": name, "others": sorted(others), "at": at}])

    # --- the mark -----------------------------------------------------------------------------------------------------

    def mark(self, database: int) -> Mark:
        """The highest place in a database's log that was seen committed; (0, 0) if none was."""
        return mark_in(self.directory, database)

    def raise_mark(self, database: int, seen: Mark) -> None:
        """Raise the mark to a place that was seen committed; it never falls. ``Undecided`` if that cannot be kept."""
        with self._locked():
            if seen > self.mark(database):
                file, line = self.directory / f"{database}.mark", _line(seen._asdict())
                if file.exists() and file.stat().st_size < files.TAIL:
                    files.append(file, line, durably=True)  # half the time of another file in its place
                else:
                    files.write_whole(file, line)

    def _raise_mark(self, narrowings: Iterable[Narrowing]) -> None:
        for database, seen in {each.database: each.mark for each in narrowings}.items():
            self.raise_mark(database, seen)

    # --- a restore ----------------------------------------------------------------------------------------------------

    def note_restore(self, database: int) -> None:
        """Note that a backup takes the database's place, whatever the mark says; before it does."""
        with self._locked():
            files.write_whole(self._restored(database), b"")

    def restore_is_over(self, database: int) -> None:
        """Note that the restored database was recovered."""
        self._restored(database).unlink(missing_ok=True)

    def was_restored(self, database: int) -> bool:
        """Whether a backup was put in place and not recovered yet."""
        return self._restored(database).exists()

    def _restored(self, database: int) -> Path:
        return self.directory / f"{database}.restored"

    # --- the file -----------------------------------------------------------------------------------------------------

    def _file(self, database: int) -> Path:
        return self.directory / f"{database}.ledger"

    def compact(self, database: int, now: Instant) -> bool:
        """Drop what is older than what is kept, if the file has grown; whether it did. Who wrote here stays known."""
        file = self._file(database)
        if not file.exists() or file.stat().st_size < _COMPACTED_FROM:
            return False
        with self._locked():
            kept = [_kept(line, now - KEPT_US) for line in file.read_bytes().splitlines()]
            cut = {"kind": "cut", "database": database, "before": now - KEPT_US, "at": now}
            files.write_whole(file, _line(cut) + b"".join(kept))
        return True

    def _append(self, records: list[dict[str, Any]], *, durably: bool = True) -> None:
        """A crash may have torn the last line; then this begins a new one."""
        with self._locked():
            for database in {record["database"] for record in records}:
                lines = b"".join(_line(record) for record in records if record["database"] == database)
                files.append(self._file(database), lines, durably=durably)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One at a time, of all processes; a frozen one makes others give up and say so."""
        deadline = time.monotonic() + _WAIT_S
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._threads, (self.directory / "lock").open("ab") as lock:
                while not _taken(lock.fileno()):
                    if time.monotonic() >= deadline:
                        raise Undecided("another process holds the ledger's lock")
                    time.sleep(0.001)
                yield
        except OSError as error:
            raise Undecided(f"the ledger cannot be written: {error.strerror}") from error


def _taken(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=True).encode("ascii") + b"\n"


def _end_of(narrowing: Narrowing) -> bytes:
    """How its line ends, if it is whole."""
    return _line({"hash": narrowing.hash}).removeprefix(b"{")


def _place(narrowing: Narrowing) -> dict[str, Any]:
    return {"kind": "committed", "database": narrowing.database, "generation": narrowing.generation,
            "position": narrowing.position, "hash": narrowing.hash, "at": narrowing.at}  # fmt: skip


# --- reading ----------------------------------------------------------------------------------------------------------


def mark_in(directory: Path, database: int) -> Mark:
    """The mark that a directory keeps of a database; ``Refused`` if it cannot be read."""
    file = directory / f"{database}.mark"
    lines = files.tail(file).splitlines()
    for line in reversed(lines):  # a crash may have torn the last
        with suppress(ValueError, TypeError):
            return Mark(**json.loads(line))
    if lines:
        raise Refused(f"the high-water mark {file} cannot be read")
    return NOTHING


def read(directories: Iterable[Path], database: int) -> Records:
    """What the ledgers in these directories hold of a database, narrowings in the order of the log."""
    found = Records()
    attempted: dict[str, Narrowing] = {}
    committed: dict[Mark, str] = {}
    for directory in directories:
        found.mark = max(found.mark, mark_in(directory, database))
        file = directory / f"{database}.ledger"
        for line in file.read_bytes().splitlines() if file.exists() else []:
            try:
                _take(json.loads(line), str(directory), found, attempted, committed)
            except (ValueError, KeyError, TypeError):
                found.unreadable += bool(line)
    real = (each for each in attempted.values() if committed.get(each.mark, each.hash) == each.hash)
    found.narrowings = sorted(real, key=lambda each: each.mark)
    return found


def _take(
    record: dict[str, Any], directory: str, found: Records, attempted: dict[str, Narrowing], committed: dict[Mark, str]
) -> None:
    kind = record.pop("kind")
    if kind == "narrowing":
        seen = record.pop("seen")
        one = Narrowing(**record)
        attempted[one.hash] = one
        if seen == "committed":
            committed[one.mark] = one.hash
    elif kind == "committed":
        committed[Mark(record["generation"], record["position"])] = record["hash"]
    elif kind == "present":
        found.names.add(record["name"])
        found.heard_of.update(record["others"])
    elif kind == "cut":
        found.cut_before[directory] = record["before"]


def _kept(line: bytes, since: Instant) -> bytes:
    """What stays of a line; nothing of one that is older or cannot be read."""
    try:
        record = json.loads(line)
        if record["at"] >= since:
            return line + b"\n"
        return _line(record | {"others": []}) if record["kind"] == "present" else b""
    except (ValueError, KeyError, TypeError):
        return b""
