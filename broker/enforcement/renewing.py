"""Renewing a node's lease, again and again, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from broker.domain.errors import Undecided
from broker.enforcement.node import Node

PERIOD_S = 1.0


class Renewing:
    """Renews at least each ``period_s``; at once when ``wait`` is woken, or when there is a position to confirm.

    ``wait(seconds)`` returns early when there may be something to hear. ``failed`` hears why a renewal did not succeed.
    """

    def __init__(
        self, node: Node, *, period_s: float = PERIOD_S, wait: Callable[[float], object] | None = None,
        failed: Callable[[Exception], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._node, self._period_s, self._failed = node, period_s, failed
        self._ended = threading.Event()
        self._wait = wait or self._ended.wait
        self._thread = threading.Thread(target=self._run, name="renewing", daemon=True)

    def start(self) -> None:
        """Begin; the first lease is there soon after."""
        self._thread.start()

    def stop(self) -> None:
        """End, and give the lease up; what is in flight is not waited for."""
        self._ended.set()
        self._thread.join(self._period_s * 2 + 1)
        self._node.leave()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                more = self._node.renew()
            except Undecided as error:
                self._failed(error)
                self._ended.wait(self._period_s / 4)
                continue
            except Exception as error:  # noqa: BLE001 - a bug must not end the thread: it is told, and the lease runs out
                self._failed(error)
                self._ended.wait(self._period_s)
                continue
            if more or self._node.has_to_tell:
                continue
            if self._node.draining:
                self._node.finished.wait(self._period_s / 4)
            else:
                self._wait(self._period_s)
