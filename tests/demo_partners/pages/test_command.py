"""Each partner as a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

MODULES = ["demo_partners.music_sharing", "demo_partners.recommendations", "demo_partners.bank"]
MODULE = MODULES[0]


@contextmanager
def started(module: str, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", module, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("module", MODULES)
def test_a_partner_says_when_it_is_ready_and_leaves_when_it_is_told(module: str) -> None:
    with started(module, "--port", "0", "--broker", "http://127.0.0.1:1", PARTNER_CLIENT_SECRET="s") as process:
        assert process.stdout is not None
        word, origin = process.stdout.readline().split()
        assert word == "ready"
        page = httpx2.get(origin, trust_env=False)
        assert page.status_code == 200
        for path in ("/shared/partner.css", "/static/accent.css", "/static/icon.svg"):
            assert path in page.text
            assert httpx2.get(origin + path, trust_env=False).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=10) == ("", "")
        assert process.returncode == 0


def test_the_secret_is_taken_from_the_variable_that_is_named() -> None:
    with started(MODULE, "--client-secret-env", "TUNELOOP_SECRET", TUNELOOP_SECRET="s") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready http://127.0.0.1:")


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        ((), {"PARTNER_CLIENT_SECRET": ""}, "PARTNER_CLIENT_SECRET must hold the client secret"),
        (("--broker", "127.0.0.1:8000"), {"PARTNER_CLIENT_SECRET": "s"}, "it must be an origin"),
        (("--broker", "http://127.0.0.1:8000/oauth"), {"PARTNER_CLIENT_SECRET": "s"}, "it must be an origin"),
        (("--port", "70000"), {"PARTNER_CLIENT_SECRET": "s"}, "70000"),
    ],
)
def test_a_wrong_call_is_a_usage_error(arguments: tuple[str, ...], environment: dict[str, str], said: str) -> None:
    with started(MODULE, *arguments, **environment) as process:
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (2, "")
    assert said in errors


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started(MODULE, "--port", str(port), PARTNER_CLIENT_SECRET="s") as process:
            output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (1, "")
    assert errors == f"Error: cannot serve on 127.0.0.1:{port}: Address already in use\n"
