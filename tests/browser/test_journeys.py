"""What people do, in a real browser: connect, refuse, disconnect, and shut down."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.callback import Callback
from tests.browser.conftest import Open, playwright
from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import Site

BOTH = "messages:write profile:read"


def expect(found: Any) -> Any:
    """Playwright's assertion, which waits until it holds."""
    return playwright.expect(found)


def log_in(page: Any, name: str) -> None:
    """Log in where a login page is shown."""
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(f"{name}-demo")
    page.get_by_role("button", name="Log in", exact=True).click()


@pytest.fixture
def app(site: Site, callback: Callback) -> Partner:
    """An app on this machine, which can keep no secret and is asked about each time."""
    return Partner(site, "tuneloop-app", callback.uri, "none")


def received(app: Partner, callback: Callback) -> dict[str, Any]:
    """The token that the app gets for the code with which the browser came."""
    token: dict[str, Any] = app.library.fetch_token(
        app.metadata["token_endpoint"], authorization_response=callback.received[-1], state=app.state,
        code_verifier=app.verifier,
    )  # fmt: skip
    return token


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_person_connects_an_app_which_then_can_do_just_that(
    open_window: Open, app: Partner, callback: Callback, script: bool
) -> None:
    page = open_window(script=script)
    page.goto(app.asks(BOTH))
    log_in(page, "alice")
    expect(page.get_by_role("heading", name="TuneLoop asks for your permission")).to_be_visible()
    page.get_by_label("Saturday hike").check()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="Back at the app")).to_be_visible()
    token = received(app, callback)
    assert token["scope"] == "messages:write"  # the optional one was left unticked
    (thread,) = app.calls("GET", "/api/threads", token).json()["threads"]
    assert thread["title"] == "Saturday hike"
    posted = app.calls("POST", f"/api/threads/{thread['id']}/messages", token, json={"text": "A song."})
    assert posted.status_code == 201
    assert app.calls("GET", f"/api/threads/{thread['id']}/messages", token).status_code == 403
    page.goto("/inbox")
    page.get_by_role("link", name="Saturday hike").click()
    expect(page.get_by_text("via TuneLoop app").last).to_be_visible()


def test_a_person_says_no_and_nothing_is_given(open_window: Open, app: Partner, callback: Callback) -> None:
    page = open_window()
    page.goto(app.asks())
    log_in(page, "bob")
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", name="Back at the app")).to_be_visible()
    assert callback.answer["error"] == "access_denied"
    page.goto("/connected-apps")
    expect(page.get_by_text("No app can reach anything of yours.")).to_be_visible()


def test_whoever_forgets_to_choose_is_asked_again_with_what_was_ticked(
    open_window: Open, app: Partner, callback: Callback
) -> None:
    page = open_window(390)
    page.goto(app.asks(BOTH))
    log_in(page, "carol")
    page.get_by_label("Title of profile:read").check()
    with page.expect_response("**/oauth/authorize") as answer:
        page.get_by_role("button", name="Allow").click()
    assert answer.value.status == 400
    expect(page.get_by_role("alert")).to_contain_text("tick at least one conversation")
    expect(page.get_by_label("Title of profile:read")).to_be_checked()
    page.get_by_label("All of them").check()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="Back at the app")).to_be_visible()
    assert set(received(app, callback)["scope"].split()) == set(BOTH.split())


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_person_disconnects_an_app_and_sees_that_it_has_ended(open_window: Open, site: Site, script: bool) -> None:
    partner = Partner(site, "northbank-notice")
    token = partner.connects(Person(site, "bob"))
    assert partner.calls("GET", "/api/threads", token).status_code == 200
    page = open_window(script=script)
    page.goto("/connected-apps")
    log_in(page, "bob")
    page.get_by_role("button", name="Disconnect Northbank, Transfer notice").click()
    expect(page.get_by_role("status")).to_contain_text("Disconnected.")
    expect(page.get_by_text("Ended because you disconnected it on").first).to_be_visible()
    assert partner.calls("GET", "/api/threads", token).status_code == 401


def test_an_operator_shuts_a_feature_down_and_a_person_sees_why_it_ended(open_window: Open, site: Site) -> None:
    partner = Partner(site, "reelwise-recommend")
    token = partner.connects(Person(site, "bob"))
    page = open_window()
    page.goto("/admin")
    log_in(page, "ops")
    page.get_by_role("link", name="Recommend a show").click()
    page.get_by_label("Type recommend-a-show to confirm").fill("recommend-a-show")
    page.get_by_role("button", name="Shut down").click()
    expect(page.get_by_text("nothing is left")).to_be_visible()
    assert partner.calls("GET", "/api/threads", token).json()["type"] == "urn:palaver:problem:feature-shut-down"
    person = open_window()
    person.goto("/connected-apps")
    log_in(person, "bob")
    expect(person.get_by_text("Ended because the feature was shut down on")).to_be_visible()


def test_the_keyboard_is_enough(open_window: Open, app: Partner, callback: Callback) -> None:
    page = open_window()
    page.goto(app.asks())
    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type("alice-demo")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="TuneLoop asks for your permission")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for name in ("Not you? Log out", "Saturday hike"):
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_be_visible()
        assert name in (page.locator(":focus").inner_text() or page.locator("label:has(:focus)").inner_text())
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Deny")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Back at the app")).to_be_visible()
    assert "code" in callback.answer
