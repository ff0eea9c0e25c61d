"""The messages API as docs/api.md shapes it: pages with a cursor, pseudonyms, who posted, what is not said."""

from __future__ import annotations

import re
from typing import Any

import pytest

from broker.domain.features import CeilingEntry
from tests.visitors.partner import Partner, Token
from tests.visitors.person import Person
from tests.visitors.site import Site
from tests.world import World

ALL = "messages:read messages:write participants:read"
IDENTIFIER = re.compile(r"[0-9bcdfgh]{32}")
TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def reelwise(site: Site) -> Partner:
    """A partner that may read, write, and see who is there."""
    return Partner(site, "reelwise-recommend")


@pytest.fixture
def token(alice: Person, reelwise: Partner) -> Token:
    """Its token for alice, who ticked everything."""
    return reelwise.connects(alice, ALL, scopes=["participants:read"])


def _thread(partner: Partner, token: Token, title: str = "Saturday hike") -> str:
    found = partner.calls("GET", "/api/threads", token).json()["threads"]
    return {thread["title"]: str(thread["id"]) for thread in found}[title]


def _messages(partner: Partner, token: Token, thread: str, **parameters: str) -> dict[str, Any]:
    answer = partner.calls("GET", f"/api/threads/{thread}/messages", token, params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_threads_are_identifiers_and_titles_and_nothing_else(reelwise: Partner, token: Token) -> None:
    found = reelwise.calls("GET", "/api/threads", token).json()["threads"]
    assert {thread["title"] for thread in found} == {"Saturday hike", "Flat 3B"}
    for thread in found:
        assert set(thread) == {"id", "title"}
        assert IDENTIFIER.fullmatch(thread["id"])


def test_a_message_names_no_person(reelwise: Partner, token: Token) -> None:
    found = _messages(reelwise, token, _thread(reelwise, token))
    assert [message["text"] for message in found["messages"]] == ["Me!", "Who is in?"], "the newest first"
    newest, oldest = found["messages"]
    assert set(newest) == {"id", "author", "text", "sent_at", "via"}
    assert IDENTIFIER.fullmatch(newest["author"])
    assert oldest["author"] == "self"
    assert TIME.fullmatch(newest["sent_at"])
    assert (newest["via"], found["next"]) == (None, None)


def test_a_posted_message_says_which_app_it_came_through(reelwise: Partner, token: Token) -> None:
    thread = _thread(reelwise, token)
    answer = reelwise.calls("POST", f"/api/threads/{thread}/messages", token, json={"text": "See this film."})
    posted = answer.json()
    assert answer.status_code == 201
    assert (posted["author"], posted["text"], posted["via"]) == ("self", "See this film.", "Reelwise")
    assert _messages(reelwise, token, thread)["messages"][0] == posted


def test_pages_follow_each_other_without_a_gap_or_a_double(reelwise: Partner, token: Token) -> None:
    thread = _thread(reelwise, token)
    for number in range(45):
        reelwise.calls("POST", f"/api/threads/{thread}/messages", token, json={"text": f"number {number}"})
    sizes, texts, cursor = list[int](), list[str](), dict[str, str]()
    while not sizes or cursor:
        page = _messages(reelwise, token, thread, **cursor)
        sizes.append(len(page["messages"]))
        texts += [message["text"] for message in page["messages"]]
        cursor = {"cursor": page["next"]} if page["next"] else {}
    assert sizes == [20, 20, 7]
    assert texts == [*(f"number {number}" for number in reversed(range(45))), "Me!", "Who is in?"]


def test_the_page_after_the_last_message_is_empty(reelwise: Partner, token: Token) -> None:
    thread = _thread(reelwise, token)
    oldest = _messages(reelwise, token, thread)["messages"][-1]["id"]
    assert _messages(reelwise, token, thread, cursor=oldest) == {"messages": [], "next": None}


def test_a_cursor_that_is_not_this_clients_is_an_error(site: Site, reelwise: Partner, token: Token) -> None:
    thread = _thread(reelwise, token)
    other = Partner(site, "northbank-notice")
    foreign = _thread(other, other.connects(Person(site, "alice")))
    for cursor in (foreign, "", "0" * 32, "-1", "1", thread):
        answer = reelwise.calls("GET", f"/api/threads/{thread}/messages", token, params={"cursor": cursor})
        assert (answer.status_code, answer.json()["type"]) == (400, "urn:palaver:problem:bad-request"), cursor


def test_participants_have_the_authors_that_their_messages_have(reelwise: Partner, token: Token) -> None:
    thread = _thread(reelwise, token)
    people = reelwise.calls("GET", f"/api/threads/{thread}/participants", token).json()["participants"]
    by_name = {person["username"]: person["author"] for person in people}
    assert set(by_name) == {"alice", "bob", "carol"}
    assert by_name["alice"] == "self"
    assert _messages(reelwise, token, thread)["messages"][0]["author"] == by_name["bob"]


def test_a_pseudonym_is_stable_within_a_thread_and_another_in_the_next(reelwise: Partner, token: Token) -> None:
    hike, flat = _thread(reelwise, token), _thread(reelwise, token, "Flat 3B")
    once, again = (_messages(reelwise, token, hike)["messages"][0]["author"] for _ in range(2))
    elsewhere = _messages(reelwise, token, flat)["messages"][0]["author"]
    assert once == again
    assert elsewhere != once, "bob in both threads, and nothing shows it"


def test_two_clients_cannot_join_what_they_hold(site: Site, world: World, reelwise: Partner, token: Token) -> None:
    """Threads, messages and authors; through two clients of which each reads the same conversation."""
    other = Partner(site, "northbank-notice")
    theirs = other.connects(Person(site, "alice"))
    mine, yours = _thread(reelwise, token), _thread(other, theirs)
    assert mine != yours
    for partner, held, foreign in ((reelwise, token, yours), (other, theirs, mine)):
        answer = partner.calls("POST", f"/api/threads/{foreign}/messages", held, json={"text": "hello"})
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:palaver:problem:not-found")


def test_sub_is_one_per_partner_and_another_towards_the_next(site: Site, alice: Person) -> None:
    """A partner's features share a subject: it is the partner who must not be told apart from itself."""
    share = Partner(site, "tuneloop-share")
    app = Partner(site, "tuneloop-app", redirect_uri="http://127.0.0.1:50000/callback", auth="none")
    subjects = []
    for partner in (share, app):
        held = partner.connects(alice, "messages:write profile:read", scopes=["profile:read"])
        me = partner.calls("GET", "/api/me", held).json()
        assert set(me) == {"sub", "username", "name"}
        subjects.append(me["sub"])
    assert subjects[0] == subjects[1]
    assert IDENTIFIER.fullmatch(subjects[0])


def test_unknown_forbidden_and_ill_written_identifiers_get_the_same_answer(
    site: Site, reelwise: Partner, token: Token
) -> None:
    bobs = reelwise.connects(Person(site, "bob"), ALL)
    forbidden = _thread(reelwise, bobs, "Reading list")
    answers = {
        reelwise.calls("GET", f"/api/threads/{thread}/messages", token).content
        for thread in (forbidden, "0" * 32, "1", "-1", str(10**30), "x" * 5000, "é")
    }
    assert len(answers) == 1


def test_an_app_deletes_what_its_user_wrote_and_nothing_else(
    world: World, alice: Person, reelwise: Partner, token: Token
) -> None:
    thread = _thread(reelwise, token)
    theirs, mine = (message["id"] for message in _messages(reelwise, token, thread)["messages"])
    refused = reelwise.calls("DELETE", f"/api/messages/{mine}", token)
    assert (refused.status_code, refused.json()["scope"]) == (403, "messages:delete")

    added = CeilingEntry("messages:delete", "We tidy up.", required=True, since=0, beyond_need="You asked us.")
    world.widen("recommend-a-show", added)
    tidy = reelwise.connects(alice, "messages:delete")
    assert reelwise.calls("DELETE", f"/api/messages/{theirs}", tidy).status_code == 404
    assert reelwise.calls("DELETE", f"/api/messages/{mine}", tidy).status_code == 204
    assert reelwise.calls("DELETE", f"/api/messages/{mine}", tidy).status_code == 404
    assert [message["text"] for message in _messages(reelwise, token, thread)["messages"]] == ["Me!"]


def test_posts_are_the_persons_own(site: Site, alice: Person) -> None:
    playing = Partner(site, "tuneloop-playing", auth="client_secret_post")
    found = playing.calls("GET", "/api/posts", playing.connects(alice)).json()["posts"]
    assert [post["text"] for post in found] == ["Two chairs, blue.", "First swim."]
    assert all(set(post) == {"id", "text", "sent_at"} for post in found)


def test_friends_and_contacts_are_names_and_keyed_identifiers(site: Site, world: World, alice: Person) -> None:
    northbank = Partner(site, "northbank-notice")
    for scope in ("friends:read", "contacts:read"):
        world.widen("transfer-notice", CeilingEntry(scope, "We look.", required=True, since=0, beyond_need="New."))
    token = northbank.connects(alice, "friends:read contacts:read")
    (friend,) = northbank.calls("GET", "/api/friends", token).json()["friends"]
    (contact,) = northbank.calls("GET", "/api/contacts", token).json()["contacts"]
    assert friend | {"id": ""} == {"id": "", "name": "Bob"}
    assert contact | {"id": ""} == {"id": "", "name": "Mum", "email": "mum@family.example"}
    assert all(IDENTIFIER.fullmatch(each["id"]) for each in (friend, contact))


NO_MESSAGES = (
    (b"", "application/json"), (b"{}", "application/json"), (b'{"text": 1}', "application/json"),
    (b'{"text": "x", "as": "bob"}', "application/json"), (b'{"text": ""}', "application/json"),
    (b'{"text": "   "}', "application/json"), (b'{"text": "\\u0000"}', "application/json"),
    (b'{"text": "\\ud800"}', "application/json"), (b'{"text": "\xff"}', "application/json"),
    (b"text=hello", "application/x-www-form-urlencoded"), (b'{"text": "hello"}', "text/plain"),
    (b"[" * 5000, "application/json"), (b'{"text": "' + b"x" * 4001 + b'"}', "application/json"),
)  # fmt: skip


def test_what_is_no_message_is_refused_and_nothing_is_posted(reelwise: Partner, token: Token) -> None:
    thread = _thread(reelwise, token)
    before = _messages(reelwise, token, thread)
    for body, kind in NO_MESSAGES:
        headers = {"Authorization": f"Bearer {token['access_token']}", "Content-Type": kind}
        answer = reelwise.http.post(f"/api/threads/{thread}/messages", content=body, headers=headers)
        assert answer.status_code == 400, body
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert _messages(reelwise, token, thread) == before
