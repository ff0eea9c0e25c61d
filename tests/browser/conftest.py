"""A real Chromium at a real broker; skipped, with one reason, where there is no Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import databases
from tests.browser.callback import Callback, listening
from tests.serving import Served, serve
from tests.visitors import configuration
from tests.visitors.site import Site, elsewhere

playwright = pytest.importorskip("playwright.sync_api", reason="no browser tests: Playwright is not installed")

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run"]  # fmt: skip

Open = Callable[..., Any]
"""Opens a window: ``width``, ``scheme`` (light or dark), ``script``; a page of Playwright's."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all windows, with an empty profile."""
    found = os.environ.get("BROKER_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no browser tests: there is no Chromium here (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=found, args=QUIET)
        yield opened
        opened.close()


@contextmanager
def _served(directory: Path) -> Iterator[Served]:
    config = configuration.write(directory / "config")
    with serve(databases.fresh_sqlite_database(directory), config) as broker:
        yield broker


@pytest.fixture(scope="module")
def served(browser: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A broker for the journeys of a module; each journey has a person or a feature of its own."""
    with _served(tmp_path_factory.mktemp("served")) as broker:
        yield broker


@pytest.fixture
def site(served: Served) -> Iterator[Site]:
    """The same broker, for visitors that are no browsers."""
    with elsewhere(served.url) as site:
        yield site


@pytest.fixture
def callback() -> Iterator[Callback]:
    """A partner's app at its redirect URI on a loopback port."""
    with listening() as app:
        yield app


def _is_an_answer(said: Any) -> bool:
    """Chromium complains of a form that is answered with 400 and the form again; that is how it is meant."""
    return "status of 400" in said.text and str(said.location["url"]).endswith("/oauth/authorize")


@pytest.fixture
def open_window(browser: Any, served: Served) -> Iterator[Open]:
    """Opens windows, each with cookies of its own. Fails in the end if one of them had something to complain about."""
    complaints: list[str] = []
    windows = []

    def note(said: Any) -> None:
        if said.type in ("error", "warning") and not _is_an_answer(said):
            complaints.append(said.text)

    def lost(request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left before it came
            complaints.append(f"{request.url}: {request.failure}")

    def open_window(width: int = 1280, scheme: str = "light", *, script: bool = True) -> Any:
        window = browser.new_context(
            base_url=served.url, viewport={"width": width, "height": 844}, color_scheme=scheme,
            java_script_enabled=script,
        )  # fmt: skip
        window.set_default_timeout(20_000)
        windows.append(window)
        page = window.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lost)
        return page

    yield open_window
    for window in windows:
        window.close()
    assert complaints == []
