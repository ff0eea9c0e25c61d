"""The conversations that a person chooses, held on every endpoint; the others are as if they were not there."""

from __future__ import annotations

import pytest

from tests.visitors.page import Page
from tests.visitors.partner import Partner, Token
from tests.visitors.person import Person
from tests.visitors.site import Site

ALL = "messages:read messages:write participants:read"


@pytest.fixture
def reelwise(site: Site) -> Partner:
    """A partner that may read, write, and see who is there."""
    return Partner(site, "reelwise-recommend")


def _box_beside(page: Page, title: str) -> str:
    """The value of the box beside a conversation's title."""
    before = page.answer.text[: page.answer.text.index(title)]
    return before[before.rindex('value="') + 7 :].split('"')[0]


def _connected(person: Person, partner: Partner, *titles: str) -> Token:
    page = person.open(partner.asks(ALL))
    chosen = [_box_beside(page, title) for title in titles] or ["all"]
    return partner.receives(person.answer(page, scopes=["participants:read"], conversations=chosen))


def _threads(partner: Partner, token: Token) -> dict[str, str]:
    found = partner.calls("GET", "/api/threads", token).json()["threads"]
    return {thread["title"]: thread["id"] for thread in found}


def _reached(partner: Partner, token: Token, thread: str) -> list[int]:
    """How listing, posting and naming who is there are answered for a thread."""
    path = f"/api/threads/{thread}"
    return [
        partner.calls("GET", f"{path}/messages", token).status_code,
        partner.calls("POST", f"{path}/messages", token, json={"text": "hello"}).status_code,
        partner.calls("GET", f"{path}/participants", token).status_code,
    ]


def test_only_the_chosen_conversation_can_be_listed_read_and_written(
    site: Site, alice: Person, reelwise: Partner
) -> None:
    bob = Person(site, "bob")
    every = _threads(reelwise, reelwise.connects(bob, ALL))  # the same identifiers: they are this client's
    token = _connected(alice, reelwise, "Flat 3B")
    assert set(_threads(reelwise, token)) == {"Flat 3B"}
    assert _reached(reelwise, token, every["Flat 3B"]) == [200, 201, 200]
    assert _reached(reelwise, token, every["Saturday hike"]) == [404, 404, 404]


def test_all_of_them_is_all_that_the_person_is_in_and_no_other(site: Site, alice: Person, reelwise: Partner) -> None:
    every = _threads(reelwise, reelwise.connects(Person(site, "bob"), ALL))
    token = _connected(alice, reelwise)
    assert set(_threads(reelwise, token)) == {"Saturday hike", "Flat 3B"}
    assert _reached(reelwise, token, every["Reading list"]) == [404, 404, 404]


def test_a_later_answer_replaces_the_choice(alice: Person, reelwise: Partner) -> None:
    page = alice.open(reelwise.asks("messages:read"))
    token = reelwise.receives(alice.answer(page, conversations=[_box_beside(page, "Flat 3B")]))
    _connected(alice, reelwise, "Saturday hike")
    assert set(_threads(reelwise, token)) == {"Saturday hike"}, "the grant is one, and earlier tokens are bounded by it"


def test_choosing_none_is_no_consent_and_the_page_can_be_answered_again(alice: Person, tuneloop: Partner) -> None:
    page = alice.open(tuneloop.asks())
    refused = alice.answer(page, conversations=[])
    assert refused.status == 400
    assert tuneloop.receives(alice.answer(refused))["scope"] == "messages:write"


def test_a_conversation_that_is_not_this_persons_cannot_be_chosen(site: Site, alice: Person, tuneloop: Partner) -> None:
    bob = Person(site, "bob")
    bob.log_in()
    foreign = _box_beside(bob.open(tuneloop.asks()), "Reading list")
    refused = alice.answer(alice.open(tuneloop.asks()), conversations=[foreign])
    assert refused.status == 404


def test_where_no_scope_is_bound_to_conversations_none_is_asked_for(site: Site, alice: Person) -> None:
    playing = Partner(site, "tuneloop-playing", auth="client_secret_post")
    page = alice.open(playing.asks())
    assert page.form("decision").choices("conversation") == []
    assert playing.receives(alice.answer(page))["scope"] == "posts:read"
