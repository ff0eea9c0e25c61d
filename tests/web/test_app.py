"""The composition: which transaction each view runs in, and which of them a cookie can reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from broker.store.evidence import access
from broker.web.app import create_app
from broker.web.request_context import NONE, READ, SINGLE, WRITE, kind_of
from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import in_process
from tests.world import World

SAFE = {"GET", "HEAD", "OPTIONS"}


@pytest.fixture
def app(sqlite_world: World) -> Iterator[Flask]:
    """The application, unvisited."""
    app = create_app(sqlite_world.runtime)
    yield app
    app.extensions["spool"].close()


def _views(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Every view as (method, path, kind of transaction)."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, rule.rule, kind_of(app.view_functions[rule.endpoint], method)


def test_a_safe_method_never_opens_a_transaction_that_writes(app: Flask) -> None:
    """Those that run in none open their own, and are few enough to be named."""
    kinds = {(method, path): kind for method, path, kind in _views(app)}
    assert {kind for (method, _), kind in kinds.items() if method in SAFE} <= {READ, SINGLE, NONE}
    own = {path for (method, path), kind in kinds.items() if method == "GET" and kind == NONE}
    programs = {path for path in own if path.startswith(("/admin/api/", "/.well-known/"))}
    assert own - programs <= {"/oauth/authorize", "/connected-apps", "/healthz", "/static/<path:filename>", "/admin",
                              "/partner", "/metrics", "/admin/features/<feature>", "/oauth/revocations"}  # fmt: skip


def test_whatever_changes_something_is_asked_for_by_a_method_that_says_so(app: Flask) -> None:
    assert {kind for method, _, kind in _views(app) if method not in SAFE} <= {WRITE, SINGLE, NONE}


def test_only_what_a_token_opens_is_free_of_the_csrf_token(app: Flask) -> None:
    exempt = {blueprint.name for blueprint in app.extensions["csrf"]._exempt_blueprints}
    assert exempt == {"api", "standing", "token", "revocations", "admin_api"}
    assert app.extensions["csrf"]._exempt_views == set()
    for name in exempt:
        assert not name.startswith("pages")


def test_a_cookie_opens_nothing_that_is_for_tokens(sqlite_world: World) -> None:
    with in_process(sqlite_world.runtime) as site:
        alice = Person(site, "alice")
        alice.log_in()
        for path in ("/api/threads", "/api/me", "/api/standing", "/admin/api/features"):
            assert alice.http.get(path).status_code == 401, path


def test_a_token_opens_no_page(sqlite_world: World) -> None:
    with in_process(sqlite_world.runtime) as site:
        partner = Partner(site, "tuneloop-share")
        token = partner.connects(Person(site, "alice"))
        for path in ("/inbox", "/connected-apps", "/account"):
            answer = partner.calls("GET", path, token)
            assert (answer.status_code, answer.headers["Location"].startswith("/login")) == (303, True), path


def test_a_stranger_makes_the_broker_take_nothing_in(sqlite_world: World) -> None:
    """Reading the list of connected apps takes records in, which writes: for whoever is logged in alone."""
    with in_process(sqlite_world.runtime) as site:
        alice, partner = Person(site, "alice"), Partner(site, "tuneloop-share")
        partner.calls("GET", "/api/threads", partner.connects(alice))
        counted = []
        for visitor in (Person(site), alice):
            visitor.open("/connected-apps")
            with sqlite_world.read() as context:
                counted.append(len(access.records(context.transaction)))
    assert counted == [0, 1]
