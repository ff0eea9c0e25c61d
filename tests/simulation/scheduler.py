"""A scheduler with virtual time: every step of every process happens where a seeded random number puts it.

Tasks are greenlets, so the real code runs as it is, and gives way wherever it touches what others touch.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from random import Random

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from broker.domain.instants import Instant


class Crash(BaseException):
    """The process of this task was killed; nothing of it runs any more."""


class Process:
    """One process on a machine of its own: its clock's rate and offset, whether it lives, until when it is stopped."""

    def __init__(self, name: str, rate: float = 1.0, offset: int = 0) -> None:
        self.name, self.rate, self.offset = name, rate, offset
        self.alive = True
        self.stopped_until = 0
        self.stopped_us = 0
        self.loses_requests_until = self.loses_replies_until = 0
        self.crash_after: int | None = None
        """Steps that it still has to live."""


class Scheduler:
    """Runs tasks one at a time; ``now`` is the true time, in microseconds."""

    def __init__(self, seed: int, *, traced: bool = False) -> None:
        self.random = Random(seed)
        self.now: Instant = 0
        self.steps = 0
        self.happened: Counter[str] = Counter()
        self.trace: list[str] = []
        self.after_step: Callable[[Process], None] = lambda _: None
        self._traced = traced
        self._due: list[tuple[int, float, int, greenlet, Process]] = []
        self._count = 0
        self._hub = getcurrent()
        self._process = Process("world")

    def say(self, what: str, happened: str | None = None) -> None:
        """Note a line of the trace, and count what happened."""
        if happened is not None:
            self.happened[happened] += 1
        if self._traced:
            self.trace.append(f"{self.now / 1e6:10.6f} {self._process.name:<14} {what}")

    @property
    def process(self) -> Process:
        """Whose task is running."""
        return self._process

    def spawn(self, process: Process, task: Callable[[], None], after: int = 0) -> None:
        """Start a task of a process; its death ends the task where it is."""

        def run() -> None:
            try:
                task()
            except Crash:
                self.happened["task killed"] += 1

        self._push(greenlet(run, parent=self._hub), process, after)

    def _push(self, task: greenlet, process: Process, after: int) -> None:
        self._count += 1
        heapq.heappush(self._due, (self.now + after, self.random.random(), self._count, task, process))

    def sleep(self, us: int) -> None:
        """Let this much time pass at least; others run meanwhile."""
        process = self._process
        if not process.alive:
            raise Crash
        self._push(getcurrent(), process, us)
        self._hub.switch()
        if not process.alive:
            raise Crash

    def give_way(self) -> None:
        """Perhaps let others run between two steps that follow each other in the code."""
        if self.random.random() < 0.25:
            self.sleep(self.random.choice((1, 50, 400)))

    def run(self, until: Instant) -> None:
        """Run everything that is due before this time."""
        while self._due and self._due[0][0] <= until:
            at, _, _, task, process = heapq.heappop(self._due)
            self.now = max(self.now, at)
            if process.alive and process.stopped_until > self.now:
                self._push(task, process, process.stopped_until - self.now)
                continue
            self._count_down(process)
            self.steps += 1
            self._process = process
            task.switch()
            self.after_step(process)
        self.now = max(self.now, until)

    def _count_down(self, process: Process) -> None:
        if process.crash_after is not None and process.alive:
            process.crash_after -= 1
            if process.crash_after <= 0:
                self._process = process
                self.say("killed", "crash")
                process.alive = False

    def close(self) -> None:
        """Unwind what still waits."""
        while self._due:
            _, _, _, task, process = heapq.heappop(self._due)
            process.alive = False
            self._process = process
            task.switch()


class Event:
    """What ``threading.Event`` is to the real code, in virtual time of the process that waits."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler, self._set = scheduler, False

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True

    def clear(self) -> None:
        self._set = False

    def wait(self, seconds: float) -> bool:
        """Wait until it is set, looking eight times at most."""
        for _ in range(8):
            if self._set:
                break
            self._scheduler.sleep(int(seconds * 125_000) + 1)
        return self._set
