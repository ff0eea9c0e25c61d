"""One worker process: the application, and a background thread for what nobody waits for."""

from __future__ import annotations

import itertools
import os
import random
import sys
import threading
from dataclasses import replace
from pathlib import Path

import structlog
from flask import Flask

from broker import settings
from broker.domain.errors import BrokerError
from broker.enforcement.spool import Spool
from broker.operations import access, consent, shutdowns
from broker.operations.context import Runtime
from broker.operations.people import accounts
from broker.web import logs
from broker.web.app import create_app
from broker.web.runtime import default_database_url, open_runtime

READY_FD = "BROKER_READY_FD"
OWN_URL = "BROKER_OWN_URL"
_PERIOD_S = 1.0
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
    app = create_app(running)
    spool: Spool = app.extensions["spool"]
    access.announce(running, spool.name)
    threading.Thread(target=_background, args=(running, spool), name="background", daemon=True).start()
    descriptor = os.environ.get(READY_FD)
    if descriptor is not None:
        os.write(int(descriptor), b".")
    return app


def _background(running: Runtime, spool: Spool) -> None:
    """Take in access records, end what is due, complete receipts: again and again, whatever goes wrong once.

    Nothing of it makes an end true: decisions read deadlines and states themselves.
    """
    pause, everybodys = threading.Event(), True  # at the start, what dead workers have left too
    for round_ in itertools.count():
        pause.wait(_PERIOD_S * random.uniform(0.75, 1.25))  # noqa: S311 - so that workers do not march in step
        if not Path(running.spools).is_dir():
            continue
        try:
            everybodys = _once(running, spool, everybodys=everybodys)
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
