"""One worker process: the application, and a background thread for what nobody waits for."""

from __future__ import annotations

import itertools
import os
import random
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from multiprocessing.util import Finalize
from pathlib import Path

import structlog
from flask import Flask

from broker import settings
from broker.domain.errors import BrokerError, Undecided
from broker.enforcement.node import Node
from broker.enforcement.renewing import Renewing
from broker.enforcement.spool import Spool
from broker.operations import access, consent, shutdowns
from broker.operations.context import Runtime
from broker.operations.nodes import Housekeeping, OwnFeed
from broker.operations.people import accounts
from broker.operations.recovery import current
from broker.store.revocations.listening import Listener
from broker.web import logs
from broker.web.app import create_app
from broker.web.runtime import default_database_url, open_runtime

READY_FD = "BROKER_READY_FD"
OWN_URL = "BROKER_OWN_URL"
_PERIOD_S = {"strict": 1.0, "leased": 0.25}
"""A leased worker takes its records in before it confirms: what has piled up since the last time keeps a shutdown
waiting."""
# A thread that comes back from the disk holds the one write lock of SQLite while it waits for the interpreter. Others
# give that up after this long; the usual 5 ms is many commits.
_SWITCH_S = 0.0005
_FORGET_EVERY = 600  # rounds, so about every ten minutes

log = structlog.get_logger("broker.worker")


def create() -> Flask:
    """The application of this worker, its background thread running; says so on the pipe that it was started with."""
    logs.configure()
    sys.setswitchinterval(_SWITCH_S)
    chosen = settings.load(environ=os.environ)
    chosen = replace(chosen, issuer=chosen.issuer or os.environ.get(OWN_URL))  # in development: where it listens
    running = open_runtime(chosen, default_database_url(chosen))
    current.watch(running)
    app = create_app(running, leased_node(running))
    spool: Spool = app.extensions["spool"]
    if app.extensions["node"] is not None:
        _renew(running, app.extensions["node"])
    access.announce(running, spool.name)
    threading.Thread(target=_background, args=(running, spool), name="background", daemon=True).start()
    descriptor = os.environ.get(READY_FD)
    if descriptor is not None:
        os.write(int(descriptor), b".")
    return app


def leased_node(running: Runtime) -> Callable[[Spool], Node] | None:
    """What makes this worker's node, if it is to have one: on SQLite a check in the database is local already."""
    if running.settings.enforcement.mode == "strict" or running.database.is_sqlite:
        return None
    feed = OwnFeed(running, running.settings.enforcement.lease_us)
    return lambda spool: Node(feed, running.ticks, flush=lambda: access.take_in_own(running, spool.name))


def _renew(running: Runtime, node: Node) -> None:
    """Take the first lease before the first request, and keep it from then on."""

    def failed(error: Exception) -> None:
        log.warning("background", job="lease", why=str(error), error=type(error).__name__)

    period_s = running.settings.enforcement.lease_ms / 3_000
    renewing = Renewing(node, period_s=period_s, wait=Listener(running.database).wait, failed=failed)
    with suppress(Undecided):
        node.renew()
    Finalize(None, renewing.stop, exitpriority=0)  # a worker is a child of multiprocessing, which runs no atexit
    renewing.start()


def _background(running: Runtime, spool: Spool) -> None:
    """Take in access records, end what is due, complete receipts: again and again, whatever goes wrong once.

    Nothing of it makes an end true: decisions read deadlines and states themselves.
    """
    known_nodes = Housekeeping(running)
    period_s = _PERIOD_S["strict" if running.database.is_sqlite else running.settings.enforcement.mode]
    pause, everybodys = threading.Event(), True  # at the start, what dead workers have left too
    for round_ in itertools.count():
        pause.wait(period_s * random.uniform(0.75, 1.25))  # noqa: S311 - so that workers do not march in step
        if not Path(running.spools).is_dir():
            continue
        try:
            if not current.watch(running):
                log.error("background", job="housekeeping", why="behind what was committed; run: broker recover")
                continue
            everybodys = _once(running, spool, everybodys=everybodys)
            known_nodes.once()
            if round_ % _FORGET_EVERY == 0:
                _forget(running)
        except BrokerError as error:
            log.warning("background", job="housekeeping", why=str(error))
        except Exception as error:
            log.error("background", job="housekeeping", error=type(error).__name__, exc_info=error)


def _once(running: Runtime, spool: Spool, *, everybodys: bool) -> bool:
    """One round; whether the next is to look at every spool, because this one has let go of a full one."""
    if everybodys:
        access.take_in(running)
    else:
        access.take_in_own(running, spool.name)
    fresh = spool.rotate()
    if fresh is not None:
        access.announce(running, fresh)
    done = shutdowns.housekeeping(running)
    if done:
        log.info("background", job="housekeeping", count=done)
    return fresh is not None


def _forget(running: Runtime) -> None:
    """Keep what is only needed for a while from adding up."""
    with running.write("broker") as context:
        accounts.forget_what_is_over(context)
        consent.forget_answered(context)
