"""The tables that nodes and the coordinator use, in memory, with PostgreSQL's rules of what a statement sees.

A statement of the store is answered by the function that stands for it here; everything above statements is the real
code. A write transaction is READ COMMITTED, takes row locks, and is seen whole when it commits; a read transaction sees
one snapshot. Each statement is a journey to the server and back, and each journey may be slow or never end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from broker.domain.decisions import Standing
from broker.domain.errors import Undecided
from broker.store import clock, deployment, standing
from broker.store import schema as s
from broker.store.engine.statements import Statement
from broker.store.evidence import audit, shutdowns
from broker.store.evidence.shutdowns import Shutdown
from broker.store.register import features
from broker.store.revocations import events, nodes
from broker.store.revocations.nodes import Node
from tests.domain.test_decisions import SOUND
from tests.simulation.scheduler import Scheduler

Row = tuple[Any, ...]
Key = tuple[str, Any]
Rows = list[Row]
EPOCH = 1_800_000_000_000_000
_LOCK_TIMEOUT, _TIMEOUT = 5_000_000, 1_000_000
_FAR = EPOCH * 2


class FeatureRow(NamedTuple):
    """What changes of a feature."""

    state: str
    epoch: int
    shut_down_at: int | None = None


class GrantRow(NamedTuple):
    """A grant with its one token."""

    feature: str
    epoch: int
    expires_at: int
    ended_at: int | None = None


class Head(NamedTuple):
    """The audit log's head."""

    position: int
    hash: bytes
    generation: int


class Server:
    """What has been committed; ``on_commit`` hears of each key's new row, in the step that commits it."""

    renews_retired = False  # broken on purpose: a renewal does not look at its own row's state

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.rows: dict[Key, Any] = {("head", 1): Head(0, bytes(32), 1)}
        self.locks: dict[Key, Transaction] = {}
        self.on_commit: Callable[[Mapping[Key, Any]], None] = lambda _: None

    def instant(self) -> int:
        return EPOCH + self.scheduler.now


class Transaction:
    """One transaction, as the store's functions use it."""

    def __init__(self, database: Database, kind: str) -> None:
        self.database, self.kind = database, kind
        self.server: Server = database.server
        self.narrowed_at: int | None = None
        self.narrowings: list[Any] = []
        self.written: dict[Key, Any] = {}
        self._snapshot: dict[Key, Any] | None = None

    def rows(self, statement: Statement, /, **values: Any) -> Rows:
        found = self._run(statement, values)
        assert isinstance(found, list)
        return found

    def row(self, statement: Statement, /, **values: Any) -> Row | None:
        found = self.rows(statement, **values)
        return found[0] if found else None

    def run(self, statement: Statement, /, **values: Any) -> int:
        found = self._run(statement, values)
        assert isinstance(found, int)
        return found

    def _run(self, statement: Statement, values: dict[str, Any]) -> Rows | int:
        self.database.travel("request")
        if self.kind == "read" and self._snapshot is None:
            self._snapshot = dict(self.server.rows)
        found = _ANSWERS[statement](self, values)
        self.database.travel("reply")
        return found

    def get(self, table: str, key: Any) -> Any:
        """A row as this statement sees it, or None."""
        if (table, key) in self.written:
            return self.written[table, key]
        return (self.server.rows if self._snapshot is None else self._snapshot).get((table, key))

    def all(self, table: str) -> list[Any]:
        """Every row of a table as this statement sees it."""
        seen = self.server.rows if self._snapshot is None else self._snapshot
        if self.written:
            seen = {**seen, **self.written}
        return [row for (of, _), row in seen.items() if of == table and row is not None]

    def lock(self, table: str, key: Any) -> None:
        """Wait for a row, and keep it until the end."""
        locks, scheduler = self.server.locks, self.server.scheduler
        given_up = scheduler.now + _LOCK_TIMEOUT
        while locks.setdefault((table, key), self) is not self:
            scheduler.happened["waited for a lock"] += 1
            if scheduler.now > given_up:
                raise Undecided("a lock is not free")
            scheduler.sleep(scheduler.random.randrange(200, 3000))

    def put(self, table: str, key: Any, row: Any) -> None:
        """Write a row; None deletes it."""
        self.written[table, key] = row

    def end(self, *, commit: bool) -> None:
        """Commit or not; either way the locks are free."""
        if commit and self.written:
            for key, row in self.written.items():
                if row is None:
                    self.server.rows.pop(key, None)
                else:
                    self.server.rows[key] = row
            self.server.on_commit(self.written)
        for key in [key for key, holder in self.server.locks.items() if holder is self]:
            del self.server.locks[key]


class Database:
    """One process's way to the server."""

    is_sqlite = False
    ledger = None

    def __init__(self, server: Server) -> None:
        self.server: Server = server

    def instant(self) -> int:
        return self.server.instant()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        yield Transaction(self, "read")

    @contextmanager
    def single(self) -> Iterator[Transaction]:
        yield Transaction(self, "single")

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        transaction = Transaction(self, "write")
        try:
            yield transaction
            self.travel("request")
        except BaseException:
            transaction.end(commit=False)
            raise
        transaction.end(commit=True)
        self.travel("reply", "lost commit reply")

    def travel(self, way: str, lost: str = "") -> None:
        """One way to the server or back."""
        scheduler, process = self.server.scheduler, self.server.scheduler.process
        slow = scheduler.random.random()
        if slow < 0.01:
            scheduler.happened["slow journey"] += 1
            scheduler.sleep(scheduler.random.randrange(20_000, 900_000))
        elif slow < 0.35:
            scheduler.sleep(scheduler.random.randrange(100, 3000))
        until = process.loses_requests_until if way == "request" else process.loses_replies_until
        if until > scheduler.now:
            scheduler.say(f"{way} lost", lost or f"lost {way}")
            scheduler.sleep(_TIMEOUT)
            raise Undecided(f"the {way} was lost")


Answer = Callable[[Transaction, dict[str, Any]], "Rows | int"]


def _node_row(node: Node) -> Row:
    return tuple(getattr(node, name) for name in Node.__slots__)


def _add_node(t: Transaction, values: dict[str, Any]) -> int:
    node = Node(**{name: values[name] for name in Node.__slots__})
    t.put("node", node.id, node)
    t.put("handle", values["handle"], node.id)
    return 1


def _renew(t: Transaction, values: dict[str, Any]) -> Rows:
    node_id = t.get("handle", values["secret"])
    if node_id is None or t.get("node", node_id) is None:
        return []
    t.lock("node", node_id)
    node: Node | None = t.get("node", node_id)
    if node is None or (node.state != "live" and not t.server.renews_retired):
        return []
    confirmed = max(node.confirmed, values["up_to"]) if values["up_to"] <= node.sent else node.confirmed
    node = replace(node, confirmed=confirmed, renewed_at=values["at"])
    t.put("node", node_id, node)
    return [_node_row(node)]


def _change_node(t: Transaction, values: dict[str, Any], states: tuple[str, ...], **change: Any) -> int:
    t.lock("node", values["node_id"])
    node = t.get("node", values["node_id"])
    if node is None or node.state not in states:
        return 0
    t.put("node", node.id, replace(node, **change) if change else None)
    return 1


def _leave(t: Transaction, values: dict[str, Any]) -> int:
    node_id = t.get("handle", values["secret"])
    return 0 if node_id is None else _change_node(t, {"node_id": node_id}, ("live", "retiring"))


def _after(t: Transaction, values: dict[str, Any]) -> Rows:
    after, most = values["after"], events.MOST + 1
    head = t.get("head", 1).position
    return [(at, t.get("entry", at)) for at in range(after + 1, min(head, after + most) + 1)]


def _append(t: Transaction, values: dict[str, Any]) -> int:
    t.put("entry", values["position"], values["subject"])
    return 1


def _lock_head(t: Transaction, _: dict[str, Any]) -> Rows:
    t.lock("head", 1)
    head = t.get("head", 1)
    return [(head.position, head.hash, head.generation, 0)]


def _move(t: Transaction, values: dict[str, Any]) -> int:
    t.put("head", 1, t.get("head", 1)._replace(position=values["to"], hash=values["by"]))
    return 1


def _fence(t: Transaction, values: dict[str, Any]) -> Rows:
    t.lock("fence", values["feature_id"])
    return [(None,)]


def _feature(t: Transaction, values: dict[str, Any]) -> Rows:
    row = t.get("feature", values["id"])
    return [(values["id"], "tuneloop", "TuneLoop", "active", values["id"], "", "", row.state, row.epoch, None,
             row.shut_down_at, 3600, "ops")]  # fmt: skip


def _shut_down(t: Transaction, values: dict[str, Any]) -> int:
    t.lock("feature", values["feature_id"])
    row = t.get("feature", values["feature_id"])
    if row.state == "shut_down":
        return 0
    t.put("feature", values["feature_id"], FeatureRow("shut_down", row.epoch + 1, values["at"]))
    return 1


def _feature_state(t: Transaction, values: dict[str, Any]) -> int:
    t.lock("feature", values["feature_id"])
    row = t.get("feature", values["feature_id"])
    if (row.state, row.epoch) != (values["before"], values["at_epoch"]):
        return 0
    t.put("feature", values["feature_id"], row._replace(state=values["after"]))
    return 1


def _shutdown(t: Transaction, op_id: str) -> Rows:
    row = t.get("shutdown", op_id)
    return [] if row is None else [tuple(getattr(row, name) for name in Shutdown.__slots__)]


def _latest(t: Transaction, values: dict[str, Any]) -> Rows:
    of = [row for row in t.all("shutdown") if row.feature_id == values["feature"]]
    return _shutdown(t, max(of, key=lambda row: row.epoch).op_id) if of else []


def _effect(t: Transaction, values: dict[str, Any]) -> int:
    t.lock("shutdown", values["op"])
    row = t.get("shutdown", values["op"])
    if row.effective_at is not None:
        return 0
    t.put("shutdown", row.op_id, replace(row, effective_at=values["at"], elapsed_us=values["us"],
                                         nodes=values["outcomes"]))  # fmt: skip
    return 1


def _count(t: Transaction, values: dict[str, Any]) -> int:
    t.lock("shutdown", values["op"])
    row = t.get("shutdown", values["op"])
    t.put("shutdown", row.op_id, replace(row, counted_at=values["at"], counts=values["result"]))
    return 1


def _add_shutdown(t: Transaction, values: dict[str, Any]) -> int:
    t.put("shutdown", values["op_id"], Shutdown(**values))
    return 1


def _standing(t: Transaction, values: dict[str, Any]) -> Rows:
    grant: GrantRow = t.get("grant", int.from_bytes(values["hash"], "big"))
    feature: FeatureRow = t.get("feature", grant.feature)
    head: Head = t.get("head", 1)
    return [tuple(_SOUND._replace(
        grant_id=int.from_bytes(values["hash"], "big"), feature_id=grant.feature, token_epoch=grant.epoch,
        grant_epoch=grant.epoch, expires_at=grant.expires_at, grant_ended_at=grant.ended_at,
        feature_state=feature.state, feature_epoch=feature.epoch, feature_shut_down_at=feature.shut_down_at,
        now=t.server.instant(), position=head.position, generation=head.generation,
    ))]  # fmt: skip


_SOUND: Standing = SOUND._replace(
    issued_at=EPOCH, grant_expires_at=_FAR, presence_ends_at=_FAR, live_scopes=f"messages:write={_FAR}"
)
_ANSWERS: dict[Statement, Answer] = {
    nodes._ADD: _add_node,
    nodes._ALL: lambda t, _: [_node_row(each) for each in t.all("node")],
    nodes._BEHIND: lambda t, v: [_node_row(each) for each in t.all("node") if each.confirmed < v["position"]],
    nodes._RENEW: _renew,
    nodes._SENT: lambda t, v: _change_node(t, v, ("live", "retiring"), sent=v["up_to"]),
    nodes._RETIRE: lambda t, v: _change_node(t, v, ("live",), state="retiring"),
    nodes._DELETE: lambda t, v: _change_node(t, v, ("retiring",)),
    nodes._LEAVE: _leave,
    events._HEAD: lambda t, _: [(t.get("head", 1).generation, t.get("head", 1).position)],
    events._AFTER: _after,
    events._NOTIFY: lambda _, __: [(None,)],
    audit._LOCK: _lock_head,
    audit._APPEND: _append,
    audit._MOVE: _move,
    deployment._GET: lambda _, __: [],
    clock._NOW: lambda t, _: [(t.server.instant(),)],
    clock._RAISE: lambda _, __: 1,
    standing._EXCLUSIVE: _fence,
    standing._PLAIN[s.access_token]: _standing,
    features._GET: _feature,
    features._CEILING: lambda _, __: [],
    features._SHUT_DOWN: _shut_down,
    features._STATE: _feature_state,
    shutdowns._GET: lambda t, v: _shutdown(t, v["op"]),
    shutdowns._LATEST: _latest,
    shutdowns._ADD: _add_shutdown,
    shutdowns._EFFECT: _effect,
    shutdowns._COUNT: _count,
}
