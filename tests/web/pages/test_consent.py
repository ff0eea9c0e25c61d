"""The consent page: everything that a person needs in order to decide, and nothing decided for them."""

from __future__ import annotations

import pytest

from broker.domain.instants import DAY
from broker.operations.people import accounts
from broker.operations.register import features
from tests.visitors.page import Page
from tests.visitors.partner import Partner
from tests.visitors.person import Person, redirected_to
from tests.visitors.reading import said
from tests.visitors.site import Site
from tests.world import World

BOTH = "messages:write profile:read"


@pytest.fixture
def page(alice: Person, tuneloop: Partner) -> Page:
    """TuneLoop asks alice for what it needs and for what it would like."""
    return alice.open(tuneloop.asks(BOTH))


def test_it_says_who_asks_for_which_feature_and_why(page: Page) -> None:
    assert "TuneLoop asks for your permission" in said(page)
    assert "Share a track" in said(page)
    assert "<bdi>TuneLoop</bdi> says: “<bdi>Send a song into a conversation.</bdi>”" in page.answer.text


def test_the_app_is_named_where_its_name_is_not_the_partners(site: Site, alice: Person, page: Page) -> None:
    assert "through its app" not in said(page)
    app = Partner(site, "tuneloop-app", "http://127.0.0.1/callback", "none")
    assert "through its app TuneLoop app" in said(alice.open(app.asks()))


@pytest.mark.parametrize("scope", ["messages:write", "profile:read"])
def test_each_scope_is_said_in_our_words_with_an_example(page: Page, scope: str) -> None:
    for words in (f"Title of {scope}", f"Text of {scope}.", f"For example: Example of {scope}."):
        assert words in said(page)


@pytest.mark.parametrize("reason", ["We post the song that you share.", "We greet you by name."])
def test_each_reason_stands_in_quotation_marks_as_what_the_partner_says(page: Page, reason: str) -> None:
    assert f"<bdi>TuneLoop</bdi> says: “<bdi>{reason}</bdi>”" in page.answer.text


def test_what_is_needed_is_a_line_and_what_is_optional_an_unticked_box(page: Page) -> None:
    form = page.form("decision")
    assert form.choices("scope") == ["profile:read"]
    assert form.ticked() == []


def test_every_conversation_of_the_person_is_offered_and_none_is_chosen(page: Page) -> None:
    assert len(page.form("decision").choices("conversation")) == 3
    assert page.form("decision").choices("conversation")[-1] == "all"
    assert "Saturday hike" in said(page)
    assert "Flat 3B" in said(page)
    assert "Reading list" not in said(page)  # bob's and carol's


def test_no_conversation_is_asked_for_where_no_scope_is_about_them(site: Site, alice: Person) -> None:
    form = alice.open(Partner(site, "tuneloop-playing").asks()).form("decision")
    assert "conversation" not in form.names


def test_it_says_when_it_ends_by_itself(page: Page) -> None:
    assert '<time datetime="2028-02-29T09:00:00.000Z">29 Feb 2028</time> at the latest' in page.answer.text
    assert "is shut down before, your permission ends at that moment" in said(page)
    assert "when you have not used it for 90 days" in said(page)


def test_a_feature_with_an_end_says_that_permission_ends_with_it(
    sqlite_world: World, alice: Person, tuneloop: Partner
) -> None:
    with sqlite_world.write() as context:
        features.schedule(context, "share-a-track", context.now + 30 * DAY)
    text = said(alice.open(tuneloop.asks()))
    assert "By itself, on 31 Mar 2027 That day the feature ends, and your permission with it." in text


def test_it_says_where_both_buttons_lead(page: Page) -> None:
    assert "Either way you return to https://tuneloop.example," in said(page)
    assert page.form("decision").buttons == [("decision", "deny"), ("decision", "approve")]
    assert "form-action 'self' https://tuneloop.example" in page.answer.headers["Content-Security-Policy"]


def test_it_says_what_the_partner_holds_through_its_other_features(
    sqlite_world: World, alice: Person, tuneloop: Partner
) -> None:
    assert "already holds" not in said(alice.open(tuneloop.asks()))
    sqlite_world.connect("alice", "tuneloop-playing")
    assert "TuneLoop already holds a permission of yours for Now playing" in said(alice.open(tuneloop.asks()))


def test_what_is_held_already_is_said_to_be(sqlite_world: World, site: Site, alice: Person) -> None:
    app = Partner(site, "tuneloop-app", "http://127.0.0.1/callback", "none")  # a public client is always asked about
    assert "You allow this" not in said(alice.open(app.asks(BOTH)))
    sqlite_world.connect("alice", "tuneloop-app", "messages:write", "profile:read")
    text = said(alice.open(app.asks(BOTH)))
    assert "You allow this already." in text
    assert "You allow this now. Left unticked, it is taken back." in text


def test_another_person_can_log_in_to_the_same_question(site: Site, page: Page, alice: Person) -> None:
    assert "You are Alice (alice)." in said(page)
    login = alice.submit(page, "next")
    assert login.path == "/login"
    assert "TuneLoop wants to ask you for something" in said(login)
    bob = Person(site, "bob")
    bob.http = alice.http  # the same browser
    again = bob.log_in(at=login)
    assert "You are Bob (bob)." in said(again)
    assert again.form("decision").choices("scope") == ["profile:read"]


def test_denying_needs_no_choice_and_gives_nothing(sqlite_world: World, alice: Person, page: Page) -> None:
    target, found = redirected_to(alice.answer(page, "deny", conversations=()))
    assert target == "https://tuneloop.example/callback"
    assert found["error"] == "access_denied"
    assert "consent.approved" not in sqlite_world.log()


def test_approving_without_a_conversation_is_asked_again_with_what_was_ticked(
    sqlite_world: World, alice: Person, page: Page
) -> None:
    again = alice.answer(page, scopes=["profile:read"], conversations=())
    assert again.status == 400
    assert "tick at least one conversation" in said(again)
    assert again.form("decision").ticked() == [("scope", "profile:read")]
    assert "consent.approved" not in sqlite_world.log()
    chosen = again.form("decision").choices("conversation")[:1]
    assert "code" in redirected_to(alice.answer(again, scopes=["profile:read"], conversations=chosen))[1]
    assert {each.scope for each in sqlite_world.grant("alice", "tuneloop-share").scopes} == set(BOTH.split())


def test_the_page_that_was_asked_again_is_spent(alice: Person, page: Page) -> None:
    alice.answer(page, conversations=())
    assert alice.answer(page).status == 400


def test_without_any_conversation_all_later_ones_are_given_only_if_ticked(
    sqlite_world: World, site: Site, tuneloop: Partner
) -> None:
    with sqlite_world.write() as context:
        accounts.register(context, username="dave", display_name="Dave", password="dave-demo", role="user")
    dave = Person(site, "dave")
    dave.log_in()
    page = dave.open(tuneloop.asks())
    assert "You are in none yet." in said(page)
    assert page.form("decision").choices("conversation") == ["all"]
    assert dave.answer(page, conversations=()).status == 400
    assert "consent.approved" not in sqlite_world.log()
    assert "code" in redirected_to(dave.answer(dave.open(tuneloop.asks())))[1]


def test_another_persons_conversation_cannot_be_chosen(site: Site, alice: Person, bob: Person, page: Page) -> None:
    app = Partner(site, "tuneloop-share")
    foreign = bob.open(app.asks()).form("decision").choices("conversation")[0]
    assert alice.answer(page, conversations=[foreign]).status == 404


def test_operators_and_partners_cannot_give_permission(ops: Person, tuneloop: Partner) -> None:
    page = ops.open(tuneloop.asks())
    assert page.status == 403
    assert "Only people can give permission" in said(page)
