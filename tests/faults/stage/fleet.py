"""Several real brokers on one PostgreSQL, clients that keep asking them, and an operator who shuts features down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from broker.operations.people import accounts
from broker.operations.shutdowns import receipt
from broker.settings import load
from broker.store.evidence import shutdowns
from broker.store.revocations import nodes
from broker.web.runtime import ticks
from tests.concurrency import in_thread
from tests.faults.stage import history
from tests.faults.stage.history import Call, Returned
from tests.faults.stage.launcher import BUILD
from tests.faults.stage.steps import DIRECTORY, LIMIT_S, Steps
from tests.faults.stage.traffic import Caller, Visitor, orders
from tests.serving import ROOT, Served, environment, serve
from tests.visitors import configuration
from tests.world import Clock, Connection, World

FEATURE, CLIENT = "recommend-a-show", "reelwise-recommend"
OTHER_FEATURE, OTHER_CLIENT = "share-a-track", "tuneloop-share"
_FEATURES = {CLIENT: FEATURE, OTHER_CLIENT: OTHER_FEATURE}
_LAUNCHER = (sys.executable, "-m", "tests.faults.stage.launcher")


def write_config(directory: Path, lease: str, *, idle: str = "10s") -> Path:
    """A configuration whose workers check reads from memory under such a lease."""
    main = configuration.write(
        directory / "config", database={"idle_in_transaction_timeout": idle},
        enforcement={"mode": "leased", "lease": lease},
    )  # fmt: skip
    main.write_text(f"state_dir = {json.dumps(str(directory / 'state'))}\n{main.read_text()}")
    return main


class Now(Clock):
    """The real time."""

    def __call__(self) -> int:
        return time.time_ns() // 1000


class Register(World):
    """The fleet's database as this process sees it, with the real clock and the fleet's own settings."""

    def __init__(self, url: str, directory: Path, config: Path) -> None:
        super().__init__(url, directory, clock=Now())
        settings = load(config, {})
        self.runtime = replace(self.runtime, settings=settings, ticks=ticks, randomness=os.urandom)


@dataclass(frozen=True)
class Broker:
    """One of the fleet: its processes, its steps, and its name in the history."""

    name: str
    served: Served
    steps: Steps

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.served.url

    def workers(self) -> tuple[int, ...]:
        """The processes that serve."""
        return self.served.workers()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """SIGSTOP for its workers, and SIGCONT in the end."""
        stopped = self.workers()
        for process in stopped:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in stopped:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)


@dataclass
class Traffic:
    """Client processes that keep asking, each with its file."""

    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def calls(self) -> list[Call]:
        """All that has returned so far."""
        return history.read(file for file in self.files if file.exists())

    def wait_for(self, kind: str, node: str, least: int, *, after: int = 0, ok: bool = True) -> None:
        """Wait until so many calls of a kind have returned from a node, of those that were invoked after an instant."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            found = sum(
                (call.ok or not ok) and call.status > 0 and (call.kind, call.node) == (kind, node)
                and call.invoked > after for call in self.calls()
            )  # fmt: skip
            if found >= least:
                return
            assert time.monotonic() < deadline, f"{found} calls of {kind} on {node}, not {least}"
            time.sleep(0.1)

    def stop(self) -> list[Call]:
        """Let everybody finish; all calls."""
        for process in self.processes:
            if process.stdin is not None:
                process.stdin.close()
        for process in self.processes:
            assert process.wait(LIMIT_S) == 0, "a client process has failed"
        return self.calls()

    def end(self) -> None:
        """See that no process is left."""
        for process in self.processes:
            if process.stdin is not None:
                process.stdin.close()
            process.kill()
            process.wait()


class Fleet:
    """Brokers by name, and what visitors and operators need of them."""

    def __init__(self, register: Register, brokers: Mapping[str, Broker]) -> None:
        self.register, self.brokers = register, brokers
        self.traffic = Traffic()
        self.asked: list[Call] = []
        with register.write("cli") as context:
            self._operator, _ = accounts.issue_operator_token(context, "ops", "operate")
        self._threads: dict[str, str] = {}

    def __getitem__(self, name: str) -> Broker:
        return self.brokers[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The brokers' names."""
        return tuple(self.brokers)

    # --- visitors ---------------------------------------------------------------------------------------------------

    def connect(self, person: str, client_id: str = CLIENT) -> Connection:
        """A person connects an app; what it holds."""
        return self.register.connect(person, client_id)

    def visitor(self, kind: str, node: str, held: Connection) -> Visitor:
        """Somebody who uses what was held at a node."""
        visitor = Visitor(kind, node, self[node].url, _FEATURES[held.client_id], held.client_id, held.person,
                          held.access, held.refresh)  # fmt: skip
        return replace(visitor, thread=self._thread(visitor)) if kind in ("read", "write") else visitor

    def _thread(self, visitor: Visitor) -> str:
        if visitor.client_id + visitor.person not in self._threads:
            where = urlsplit(next(iter(self.brokers.values())).url)
            connection = HTTPConnection(where.hostname or "", where.port, timeout=LIMIT_S)
            connection.request("GET", "/api/threads", headers={"Authorization": f"Bearer {visitor.token}"})
            body = connection.getresponse().read()
            connection.close()
            self._threads[visitor.client_id + visitor.person] = json.loads(body)["threads"][0]["id"]
        return self._threads[visitor.client_id + visitor.person]

    def start_traffic(self, directory: Path, *visitors: Visitor, processes: int = 1) -> Traffic:
        """Let visitors ask on and on, from several processes."""
        for number in range(processes):
            file = directory / f"history-{len(self.traffic.files)}.jsonl"
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.stage.traffic", str(file)], cwd=ROOT, env=environment(),
                stdin=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert process.stdin is not None
            process.stdin.write(orders(list(visitors[number::processes])))
            process.stdin.flush()
            self.traffic.processes.append(process)
            self.traffic.files.append(file)
        return self.traffic

    def ask(self, visitor: Visitor, times: int = 1) -> list[Call]:
        """Ask so often, on a new connection; noted in the history."""
        caller = Caller(visitor)
        calls = [caller.call() for _ in range(times)]
        caller.close()
        self.asked += calls
        return calls

    def until_ok(self, visitor: Visitor) -> int:
        """Ask until there is a yes; when that was."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            call = self.ask(visitor)[0]
            if call.ok:
                return call.returned
            assert time.monotonic() < deadline, f"never a yes: {call}"
            time.sleep(0.05)

    def asking(self, visitor: Visitor, number: int = 1) -> list[Future[list[Call]]]:
        """Ask once each in so many threads of their own."""
        return [in_thread(lambda: self.ask(visitor)) for _ in range(number)]

    def readers_and_writers(self, directory: Path, writers: str | None = None) -> Visitor:
        """Traffic that reads and writes on every node, and went through; and a reader of the last node beside it.

        ``writers``: only these write. A node that is frozen in the middle of a write makes a shutdown fail, rightly.
        """
        written = self.names if writers is None else [each for each in self.names if each in writers]
        alice, bob = self.connect("alice"), self.connect("bob")
        asked = [("read", name) for name in self.names] + [("write", name) for name in written]
        self.start_traffic(directory, *(self.visitor(kind, name, alice) for kind, name in asked))
        reader = self.visitor("read", self.names[-1], bob)
        assert self.ask(reader)[0].ok, "whoever is to be refused was admitted before"
        for kind, name in asked:
            self.traffic.wait_for(kind, name, 10)
        return reader

    # --- operators --------------------------------------------------------------------------------------------------

    def shut_down(self, node: str, feature: str = FEATURE, op_id: str | None = None) -> Returned:
        """An operator shuts a feature down through a node; status 0 if there is no answer."""
        body = json.dumps({} if op_id is None else {"op_id": op_id})
        path = f"/admin/api/features/{feature}/shut-down"
        return self._operate(node, "POST", path, feature, body)

    def shut_down_at_last(self, node: str, feature: str = FEATURE) -> Returned:
        """The same, asked again while the answer is 503: whoever is frozen inside a transaction holds its locks."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            returned = self.shut_down(node, feature)
            if returned.status != 503 or time.monotonic() > deadline:
                return returned

    def shutting_down(self, node: str, feature: str = FEATURE, op_id: str | None = None) -> Future[Returned]:
        """The same, in a thread of its own."""
        return in_thread(lambda: self.shut_down(node, feature, op_id))

    def wait_for_live_nodes(self, number: int) -> None:
        """Wait until so many processes may renew: none that was waited out, and whoever came instead."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            with self.register.read() as context:
                live = [each for each in nodes.all(context.transaction) if each.state == "live"]
            if len(live) >= number:
                return
            assert time.monotonic() < deadline, f"{len(live)} live nodes, not {number}"
            time.sleep(0.05)

    def finished(self, feature: str = FEATURE) -> Returned:
        """Wait until somebody has finished a feature's newest shutdown, without asking anybody to."""
        invoked, deadline = history.now(), time.monotonic() + LIMIT_S
        while True:
            with self.register.read() as context:
                latest = shutdowns.latest(context.transaction, feature)
            if latest is not None and latest.counted_at is not None:
                return Returned(feature, 200, receipt(latest), invoked, history.now(), time.time())
            assert time.monotonic() < deadline, "nobody finishes the shutdown"
            time.sleep(0.01)

    def _operate(self, node: str, method: str, path: str, feature: str, body: str | None) -> Returned:
        where = urlsplit(self[node].url)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=LIMIT_S)
        headers = {"Authorization": f"Bearer {self._operator}", "Content-Type": "application/json"}
        invoked = history.now()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
        except (OSError, HTTPException):
            status, text = 0, b"{}"
        at, wall = history.now(), time.time()
        connection.close()
        return Returned(feature, status, json.loads(text), invoked, at, wall)

    def judge(self, *shutdowns: Returned, kinds: Sequence[str] = ("read", "write"), nodes: str = "") -> list[Call]:
        """Judge the history by each shutdown that has returned, once it is long enough to prove something; the history.

        ``nodes`` are those that the traffic asks, if it is not all.
        """
        names = nodes or self.names
        for shutdown in shutdowns:
            for name in names:
                for kind in kinds:
                    self.traffic.wait_for(kind, name, 3, after=shutdown.at, ok=False)
        calls = self.traffic.stop() + self.asked
        for shutdown in shutdowns:
            history.judge(calls, shutdown, self.register.url)
            history.require_traffic(calls, shutdown, *kinds, nodes=names)
        self.register.verify_audit()
        return calls


@contextmanager
def launched(
    register: Register, config: Path, urls: Mapping[str, str], directory: Path, *,
    build: str | None = None, workers: int = 1,
) -> Iterator[Fleet]:  # fmt: skip
    """Start one broker for each name, on its own URL of the database; ``build``: broken in this way."""
    steps = {name: Steps(directory / f"steps-{name}") for name in urls}
    for each in steps.values():
        each.directory.mkdir()

    def starting(name: str) -> Callable[[ExitStack], Served]:
        env = {DIRECTORY: str(steps[name].directory)} | ({} if build is None else {BUILD: build})
        return lambda stack: stack.enter_context(
            serve(urls[name], config, workers=workers, env=env, preparing=_LAUNCHER)
        )

    with ExitStack() as stack:
        stacks = [stack.enter_context(ExitStack()) for _ in urls]
        with ThreadPoolExecutor(len(urls)) as pool:
            served = [pool.submit(starting(name), each) for name, each in zip(urls, stacks, strict=True)]
        brokers = {name: Broker(name, each.result(), steps[name]) for name, each in zip(urls, served, strict=True)}
        fleet = Fleet(register, brokers)
        stack.callback(fleet.traffic.end)
        yield fleet
