"""One seed's world: processes, people who ask, operators who narrow, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from broker.domain.audit import Action
from broker.domain.errors import BrokerError, Conflict, Undecided
from broker.domain.features import FeatureState
from broker.enforcement.memory import Seen
from broker.enforcement.node import Admission
from broker.operations import nodes, shutdowns
from broker.operations.register import ending
from broker.store.evidence import shutdowns as stored_shutdowns
from broker.store.register import features
from tests.simulation.checking import Checker, Flight
from tests.simulation.database import EPOCH, FeatureRow, GrantRow, Server, Transaction
from tests.simulation.processes import (
    OwnFeed,
    RemoteFeed,
    SimMemory,
    SimNode,
    SimRuntime,
    read_afar,
    read_here,
    renewing,
)
from tests.simulation.scheduler import Process, Scheduler

FEATURES = ("share-a-track", "clip-to-chat")
NEEDED = frozenset({"messages:write"})
LASTS = 9_000_000
_LEASES = (400_000, 1_000_000, 1_000_000, 3_000_000)
_DOING = ("shut_down", "shut_down", "shut_down", "again", "reopen", "reopen", "suspend", "end_grant", "end_grant",
          "recover", "retire")  # fmt: skip
_RATES = (0.99, 0.99, 0.996, 1.0, 1.004, 1.01, 1.01)


class World:
    """Everything of one run; ``play`` runs it to its end, or to the first broken promise."""

    def __init__(self, seed: int, *, traced: bool = False) -> None:
        self.scheduler = Scheduler(seed, traced=traced)
        self.random = self.scheduler.random
        self.server = Server(self.scheduler)
        self.checker = Checker(self.server)
        self.server.on_commit = self.checker.committed
        self.scheduler.after_step = self.checker.step
        self.runtimes: list[SimRuntime] = []
        self.processes: list[Process] = []
        self.grants: list[int] = []
        self.known_ops: list[tuple[str, str]] = []
        for name in FEATURES:
            self.server.rows["feature", name] = FeatureRow("active", 0)
            self._issue(name, 0)
            self._issue(name, 0)

    # --- processes ----------------------------------------------------------------------------------------------------

    def _process(self, name: str) -> Process:
        found = Process(name, self.random.choice(_RATES), self.random.randrange(10**9))
        self.processes.append(found)
        return found

    def _alive(self) -> list[SimRuntime]:
        return [each for each in self.runtimes if each.process.alive]

    def _memory(self) -> SimMemory:
        tiny = self.random.random() < 0.5
        return SimMemory(self.scheduler, decisions=2 if tiny else 100, marks=2 if tiny else 100)

    def start_worker(self) -> None:
        """A worker of the broker: a leased node, and the operations."""
        process, lease = self._process(f"worker{len(self.processes)}"), self.random.choice(_LEASES)
        runtime = SimRuntime(process, self.scheduler, self.checker)
        feed = OwnFeed(runtime, lease)
        node = SimNode(process, feed, self.scheduler, self._memory(), lease)
        object.__setattr__(feed, "names", node.names)
        self.runtimes.append(runtime)
        self._start(node, lease, lambda hash: read_here(runtime, node, hash))
        self.scheduler.spawn(process, lambda: self._housekeeping(runtime), 300_000)

    def start_elsewhere(self) -> None:
        """A resource server in another process."""
        process, lease = self._process(f"elsewhere{len(self.processes)}"), self.random.choice(_LEASES)
        feed = RemoteFeed(self.scheduler, lease, self._alive)
        node = SimNode(process, feed, self.scheduler, self._memory(), lease)
        feed.names = node.names
        self._start(node, lease, lambda hash: read_afar(feed, node, hash))

    def _start(self, node: SimNode, lease: int, read: Callable[[bytes], Seen | None]) -> None:
        node.process.node = node  # type: ignore[attr-defined]
        self.checker.nodes.append(node)
        self.scheduler.spawn(node.process, lambda: renewing(node, self.scheduler, lease))
        for _ in range(2):
            self.scheduler.spawn(node.process, lambda: self._requests(node, read), self.random.randrange(200_000))

    def _housekeeping(self, runtime: SimRuntime) -> None:
        keeping = nodes.Housekeeping(runtime)
        while True:
            self.scheduler.sleep(self.random.randrange(400_000, 1_200_000))
            try:
                self.scheduler.happened["forgotten"] += keeping.once()
                self._complete(runtime)
            except BrokerError:
                self.scheduler.happened["housekeeping failed"] += 1

    def _complete(self, runtime: SimRuntime) -> None:
        """Finish what a crash has left; counting is not part of this world, so it is said to be done."""
        with runtime.read() as context:
            found = [each for each in context.transaction.all("shutdown") if each.counted_at is None]  # type: ignore[attr-defined]
        for each in found:
            if each.effective_at is None:
                self.scheduler.say(f"finishes {each.op_id}", "finished by another")
            self._receipt(runtime, each.op_id, each.feature_id, each.epoch)

    def _receipt(self, runtime: SimRuntime, op_id: str, feature: str, epoch: int) -> None:
        shutdowns.finish(runtime, op_id, count=False)
        with runtime.write("broker") as context:
            stored_shutdowns.set_counts(context.transaction, op_id, context.now, "{}")
        self.checker.shut_down(feature, epoch)

    # --- requests -----------------------------------------------------------------------------------------------------

    def _requests(self, node: SimNode, read: Callable[[bytes], Seen | None]) -> None:
        while True:
            self.scheduler.sleep(self.random.randrange(1_000, 260_000))
            grant = self.random.choice(self.grants)
            promised, hash = self.checker.invoked(grant), grant.to_bytes(32, "big")
            try:
                admission = node.admit(hash, NEEDED, lambda hash=hash: read(hash))  # type: ignore[misc]
            except Undecided:
                self.scheduler.happened["undecided"] += 1
                continue
            self.scheduler.happened[type(admission.decision).__name__] += 1
            self.checker.admitted(node, grant, admission, promised)
            if admission.counted:
                self._answer(node, admission)

    def _answer(self, node: SimNode, admission: Admission) -> None:
        self.checker.flights[admission] = Flight(node, admission.position, admission.marks)
        long = self.random.random() < 0.06
        try:
            self.scheduler.sleep(self.random.randrange(200_000, 3_000_000) if long else self.random.randrange(8_000))
            admission.recheck()
            self.scheduler.give_way()
        except Undecided:
            self.scheduler.happened["lease ended before the answer"] += 1
        finally:
            del self.checker.flights[admission]
            admission.done()

    # --- operators ----------------------------------------------------------------------------------------------------

    def _issue(self, feature: str, epoch: int) -> None:
        number = len(self.grants) + 1
        short = self.random.random() < 0.3
        lasts = self.random.randrange(500_000, 6_000_000) if short else 10**12
        self.server.rows["grant", number] = GrantRow(feature, epoch, EPOCH + self.scheduler.now + lasts)
        self.grants.append(number)

    def shut_down(self, runtime: SimRuntime, feature: str, op_id: str) -> None:
        """Shut down as an operator does who asks again under the same name until there is an answer."""
        row, since = self.server.rows["feature", feature], self.server.rows["head", 1].position
        known = self.server.rows.get(("shutdown", op_id))
        receipt = shutdowns.shut_down(runtime, "operator:ops", feature, op_id=op_id, count=False)
        self.scheduler.happened["asked again"] += known is not None
        reopened = known is not None and row.state != "shut_down" and known.epoch <= row.epoch
        if reopened and receipt["op_id"] == op_id:
            self.checker.fail(f"{op_id} gives its old receipt for {feature}, which was reopened")
        epoch = receipt["epoch"]
        assert isinstance(epoch, int)
        self.checker.shut_down(feature, epoch)
        self.scheduler.say(f"{feature} is shut down at {epoch}, begun at {since}", "shutdown returned")

    def reopen(self, runtime: SimRuntime, feature: str) -> None:
        """Reopen, which needs the receipt, and give new permissions."""
        with runtime.write("operator:ops") as context:
            ending.require_receipt(context, feature)
            row = context.transaction.get("feature", feature)  # type: ignore[attr-defined]
            shut, active = FeatureState.SHUT_DOWN, FeatureState.ACTIVE
            if not features.set_state(context.transaction, feature, row.epoch, shut, active):
                raise Conflict("it is not shut down")
            context.record(Action.FEATURE_REOPENED, f"feature:{feature}", feature=feature)
        self.scheduler.say(f"{feature} is reopened", "reopened")
        for _ in range(2):
            self._issue(feature, row.epoch)

    def suspend(self, runtime: SimRuntime, feature: str) -> None:
        """Suspend for a while, unless it is not active."""
        if self._change(runtime, feature, FeatureState.ACTIVE, FeatureState.SUSPENDED, Action.FEATURE_SUSPENDED):
            self.checker.suspended(feature, self.server.rows["head", 1].position)
            self.scheduler.say(f"{feature} is suspended", "suspended")
        self.scheduler.sleep(self.random.randrange(200_000, 2_000_000))
        self._change(runtime, feature, FeatureState.SUSPENDED, FeatureState.ACTIVE, Action.FEATURE_RESUMED)

    def _change(
        self, runtime: SimRuntime, feature: str, before: FeatureState, after: FeatureState, action: Action
    ) -> bool:  # fmt: skip
        with runtime.write("operator:ops") as context:
            row = context.transaction.get("feature", feature)  # type: ignore[attr-defined]
            if not features.set_state(context.transaction, feature, row.epoch, before, after):
                return False
            context.record(action, f"feature:{feature}", feature=feature)
        return True

    def end_grant(self, runtime: SimRuntime, grant: int) -> None:
        """End one permission."""
        with runtime.write("user:alice") as context:
            _end(context.transaction, grant, context.now)  # type: ignore[arg-type]
            context.record(Action.GRANT_ENDED, f"grant:{grant}")
        self.checker.grant_ended(grant)
        self.scheduler.say(f"grant {grant} has ended", "grant ended")

    def recover(self, runtime: SimRuntime) -> None:
        """Another generation, in which no older permission stands."""
        over = list(self.grants)
        with runtime.write("operator:ops") as context:
            position = context.record(Action.BROKER_RECOVERED, "broker")
            transaction: Transaction = context.transaction  # type: ignore[assignment]
            head = transaction.get("head", 1)
            transaction.put("head", 1, head._replace(generation=head.generation + 1))
            for each in over:
                _end(transaction, each, context.now)
        self.checker.grant_ended(*over)
        self.scheduler.say(f"another generation at {position}", "recovered")

    def retire(self, runtime: SimRuntime) -> None:
        """Retire some node by hand."""
        names = sorted(key for table, key in self.server.rows if table == "node")
        if names:
            with runtime.write("operator:ops") as context:
                nodes.retire(context, self.random.choice(names))
            self.scheduler.say("a node is retired", "retired by hand")

    def _operator(self, at: int, what: str, feature: str) -> None:
        """Do one thing at some time, at some worker; ask again elsewhere if it fails or dies."""
        op_id = f"{feature}-{at}"
        if what == "again" and self.known_ops:
            op_id, feature = self.random.choice(self.known_ops)
        if what == "shut_down":
            self.known_ops.append((op_id, feature))
        grant = self.random.choice(self.grants)
        acts: dict[str, Callable[[SimRuntime], None]] = {
            "shut_down": lambda r: self.shut_down(r, feature, op_id),
            "again": lambda r: self.shut_down(r, feature, op_id),
            "reopen": lambda r: self.reopen(r, feature), "suspend": lambda r: self.suspend(r, feature),
            "end_grant": lambda r: self.end_grant(r, grant), "recover": self.recover, "retire": self.retire,
        }  # fmt: skip
        self._ask(acts[what], what, 3)

    def _ask(self, act: Callable[[SimRuntime], None], what: str, tries: int) -> None:
        alive = self._alive()
        if not alive or not tries:
            return
        runtime = self.random.choice(alive)

        def task() -> None:
            self.scheduler.say(what)
            try:
                act(runtime)
            except Undecided:
                self.scheduler.happened[f"{what} unknown"] += 1
                self._ask(act, what, tries - 1)
            except BrokerError as error:
                self.scheduler.say(f"{what}: {error}", f"{what} refused")

        self.scheduler.spawn(runtime.process, task)

    # --- what goes wrong ----------------------------------------------------------------------------------------------

    def _fault(self) -> None:
        process = self.random.choice([each for each in self.processes if each.alive] or [Process("nobody")])
        lasts = self.random.choice((50_000, 400_000, 1_500_000, 4_000_000))
        match self.random.choice(("stop", "requests", "replies", "crash", "crash_soon", "both")):
            case "stop":
                self.scheduler.say(f"{process.name} is stopped for {lasts}", "stopped")
                process.stopped_until = self.scheduler.now + lasts
                process.stopped_us += lasts
            case "requests":
                process.loses_requests_until = self.scheduler.now + lasts
            case "replies":
                process.loses_replies_until = self.scheduler.now + lasts
            case "both":
                process.loses_requests_until = process.loses_replies_until = self.scheduler.now + lasts
            case "crash" | "crash_soon":
                process.crash_after = self.random.randrange(1, 60)
                self.scheduler.spawn(self._world, self.start_worker, self.random.randrange(100_000, 1_500_000))

    def play(self) -> World:
        """Run; raises ``Violation``."""
        self._world = Process("world")
        for _ in range(self.random.randrange(1, 3)):
            self.start_worker()
        for _ in range(self.random.randrange(0, 3)):
            self.start_elsewhere()
        for _ in range(self.random.randrange(2, 8)):
            at, what = self.random.randrange(500_000, LASTS - 2_000_000), self.random.choice(_DOING)
            self.scheduler.spawn(self._world, partial(self._operator, at, what, self.random.choice(FEATURES)), at)
        for _ in range(self.random.randrange(0, 6)):
            self.scheduler.spawn(self._world, self._fault, self.random.randrange(LASTS))
        try:
            self.scheduler.run(LASTS)
        finally:
            self.scheduler.close()
        return self


def _end(transaction: Transaction, grant: int, at: int) -> None:
    transaction.lock("grant", grant)
    row = transaction.get("grant", grant)
    transaction.put("grant", grant, row._replace(ended_at=row.ended_at or at))
