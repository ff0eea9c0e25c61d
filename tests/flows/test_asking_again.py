"""Who is asked again, and who is sent back at once; and what counts as presence."""

from __future__ import annotations

from broker.domain.features import CeilingEntry
from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import Site
from tests.world import World


def _is_asked(person: Person, url: str) -> bool:
    page = person.open(url)
    return any("decision" in form.names for form in page.forms)


def test_an_unchanged_request_of_a_confidential_client_is_answered_at_once(alice: Person, tuneloop: Partner) -> None:
    first = tuneloop.connects(alice)
    page = alice.open(tuneloop.asks())
    assert page.status == 303
    second = tuneloop.receives(page)
    assert second["scope"] == first["scope"]
    assert tuneloop.calls("GET", "/api/threads", first).status_code == 200, "earlier tokens stay"


def test_a_page_that_makes_a_browser_ask_again_and_again_is_stopped(
    world: World, alice: Person, tuneloop: Partner
) -> None:
    tuneloop.connects(alice)
    asked = tuneloop.asks()
    answers = [alice.http.get(asked) for _ in range(61)]
    assert [answer.status_code for answer in answers] == [303] * 60 + [429]
    assert (answers[-1].headers["Retry-After"], "Location" in answers[-1].headers) == ("60", False)
    world.clock.advance(minutes=1)
    assert alice.http.get(asked).status_code == 303


def test_a_public_client_is_asked_about_each_time(site: Site, alice: Person) -> None:
    native = Partner(site, "tuneloop-app", redirect_uri="http://127.0.0.1:50000/callback", auth="none")
    native.connects(alice)
    assert _is_asked(alice, native.asks())


def test_another_person_at_the_same_client_is_asked(site: Site, alice: Person, tuneloop: Partner) -> None:
    tuneloop.connects(alice)
    bob = Person(site, "bob")
    bob.log_in()
    assert _is_asked(bob, tuneloop.asks())


def test_asking_for_more_than_before_asks_the_person(alice: Person, tuneloop: Partner) -> None:
    tuneloop.connects(alice)
    assert _is_asked(alice, tuneloop.asks("messages:write profile:read"))


def test_a_no_to_an_optional_scope_is_remembered_and_not_asked_again(alice: Person, tuneloop: Partner) -> None:
    both = "messages:write profile:read"
    assert tuneloop.connects(alice, both)["scope"] == "messages:write"
    page = alice.open(tuneloop.asks(both))
    assert page.status == 303
    assert tuneloop.receives(page)["scope"] == "messages:write"


def test_after_a_widening_the_person_is_asked_and_the_old_grant_gets_nothing(
    world: World, alice: Person, tuneloop: Partner
) -> None:
    token = tuneloop.connects(alice)
    added = CeilingEntry("messages:read", "We look for songs.", required=True, since=0, beyond_need="New.")
    world.widen("share-a-track", added)
    assert tuneloop.refreshes(token)["scope"] == "messages:write"
    page = alice.open(tuneloop.asks())
    assert "Title of messages:read" in page.text
    assert tuneloop.receives(alice.answer(page))["scope"] == "messages:read messages:write"


def test_after_a_disconnection_the_person_is_asked(alice: Person, tuneloop: Partner) -> None:
    token = tuneloop.connects(alice)
    page = alice.open("/connected-apps")
    form = next(form for form in page.forms if form.action.endswith("/disconnect"))
    assert alice.send(page, form).status_code == 303
    assert tuneloop.calls("GET", "/api/threads", token).json()["type"] == "urn:palaver:problem:grant-ended"
    assert _is_asked(alice, tuneloop.asks())


def test_after_a_reopening_the_person_is_asked_and_old_tokens_stay_dead(
    world: World, alice: Person, tuneloop: Partner
) -> None:
    token = tuneloop.connects(alice)
    world.shut_down("share-a-track")
    world.reopen("share-a-track")
    assert _is_asked(alice, tuneloop.asks())
    fresh = tuneloop.connects(alice)
    assert tuneloop.calls("GET", "/api/threads", token).json()["type"] == "urn:palaver:problem:grant-ended"
    assert tuneloop.calls("GET", "/api/threads", fresh).status_code == 200


# --- presence: an act on a page of ours ------------------------------------------------------------------------------


def test_being_sent_back_at_once_is_no_presence(world: World, alice: Person, tuneloop: Partner) -> None:
    tuneloop.connects(alice)
    before = world.grant("alice", "tuneloop-share").presence_ends_at
    world.clock.advance(hours=1)
    assert alice.open(tuneloop.asks()).status == 303
    assert world.grant("alice", "tuneloop-share").presence_ends_at == before


def test_signing_in_on_the_way_to_the_app_is_presence(
    world: World, site: Site, alice: Person, tuneloop: Partner
) -> None:
    tuneloop.connects(alice)
    before = world.grant("alice", "tuneloop-share").presence_ends_at
    world.clock.advance(days=10)
    elsewhere = Person(site, "alice")
    assert elsewhere.log_in(at=elsewhere.open(tuneloop.asks())).status == 303
    assert world.grant("alice", "tuneloop-share").presence_ends_at == before + 10 * 86_400_000_000


def test_saying_keep_on_the_page_is_presence_and_using_the_app_is_not(
    world: World, alice: Person, tuneloop: Partner
) -> None:
    token = tuneloop.connects(alice)
    before = world.grant("alice", "tuneloop-share").presence_ends_at
    world.clock.advance(minutes=5)
    tuneloop.calls("GET", "/api/threads", token)
    tuneloop.refreshes(token)
    assert world.grant("alice", "tuneloop-share").presence_ends_at == before
    page = alice.open("/connected-apps")
    form = next(form for form in page.forms if form.action.endswith("/keep"))
    alice.send(page, form)
    assert world.grant("alice", "tuneloop-share").presence_ends_at == before + 5 * 60_000_000


def test_a_grant_whose_person_was_away_for_ninety_days_is_over_whatever_the_partner_did(
    world: World, alice: Person, tuneloop: Partner
) -> None:
    token = tuneloop.connects(alice)
    for _ in range(8):
        world.clock.advance(days=10)
        token = tuneloop.refreshes(token)
        world.use(token["access_token"])
    world.clock.advance(days=10)
    assert tuneloop.calls("GET", "/api/threads", token).json()["type"] == "urn:palaver:problem:grant-ended"
