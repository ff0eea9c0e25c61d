"""Forms: each has its token, works without script, and does nothing without it or without a session."""

from __future__ import annotations

import re

import pytest

from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import Site
from tests.world import World

PAGES = ("/inbox", "/inbox/1", "/connected-apps", "/account")
POSTS = ("/login", "/logout", "/oauth/authorize", "/inbox/1", "/account/password", "/connected-apps/x/disconnect",
         "/connected-apps/x/keep", "/connected-apps/x/scopes/drop",
         "/admin/features/share-a-track/shut-down")  # fmt: skip


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("token", [None, "", "made-up"])
def test_a_form_without_its_token_does_nothing(alice: Person, path: str, token: str | None) -> None:
    answer = alice.http.post(path, data={} if token is None else {"csrf_token": token})
    assert answer.status_code == 400
    assert "Nothing was done." in answer.text


def test_a_token_of_another_browser_does_nothing(site: Site, alice: Person) -> None:
    foreign = Person(site).open("/login").form("username").value("csrf_token")
    answer = alice.http.post("/account/password", data={"csrf_token": foreign, "current": "alice-demo", "new": "x" * 9})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", POSTS[3:])
def test_a_form_without_a_session_leads_to_logging_in(site: Site, path: str) -> None:
    person = Person(site)
    page = person.open("/login")
    form = page.form("username")
    form.action = path
    answer = person.send(page, form)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login")


def test_every_form_posts_to_a_path_of_ours_with_a_token(
    sqlite_world: World, site: Site, alice: Person, tuneloop: Partner
) -> None:
    sqlite_world.connect("alice", "tuneloop-playing")
    pages = [alice.open(path) for path in (*PAGES, tuneloop.asks())]
    pages += [Person(site).open("/"), Person(site).open("/login")]
    for page in pages:
        assert page.status == 200, page.path
        for form in page.forms:
            assert form.method == "post"
            assert form.action.startswith("/")
            assert "csrf_token" in form.names


def test_no_page_has_script_or_style_of_its_own(
    sqlite_world: World, site: Site, alice: Person, ops: Person, partner_login: Person, tuneloop: Partner
) -> None:
    sqlite_world.connect("alice", "tuneloop-playing")
    pages = [alice.open(path) for path in (*PAGES, tuneloop.asks(), "/nowhere")]
    pages += [ops.open("/admin"), ops.open("/admin/features/share-a-track"), partner_login.open("/partner")]
    pages += [Person(site).open("/"), Person(site).open("/login")]
    for page in pages:
        html = page.answer.text.lower()
        assert "<script" not in html, page.path
        assert "<style" not in html, page.path
        assert " style=" not in html, page.path
        assert not re.search(r"<[^>]*\son[a-z]+=", html), page.path
