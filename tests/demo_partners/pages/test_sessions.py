"""What is held for each browser, and for how many."""

from __future__ import annotations

from demo_partners.oauth_client.authorization import PendingAuthorization
from demo_partners.pages.sessions import MAX_PENDING, Browser, Browsers


def test_a_browser_is_found_by_its_id_alone() -> None:
    browsers, browser = Browsers(), Browser()
    browser_id = browsers.admit(browser)
    assert browsers.find(browser_id) is browser
    assert browsers.find(browser_id + "x") is None
    assert browsers.find(None) is None


def test_a_forgotten_browser_is_gone() -> None:
    browsers = Browsers()
    browser_id = browsers.admit(Browser())
    browsers.forget(browser_id)
    browsers.forget(None)
    assert browsers.find(browser_id) is None


def test_the_browser_that_was_away_longest_makes_room() -> None:
    browsers = Browsers(limit=2)
    first, second = browsers.admit(Browser()), browsers.admit(Browser())
    browsers.find(first)
    browsers.admit(Browser())
    assert browsers.find(first) is not None
    assert browsers.find(second) is None


def test_the_oldest_unanswered_request_makes_room() -> None:
    browser = Browser()
    requests = [PendingAuthorization(started=0.0) for _ in range(MAX_PENDING + 1)]
    for request in requests:
        browser.expect(request)
    assert list(browser.pending) == [request.state for request in requests[1:]]
