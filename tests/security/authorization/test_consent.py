"""The consent page's answer: once, by the one it was shown to, in that session, to what was shown, soon."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.operations.people import accounts
from broker.operations.register import features
from tests.visitors.page import Page
from tests.visitors.partner import Partner
from tests.visitors.person import Person, redirected_to
from tests.visitors.site import Site
from tests.world import World


@pytest.fixture
def page(alice: Person, tuneloop: Partner) -> Page:
    """The page that was shown to alice."""
    return alice.open(tuneloop.asks("messages:write profile:read", state="kept"))


def _nothing_was_given(world: World, person: str = "alice") -> bool:
    return world.grant_or_none(person, "tuneloop-share") is None


def test_it_is_answered_once(sqlite_world: World, alice: Person, page: Page) -> None:
    _, given = redirected_to(alice.answer(page))
    assert "code" in given
    again = alice.answer(page)
    assert (again.status, "Location" in again.answer.headers) == (400, False)
    denied = alice.answer(page, decision="deny")
    assert (denied.status, "Location" in denied.answer.headers) == (400, False)


def test_a_no_cannot_be_turned_into_a_yes(sqlite_world: World, alice: Person, page: Page) -> None:
    _, given = redirected_to(alice.answer(page, decision="deny"))
    assert given["error"] == "access_denied"
    assert alice.answer(page).status == 400
    assert _nothing_was_given(sqlite_world)


def test_another_person_cannot_answer_it(sqlite_world: World, site: Site, page: Page) -> None:
    bob = Person(site, "bob")
    bob.log_in()
    answer = bob.submit(page, "decision", decision="approve", conversation="all", csrf_token=_csrf(bob))
    assert (answer.status, "Location" in answer.answer.headers) == (400, False)
    assert "opened by somebody else or in another session" in answer.text
    assert _nothing_was_given(sqlite_world, "bob")
    assert _nothing_was_given(sqlite_world)


def test_the_same_person_in_another_session_cannot_answer_it(sqlite_world: World, site: Site, page: Page) -> None:
    elsewhere = Person(site, "alice")
    elsewhere.log_in()
    answer = elsewhere.submit(page, "decision", decision="approve", conversation="all", csrf_token=_csrf(elsewhere))
    assert (answer.status, "in another session" in answer.text) == (400, True)
    assert _nothing_was_given(sqlite_world)


def test_after_logging_out_and_in_again_it_is_no_longer_valid(sqlite_world: World, alice: Person, page: Page) -> None:
    alice.submit(alice.open("/inbox"), "csrf_token")  # the form that every page has: log out
    assert not alice.is_logged_in()
    alice.log_in()
    answer = alice.submit(page, "decision", decision="approve", conversation="all", csrf_token=_csrf(alice))
    assert (answer.status, "in another session" in answer.text) == (400, True)
    assert _nothing_was_given(sqlite_world)


def _csrf(person: Person) -> str:
    return person.open("/account").form("csrf_token").value("csrf_token")


def test_an_answer_from_another_site_is_refused(sqlite_world: World, alice: Person, page: Page) -> None:
    """Without the CSRF token, or with that of another browser."""
    form = page.form("decision")
    for token in ("", "x", _csrf(_other(alice.site))):
        answer = alice.send(page, form, [("conversation", "all")], decision="approve", csrf_token=token)
        assert answer.status_code == 400
    assert _nothing_was_given(sqlite_world)


def _other(site: Site) -> Person:
    person = Person(site, "bob")
    person.log_in()
    return person


def test_it_is_too_old_after_ten_minutes(sqlite_world: World, alice: Person, page: Page) -> None:
    sqlite_world.clock.advance(minutes=10)
    answer = alice.answer(page)
    assert (answer.status, "open for too long" in answer.text) == (400, True)
    assert _nothing_was_given(sqlite_world)


def test_what_was_shown_has_changed_in_the_meantime(sqlite_world: World, alice: Person, page: Page) -> None:
    feature = sqlite_world.feature("share-a-track")
    with sqlite_world.write() as context:
        features.change_words(context, feature.id, replace(feature, purpose="Send anything anywhere."))
    answer = alice.answer(page)
    assert (answer.status, "Location" in answer.answer.headers) == (409, False)
    assert _nothing_was_given(sqlite_world)


def test_nothing_in_the_form_changes_the_request(sqlite_world: World, alice: Person, page: Page) -> None:
    """What was validated is in the signed ticket; the fields of the request beside it are not read."""
    answer = alice.submit(
        page, "decision", [("conversation", "all")], decision="approve", redirect_uri="https://evil.example/",
        client_id="northbank-notice", state="other", scope="contacts:read", code_challenge="x" * 43,
    )  # fmt: skip
    target, given = redirected_to(answer)
    assert target == "https://tuneloop.example/callback"
    assert given["state"] == "kept"
    assert {each.scope for each in sqlite_world.grant("alice", "tuneloop-share").scopes} == {"messages:write"}


def test_a_ticket_that_was_changed_or_made_up_is_refused(sqlite_world: World, alice: Person, page: Page) -> None:
    ticket = page.form("decision").value("ticket")
    body, signature = ticket.rsplit(".", 1)
    for changed in ("", "x", ticket[1:], f"{body}.{signature[::-1]}", f"{body}x.{signature}", ticket + "x", "a.b.c"):
        answer = alice.submit(page, "decision", [("conversation", "all")], decision="approve", ticket=changed)
        assert (answer.status, "Location" in answer.answer.headers) == (400, False), changed
    assert _nothing_was_given(sqlite_world)


def test_resuming_a_login_cannot_change_what_was_asked(site: Site, tuneloop: Partner) -> None:
    """Where a login goes on to is asked for afresh: a changed address is validated like any other."""
    carol = Person(site, "carol")
    page = carol.open(tuneloop.asks())
    target = page.form("username").value("next").replace("tuneloop.example", "evil.example")
    answer = carol.submit(page, "username", username="carol", password="carol-demo", next=target)
    assert (answer.status, "Location" in answer.answer.headers) == (400, False)


@pytest.mark.parametrize("decision", ["", "yes", "APPROVE", "approve "])
def test_without_one_of_the_two_buttons_nothing_is_decided(
    sqlite_world: World, alice: Person, page: Page, decision: str
) -> None:
    assert alice.answer(page, decision=decision).status == 400
    assert _nothing_was_given(sqlite_world)


def test_opening_the_page_gives_nothing(sqlite_world: World, page: Page) -> None:
    assert page.status == 200
    assert _nothing_was_given(sqlite_world)


def test_a_person_who_was_disabled_meanwhile_gives_nothing(sqlite_world: World, alice: Person, page: Page) -> None:
    with sqlite_world.write() as context:
        accounts.disable(context, "alice")
    assert alice.answer(page).path == "/login"
    assert _nothing_was_given(sqlite_world)


@pytest.mark.parametrize("name", ["ops", "tuneloop"])
def test_only_people_are_asked(site: Site, tuneloop: Partner, name: str) -> None:
    other = Person(site, name)
    other.log_in()
    answer = other.open(tuneloop.asks())
    assert (answer.status, [form for form in answer.forms if "decision" in form.names]) == (403, [])
