"""Logging in and out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.web.pages.login import own_path
from tests.register import SETTINGS
from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.reading import said
from tests.visitors.site import Site, in_process
from tests.world import World


def test_the_demo_world_lists_its_people_and_their_passwords(site: Site) -> None:
    page = Person(site).open("/login")
    for name in ("alice", "bob", "ops", "tuneloop"):
        assert f"{name} {name}-demo" in said(page)


def test_without_a_demo_world_nobody_is_listed(sqlite_world: World) -> None:
    with in_process(sqlite_world.configured(replace(SETTINGS, demo=None))) as site:
        page = Person(site).open("/login")
    assert page.status == 200
    assert "alice" not in page.answer.text
    assert "demo" not in said(page)


@pytest.mark.parametrize(("name", "home"), [("alice", "/inbox"), ("ops", "/admin"), ("tuneloop", "/partner")])
def test_everybody_comes_to_their_own_page(site: Site, name: str, home: str) -> None:
    assert Person(site, name).log_in().path == home


def test_an_unknown_user_and_a_wrong_password_read_the_same(site: Site) -> None:
    pages = [Person(site, name).log_in("wrong") for name in ("alice", "nobody")]
    assert [page.status for page in pages] == [401, 401]
    texts = [said(page) for page in pages]
    assert texts[0] == texts[1]
    assert "That username and password do not belong together." in texts[0]
    assert [page.form("username").value("username") for page in pages] == ["alice", "nobody"]


def test_too_many_failures_say_how_long_to_wait(site: Site) -> None:
    person = Person(site, "alice")
    for _ in range(SETTINGS.limits.login_failures):
        person.log_in("wrong")
    page = person.log_in()
    assert page.status == 429
    assert "Too many attempts. Wait 1 second before the next one." in said(page)


def test_on_the_way_to_consent_it_says_which_app_asks(site: Site, tuneloop: Partner) -> None:
    page = Person(site).open(tuneloop.asks())
    assert page.path == "/login"
    assert "TuneLoop wants to ask you for something." in said(page)
    assert "form-action 'self' https://tuneloop.example" in page.answer.headers["Content-Security-Policy"]


def test_logging_out_ends_the_session_of_the_browser(alice: Person) -> None:
    page = alice.send(alice.open("/account"), alice.open("/account").forms[0])
    assert page.headers["Location"] == "/login"
    assert not alice.is_logged_in()


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"])
def test_logging_out_leads_nobody_elsewhere(alice: Person, elsewhere: str) -> None:
    page = alice.open("/account")
    assert alice.send(page, page.forms[0], next=elsewhere).headers["Location"] == "/login"


@pytest.mark.parametrize(
    "target", [None, "", "/", "/login", "/inboxes", "https://a/inbox", "//a/inbox", "/inbox\n", "\\inbox", "/" * 20_000]
)
def test_only_pages_of_ours_can_be_returned_to(target: str | None) -> None:
    assert own_path(target) is None


@pytest.mark.parametrize(
    "target", ["/inbox", "/inbox/3", "/oauth/authorize?client_id=x&scope=a%20b", "/admin/features/f"]
)
def test_pages_of_ours_are_returned_to_as_they_were(target: str) -> None:
    assert own_path(target) == target
