"""Serving: set the database up, start the workers, say when they are ready, drain and end."""

from __future__ import annotations

import os
import socket
import sys
import threading
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from broker.domain.errors import Refused
from broker.operations.recovery import current
from broker.operations.register import seeding
from broker.settings import Settings, problems_with_binding
from broker.store import migrations
from broker.web import logs
from broker.web.runtime import open_runtime
from broker.web.worker import OWN_URL, READY_FD

_THREADS = 4  # of each worker: more requests at once than this wait in its queue


def prepare(settings: Settings, database_url: str) -> None:
    """Bring an empty or older database up to date, and fill an empty one; refuse one that is not to be served.

    That is: a standby, a newer one, another world's, and an old backup that was not recovered.
    """
    running = open_runtime(settings, database_url)
    try:
        current.require_primary(running)
        migrations.upgrade(running.database)
        current.require_current(running)
        seeding.seed(running)
        current.note_committed(running)
    finally:
        running.database.close()


def serve(settings: Settings, database_url: str, host: str, port: int, workers: int) -> int:
    """Serve until SIGTERM; prints ``ready URL`` once every worker accepts. The exit code.

    Connections are closed before the workers are forked: a database connection does not survive being shared.
    """
    problems = problems_with_binding(settings, host)
    if problems:
        raise Refused(str(problems[0]))
    logs.configure()
    prepare(settings, database_url)
    port = port or _free_port(host)
    readable, writable = os.pipe()
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    os.environ |= {READY_FD: str(writable), OWN_URL: url, "BROKER_CONFIG": str(settings.config_file),
                   "BROKER_DATABASE_URL": database_url}  # fmt: skip
    server = Server(
        "broker.web.worker:create", address=host, port=port, interface=Interfaces.WSGI, workers=workers,
        blocking_threads=_THREADS, factory=True, log_level=LogLevels.warning, log_dictconfig=logs.OF_THE_SERVER,
        respawn_failed_workers=True,
        websockets=False, workers_kill_timeout=10,
    )  # fmt: skip
    server.on_startup(lambda: threading.Thread(target=_announce, args=(readable, workers, url), daemon=True).start())
    server.serve()
    return 0


def _free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family)) as chosen:
        chosen.bind((host, 0))
        return int(chosen.getsockname()[1])


def _announce(readable: int, workers: int, url: str) -> None:
    """Wait for a sign of life of every worker, then for an answer, then tell."""
    for _ in range(workers):
        if not os.read(readable, 1):
            return
    pause = threading.Event()
    for _ in range(200):
        if _answers(url):
            print(f"ready {url}", flush=True)  # noqa: T201 - the contract: one line on stdout
            return
        pause.wait(0.05)
    sys.stderr.write("the workers started but do not answer\n")


def _answers(url: str) -> bool:
    """Whether requests are answered. Asked directly: a proxy in the environment is for other addresses than ours."""
    parts = urlsplit(url)
    try:
        with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=5)) as connection:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
