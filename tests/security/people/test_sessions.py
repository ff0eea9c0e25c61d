"""Sessions, pages and their headers: what a browser is told, and what another site can make it do."""

from __future__ import annotations

import re
from dataclasses import replace
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import httpx2
import pytest

from broker.operations.people import accounts
from broker.web.pages.login import own_path
from tests.register import HTTPS, SETTINGS
from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import Site, in_process
from tests.world import World

PAGES = ("/login", "/inbox", "/connected-apps", "/account", "/nothing")


def _cookie(answer: httpx2.Response) -> str:
    """The value of the session cookie that an answer sets."""
    (header,) = answer.headers.get_list("Set-Cookie")
    (value,) = [morsel.value for morsel in SimpleCookie(header).values()]
    return value


def _logs_in(person: Person) -> httpx2.Response:
    page = person.open("/login")
    return person.send(page, page.form("username"), username=person.name, password=f"{person.name}-demo")


# --- the session -----------------------------------------------------------------------------------------------------


def test_the_cookie_is_for_http_alone_and_for_this_site(site: Site) -> None:
    header = _logs_in(Person(site, "alice")).headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Path=/" in header
    assert "Domain" not in header
    assert "Expires" not in header, "it ends with the browser"


def test_behind_tls_the_cookie_is_secure_and_bound_to_the_host(sqlite_world: World) -> None:
    """The browser itself then refuses a cookie that another host has planted (the prefix __Host-)."""
    settings = replace(SETTINGS, issuer="https://palaver.example", allowed_hosts=("palaver.example",), demo=None)
    with in_process(replace(sqlite_world.runtime, settings=settings)) as site:
        answer = site.client().get("/login", headers={"Host": "palaver.example"})
    header = answer.headers["Set-Cookie"]
    assert header.startswith("__Host-")
    assert "Secure" in header
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_the_session_is_another_after_the_login(site: Site) -> None:
    """Whoever planted the cookie of before knows nothing of the session after."""
    alice = Person(site, "alice")
    planted = _cookie(alice.http.get("/login"))
    opened = _cookie(_logs_in(alice))
    assert opened != planted
    other = Person(site)
    other.http.cookies.set("palaver", planted)
    assert not other.is_logged_in()
    before = opened
    alice.submit(alice.open("/inbox"), "csrf_token")
    assert _cookie(_logs_in(alice)) != before


def test_the_csrf_token_of_before_is_of_no_use_after_the_login(site: Site) -> None:
    """Whoever planted the cookie of before knows the token that belonged to it."""
    alice = Person(site, "alice")
    page = alice.open("/login")
    known = page.form("username").value("csrf_token")
    alice.send(page, page.form("username"), username="alice", password="alice-demo")
    assert alice.http.post("/logout", data={"csrf_token": known}).status_code == 400
    assert alice.is_logged_in()


def test_the_cookie_carries_no_identity_and_the_database_no_cookie(sqlite_world: World, site: Site) -> None:
    alice = Person(site, "alice")
    _logs_in(alice)
    (secret,) = re.findall(r"plv_se_[A-Za-z0-9_-]+", _opened(alice))
    with sqlite_world.read() as context:
        assert accounts.of_session(context.transaction, secret, context.now) is not None
    made_up = Person(site)
    made_up.http.cookies.set("palaver", "eyJzZXNzaW9uIjoicGx2X3NlX3gifQ.x.y")
    assert not made_up.is_logged_in()


def _opened(person: Person) -> str:
    """What the session cookie holds; it is signed, not hidden from its own browser."""
    assert person.site.app is not None
    serializer = person.site.app.session_interface.get_signing_serializer(person.site.app)  # type: ignore[attr-defined]
    (value,) = [cookie.value for cookie in person.http.cookies.jar if cookie.name == "palaver"]
    return str(serializer.loads(value))


def test_a_session_ends_by_logging_out_and_stays_ended(alice: Person) -> None:
    (kept,) = [cookie.value for cookie in alice.http.cookies.jar if cookie.name == "palaver"]
    alice.submit(alice.open("/inbox"), "csrf_token")
    thief = Person(alice.site)
    thief.http.cookies.set("palaver", kept or "")
    assert not thief.is_logged_in()


def test_a_session_ends_when_it_is_idle_and_at_its_absolute_end(sqlite_world: World, site: Site, alice: Person) -> None:
    sqlite_world.clock.advance(minutes=119)
    assert alice.is_logged_in()
    sqlite_world.clock.advance(minutes=119)
    assert alice.is_logged_in(), "being seen has moved the idle end"
    sqlite_world.clock.advance(minutes=121)
    assert not alice.is_logged_in()
    alice.log_in()
    for _ in range(11):
        sqlite_world.clock.advance(minutes=60)
        assert alice.is_logged_in()
    sqlite_world.clock.advance(minutes=60)
    assert not alice.is_logged_in()


def test_disabling_an_account_and_changing_its_password_end_its_sessions(
    sqlite_world: World, site: Site, alice: Person
) -> None:
    other = Person(site, "alice")
    other.log_in()
    alice.submit(alice.open("/account"), "current", current="alice-demo", new="a longer one 2")
    assert not alice.is_logged_in()
    assert not other.is_logged_in()
    alice.log_in("a longer one 2")
    with sqlite_world.write() as context:
        accounts.disable(context, "alice")
    assert not alice.is_logged_in()


# --- from other sites ------------------------------------------------------------------------------------------------


def test_every_post_of_a_page_needs_the_token_of_its_browser(sqlite_world: World, alice: Person, site: Site) -> None:
    Partner(site, "tuneloop-share").connects(alice)
    connected = alice.open("/connected-apps")
    actions = {form.action for form in connected.forms} | {"/logout", "/login", "/account/password", "/oauth/authorize"}
    actions |= {form.action for form in alice.open("/account").forms if form.method == "post"}
    thread = sqlite_world.thread("Saturday hike")
    for action in sorted(actions | {f"/inbox/{thread}"}):
        for data in ({}, {"csrf_token": ""}, {"csrf_token": "x"}):
            answer = alice.http.post(action, data=data)
            assert answer.status_code == 400, action
            assert "too old, or not from here" in answer.text, action
    assert alice.is_logged_in()


def test_another_site_cannot_log_somebody_in_as_another(site: Site) -> None:
    """Login CSRF: the token is of the browser that opened the page, not of whoever wrote the form."""
    mallory, victim = Person(site, "bob"), Person(site, "alice")
    form = mallory.open("/login").form("username")
    victim.open("/login")
    answer = victim.http.post("/login", data={"csrf_token": form.value("csrf_token"), "username": "bob",
                                              "password": "bob-demo"})  # fmt: skip
    assert answer.status_code == 400
    assert not victim.is_logged_in()


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example/", "\\\\evil.example", "http:evil.example", "evil",
        "/\t/evil.example", "/\n/evil.example", " //evil.example", "javascript:alert(1)", "/inbox\\@evil.example",
        "/login", "/logout", "/nothing", "/inboxes", "/oauth/token", "/static/x", "https:/inbox", "///evil.example/x",
        "/inbox\r\nLocation: https://evil.example", "/inbox?a=\r\nSet-Cookie: b=c", "/inbox/\t1", "/inbox?\n",
        "@evil.example", "?next=//evil.example", "", "/" + "x" * 20_000,
    ],
)  # fmt: skip
def test_after_a_login_nobody_is_sent_elsewhere(site: Site, target: str) -> None:
    assert own_path(target) is None
    alice = Person(site, "alice")
    page = alice.open("/login")
    answer = alice.send(page, page.form("username"), username="alice", password="alice-demo", next=target)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/inbox")
    left = alice.send(alice.open("/inbox"), alice.open("/inbox").form("csrf_token"), next=target)
    assert left.headers["Location"] == "/login"


@pytest.mark.parametrize(
    "target", ["/inbox", "/inbox/3", "/connected-apps", "/account", "/oauth/authorize?client_id=x"]
)
def test_after_a_login_a_page_of_ours_goes_on(site: Site, target: str) -> None:
    alice = Person(site, "alice")
    page = alice.open(f"/login?{urlencode({'next': target})}")
    answer = alice.send(page, page.form("username"), username="alice", password="alice-demo")
    assert answer.headers["Location"] == target
    assert alice.http.get(f"/login?{urlencode({'next': '//evil.example'})}").headers["Location"] == "/inbox"


# --- headers --------------------------------------------------------------------------------------------------------


def _policy(answer: httpx2.Response) -> dict[str, list[str]]:
    parts = [part.split() for part in answer.headers["Content-Security-Policy"].split(";")]
    return {part[0]: part[1:] for part in parts}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_framed_by_nobody_and_runs_nothing_of_others(alice: Person, path: str) -> None:
    answer = (Person(alice.site) if path == "/login" else alice).http.get(path)
    policy = _policy(answer)
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["base-uri"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_loads_anything_from_elsewhere_or_has_script_in_it(alice: Person, path: str) -> None:
    html = (Person(alice.site) if path == "/login" else alice).http.get(path).text
    loaded = re.findall(r"""<(?:link|script|img|iframe|source|use)\b[^>]*?(?:href|src)=["']([^"']*)""", html)
    assert loaded, path
    assert all(address.startswith("/static/") for address in loaded), loaded
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|javascript:", html)
    assert " style=" not in html, "the policy would not let it in"


def test_the_consent_page_and_the_login_before_it_may_end_at_the_partner_and_no_other_page_may(
    site: Site, tuneloop: Partner
) -> None:
    """Chromium holds form-action against the whole chain of redirects, from the form that began it."""
    alice, asked = Person(site, "alice"), tuneloop.asks()
    login = alice.open(asked)
    assert _policy(login.answer)["form-action"] == ["'self'", "https://tuneloop.example"]
    consent = alice.log_in(at=login)
    assert _policy(consent.answer)["form-action"] == ["'self'", "https://tuneloop.example"]


def test_an_address_that_is_not_registered_is_let_into_no_policy(site: Site, tuneloop: Partner) -> None:
    for target in (
        tuneloop.asks().replace("tuneloop.example", "evil.example"), "/oauth/authorize?client_id=x&redirect_uri=x",
        f"/oauth/authorize?client_id=nobody-here&redirect_uri={HTTPS}", "/inbox?client_id=tuneloop-share",
    ):  # fmt: skip
        answer = site.client().get("/login", params={"next": target.removeprefix(site.url)})
        assert _policy(answer)["form-action"] == ["'self'"]


def test_programs_get_no_page_and_answers_vary_by_no_cookie(site: Site, tuneloop: Partner) -> None:
    answer = tuneloop.calls("GET", "/api/standing", tuneloop.of_its_own())
    assert "Set-Cookie" not in answer.headers
    assert "Vary" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


# --- who is answered at all ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["evil.example", "palaver.example", "127.0.0.1.evil.example", "192.0.2.1", "", "[::2]", "a b"]
)
def test_the_demo_world_is_served_on_loopback_names_alone(site: Site, host: str) -> None:
    for path in ("/login", "/api/threads", "/oauth/token", "/healthz", "/nothing"):
        answer = site.client().get(path, headers={"Host": host})
        assert (answer.status_code, "Location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    "name",
    ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "x-forwarded-port", "X-Forwarded-Server"],
)
def test_the_demo_world_is_served_through_no_proxy(site: Site, name: str) -> None:
    for value in ("127.0.0.1", "", "for=192.0.2.1"):
        assert site.client().get("/login", headers={name: value}).status_code == 400


def test_a_configured_broker_answers_its_own_hosts_and_probes_only(sqlite_world: World) -> None:
    settings = replace(SETTINGS, issuer="https://palaver.example", allowed_hosts=("palaver.example",), demo=None)
    with in_process(replace(sqlite_world.runtime, settings=settings)) as site:
        http = site.client()
        for host, status in (("palaver.example", 200), ("palaver.example:443", 200), ("evil.example", 400),
                             ("127.0.0.1", 400)):  # fmt: skip
            assert http.get("/login", headers={"Host": host}).status_code == status, host
        for path in ("/healthz", "/readyz", "/metrics"):
            assert http.get(path, headers={"Host": "10.0.0.7:8000"}).status_code == 200, "a machine, not a site"
