"""How the pages look: no sideways scrolling, enough contrast, and no complaint of the browser's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.store.engine.database import Database
from tests.browser.conftest import Open
from tests.browser.test_journeys import log_in
from tests.serving import Served
from tests.visitors import hostile
from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import Site, elsewhere

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PAGES = {"alice": ("/inbox", "/inbox/1", "/connected-apps", "/account"),
         "ops": ("/admin", "/admin/features/share-a-track", "/admin/features/recommend-a-show"),
         "tuneloop": ("/partner",)}  # fmt: skip


@pytest.fixture(scope="module")
def lived_in(served: Served) -> Iterator[Site]:
    """A world in which something has happened: permissions that live, and some that have ended."""
    with elsewhere(served.url) as site:
        for client in ("tuneloop-share", "reelwise-recommend", "northbank-notice"):
            Partner(site, client).connects(Person(site, "alice"))
        Partner(site, "tuneloop-playing", auth="client_secret_post").connects(Person(site, "alice"))
        ops = Person(site, "ops")
        ops.log_in()
        ops.submit(ops.open("/admin/features/recommend-a-show"), "confirm", confirm="recommend-a-show", reason="Over")
        yield site


def _look_at_everything(page: Any, site: Site) -> Iterator[str]:
    """Open every page, and name it once it is shown."""
    for path in ("/", "/login"):
        page.goto(path)
        yield path
    for name, paths in PAGES.items():
        page.context.clear_cookies()
        page.goto("/login")
        log_in(page, name)
        page.get_by_role("button", name="Log out").wait_for()
        for path in paths:
            page.goto(path)
            yield path
    page.context.clear_cookies()
    page.goto(Partner(site, "tuneloop-app", "http://127.0.0.1/callback", "none").asks("messages:write profile:read"))
    yield "the login page that an app leads to"
    log_in(page, "bob")
    page.get_by_role("button", name="Allow").wait_for()
    yield "consent"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_scrolls_sideways_and_every_text_can_be_read(
    open_window: Open, lived_in: Site, width: int, scheme: str
) -> None:
    page = open_window(width, scheme)
    for name in _look_at_everything(page, lived_in):
        assert page.evaluate(SIDEWAYS) <= 0, name
        assert page.evaluate(CONTRAST) == [], name


@pytest.mark.parametrize("text", [hostile.LONG, hostile.MARKUP, hostile.TURNED], ids=["long", "markup", "turned"])
def test_whatever_others_call_themselves_the_pages_hold(
    open_window: Open, lived_in: Site, served: Served, text: str
) -> None:
    database = Database(served.database_url)
    hostile.put_everywhere(database, text)
    database.close()
    page = open_window(390)
    for name in _look_at_everything(page, lived_in):
        assert page.evaluate(SIDEWAYS) <= 0, name
        assert page.locator("img[src=x]").count() == 0, name
