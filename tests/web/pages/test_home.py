"""The first page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.operations.register import clients
from tests.register import DEMO, SETTINGS
from tests.visitors.person import Person
from tests.visitors.reading import said
from tests.visitors.site import Site, in_process
from tests.world import World


def test_it_explains_what_this_is(site: Site) -> None:
    text = said(Person(site).open("/"))
    assert "Permission that ends with its feature" in text
    assert "when the feature is shut down, all of its keys stop working in the same moment" in text


@pytest.mark.parametrize(("name", "home"), [("Alice", "/inbox"), ("Operator ops", "/admin"), ("TuneLoop", "/partner")])
def test_in_the_demo_world_one_click_logs_in(site: Site, name: str, home: str) -> None:
    person = Person(site)
    page = person.open("/")
    username = next(each.username for each in DEMO.people if each.display_name == name)
    form = next(form for form in page.forms if ("username", username) in form.fields)
    answer = person.send(page, form, password=dict(form.buttons)["password"])
    assert answer.headers["Location"] == home


def test_in_the_demo_world_it_leads_to_the_apps_that_run_on_this_machine(sqlite_world: World, site: Site) -> None:
    page = Person(site).open("/")
    assert "Connect an app" in said(page)
    assert "TuneLoop Share a track http://127.0.0.1:8101" in said(page)
    assert 'href="http://127.0.0.1:8101"' in page.answer.text
    assert "Northbank Transfer notice" not in said(page)  # its app is elsewhere
    with sqlite_world.write() as context:
        clients.disable(context, "tuneloop-share")
    assert "Connect an app" not in said(Person(site).open("/"))


def test_elsewhere_it_has_no_ready_logins(sqlite_world: World) -> None:
    with in_process(sqlite_world.configured(replace(SETTINGS, demo=None))) as site:
        page = Person(site).open("/")
    assert page.status == 200
    assert page.forms == ()
    assert "alice" not in page.answer.text


@pytest.mark.parametrize(("name", "home"), [("alice", "/inbox"), ("ops", "/admin"), ("tuneloop", "/partner")])
def test_whoever_is_logged_in_goes_on_to_their_page(site: Site, name: str, home: str) -> None:
    person = Person(site, name)
    person.log_in()
    assert person.http.get("/").headers["Location"] == home
