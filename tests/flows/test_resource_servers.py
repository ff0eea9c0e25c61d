"""Resource servers in processes of their own, with a real broker on each database: the example of the documents."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.register import secret_of
from tests.serving import ROOT, Served, environment, serve
from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import elsewhere

LEASE_MS = 600
ENOUGH_S = 20.0
SEARCH = ROOT / "docs" / "examples" / "resource_server.py"


@dataclass(frozen=True)
class Searching:
    """One process of the example."""

    http: httpx2.Client
    process: subprocess.Popen[str]

    def says(self, token: str) -> int:
        """The status of an answer."""
        return self.http.get("/search?q=hike", headers={"Authorization": f"Bearer {token}"}).status_code

    def comes_to_say(self, token: str, status: int) -> bool:
        """Whether it says that within what is more than enough time."""
        return _soon(lambda: self.says(token) == status)


def _soon(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + ENOUGH_S
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return False


@contextmanager
def _searching(broker: str) -> Iterator[Searching]:
    env = environment({"RESOURCE_SERVER_SECRET": secret_of("palaver-search"), "PYTHONPATH": str(ROOT)})
    command = [sys.executable, str(SEARCH), "--broker", broker, "--lease-ms", str(LEASE_MS)]
    process = subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        word, _, url = process.stdout.readline().strip().partition(" ")
        assert word == "ready"
        with httpx2.Client(base_url=url, timeout=ENOUGH_S) as http:
            yield Searching(http, process)
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(ENOUGH_S)
        process.stdout.close()


@pytest.fixture
def broker(database_url: str, config: Path) -> Iterator[Served]:
    """A broker of this test's own, for it is shut down, and on both databases."""
    with serve(database_url, config) as served:
        yield served


@pytest.fixture
def token(broker: Served) -> str:
    """A token that the example is for."""
    return _connected(broker, "alice")


def _connected(broker: Served, name: str) -> str:
    with elsewhere(broker.url) as site:
        held = Partner(site, "reelwise-recommend").connects(Person(site, name), "messages:read messages:write")
    return str(held["access_token"])


def _shut_down(broker: Served) -> dict[str, Any]:
    done = broker.run("features", "shut-down", "recommend-a-show", "--json")
    assert done.returncode == 0, done.stderr
    receipt: dict[str, Any] = json.loads(done.stdout)
    return receipt


def _outcomes(receipt: dict[str, Any]) -> list[str]:
    return sorted(each["outcome"] for each in receipt["nodes"])


def test_after_a_shutdown_has_returned_each_of_them_refuses(broker: Served, token: str) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(_searching(broker.url)) for _ in range(3)]
        assert all(each.comes_to_say(token, 200) for each in servers)
        receipt = _shut_down(broker)
        assert [each.says(token) for each in servers] == [401, 401, 401]
        assert _outcomes(receipt) == ["confirmed"] * 3


def test_one_that_is_paused_is_waited_out_and_says_no_when_it_wakes(broker: Served, token: str) -> None:
    with _searching(broker.url) as paused, _searching(broker.url) as awake:
        assert paused.comes_to_say(token, 200)
        assert awake.comes_to_say(token, 200)
        paused.process.send_signal(signal.SIGSTOP)
        receipt = _shut_down(broker)
        assert awake.says(token) == 401
        assert _outcomes(receipt) == ["confirmed", "waited_out"]
        paused.process.send_signal(signal.SIGCONT)
        said: list[int] = []

        def refuses() -> bool:
            said.append(paused.says(token))
            return said[-1] == 401

        assert _soon(refuses)
        assert 200 not in said


def test_one_that_ends_is_awaited_by_nobody(broker: Served, token: str) -> None:
    with _searching(broker.url) as server:
        assert server.comes_to_say(token, 200)
    assert _shut_down(broker)["nodes"] == []


def test_a_disabled_resource_server_says_yes_no_more_when_that_has_returned(broker: Served, token: str) -> None:
    with _searching(broker.url) as server:
        assert server.comes_to_say(token, 200)
        done = broker.run("resource-servers", "disable", "palaver-search", "--json")
        assert done.returncode == 0, done.stderr
        assert server.says(token) == 503


def test_without_the_broker_it_stops_saying_yes_and_goes_on_by_itself(database_url: str, config: Path) -> None:
    with ExitStack() as after:
        with serve(database_url, config) as broker:
            port, token = urlsplit(broker.url).port or 0, _connected(broker, "alice")
            server = after.enter_context(_searching(broker.url))
            assert server.comes_to_say(token, 200)
        until = time.monotonic() + LEASE_MS / 1000
        while time.monotonic() < until:
            assert server.says(token) in (200, 503)
        assert [server.says(token) for _ in range(5)] == [503] * 5
        with serve(database_url, config, port=port):
            assert server.comes_to_say(token, 200)


def test_the_child_of_a_fork_has_a_lease_of_its_own(broker: Served, token: str) -> None:
    program = """
import os, sys
from broker.enforcement.remote import connect
guard = connect(sys.argv[1], "palaver-search", sys.argv[2], lease_ms=3000)
parent = guard.start()
child = os.fork()
if child == 0:
    mine = guard.start()
    sys.exit(0 if mine is not parent and mine.cell is not None else 1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
parent.require_lease()
os.write(1, b"%d" % status)
os._exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, broker.url, secret_of("palaver-search")], cwd=ROOT, env=dict(os.environ),
        capture_output=True, text=True, check=False, timeout=ENOUGH_S * 2,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("0", 0), done.stderr
    listed = json.loads(broker.run("nodes", "list", "--json").stdout)["nodes"]
    assert len(listed) == 1, "the child has left, and only the child"
