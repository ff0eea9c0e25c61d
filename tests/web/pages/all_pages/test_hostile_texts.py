"""Names and texts that others chose: shown as text, cut to a length, and kept from turning what stands around them."""

from __future__ import annotations

import pytest

from tests.visitors.hostile import LONG, MARKUP, TURNED, put_everywhere
from tests.visitors.page import Page
from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import Site
from tests.world import World


@pytest.fixture
def pages(sqlite_world: World, site: Site, request: pytest.FixtureRequest) -> list[Page]:
    """Every page that shows what others wrote."""
    alice, ops, partner = (Person(site, name) for name in ("alice", "ops", "tuneloop"))
    tuneloop = Partner(site, "tuneloop-share")
    sqlite_world.disconnect(sqlite_world.connect("alice", "reelwise-recommend"))
    sqlite_world.connect("alice", "tuneloop-playing")
    sqlite_world.post(sqlite_world.connect("alice", "northbank-notice").access, "hello")
    put_everywhere(sqlite_world.database, request.param)
    for person in (alice, ops, partner):
        person.log_in()
    shown = [alice.open(path) for path in ("/inbox", "/inbox/1", "/connected-apps", "/account", tuneloop.asks())]
    shown += [ops.open("/admin"), ops.open("/admin/features/share-a-track"), partner.open("/partner")]
    shown += [Person(site).open("/"), Person(site).open(tuneloop.asks())]
    assert [page.status for page in shown] == [200] * len(shown)
    return shown


@pytest.mark.parametrize("pages", [MARKUP], indirect=True)
def test_markup_is_shown_as_text(pages: list[Page]) -> None:
    for page in pages:
        assert "<script>alert" not in page.answer.text, page.path
        assert "<img src=x" not in page.answer.text, page.path
        assert ">49<" not in page.answer.text, page.path
    assert sum("&lt;script&gt;alert(1)&lt;/script&gt;" in page.answer.text for page in pages) >= 8


@pytest.mark.parametrize("pages", [TURNED], indirect=True)
def test_a_turned_direction_ends_with_the_name(pages: list[Page]) -> None:
    for page in pages:
        body = page.answer.text.split("</title>")[1]
        for place in body.split(TURNED)[:-1]:
            opened = place.rindex("<")
            assert place[opened:].startswith(("<bdi>", '<p class="bubble" dir="auto">')), place[-80:]


@pytest.mark.parametrize("pages", [LONG], indirect=True)
def test_a_very_long_name_is_cut(pages: list[Page]) -> None:
    for page in pages:
        if page.path != "/inbox/1":  # where it is the message itself
            assert "W" * 601 not in page.answer.text, page.path
        assert len(page.answer.text) < 400_000
