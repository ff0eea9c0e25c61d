"""Messages: posted by people and through apps, deleted by their author's app, where a grant is for the conversation."""

from __future__ import annotations

import pytest

from broker.domain.decisions import Allowed, Denied
from broker.domain.errors import NotFound, Refused
from broker.domain.tokens import digest
from broker.operations import messages
from broker.store import conversations
from broker.store.conversations import Message
from tests.world import Connection, World

WRITE, DELETE = "messages:write", "messages:delete"


def _in(world: World, title: str) -> list[Message]:
    number = world.thread(title)
    with world.read() as context:
        return conversations.messages(context.transaction, number, count=100)


def _admitted(world: World, connection: Connection, scope: str = WRITE) -> Allowed:
    decision = world.check(connection.access, scope)
    assert isinstance(decision, Allowed)
    return decision


def test_an_app_s_message_is_its_user_s_and_says_through_which_app(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    posted = world.post(alice.access, "a song")
    assert isinstance(posted, Message)
    assert (posted.via_id, posted.via_name, posted.text) == ("tuneloop-share", "TuneLoop", "a song")
    newest = _in(world, "Saturday hike")[0]
    assert (newest.id, newest.author_id, newest.author_name, newest.via_name, newest.sent_at) == (
        posted.id, world.account("alice"), "Alice", "TuneLoop", world.clock.now,
    )  # fmt: skip


def test_a_person_posts_into_their_own_conversations_only(world: World) -> None:
    bob, thread = world.account("bob"), world.thread("Reading list")
    with world.write("user:bob") as context:
        messages.post(context, bob, thread, "I liked it")
    assert (_in(world, "Reading list")[0].text, _in(world, "Reading list")[0].via_id) == ("I liked it", None)
    alice = world.account("alice")
    for number in (thread, 99_999):
        with world.write("user:alice") as context, pytest.raises(NotFound, match="no such conversation"):
            messages.post(context, alice, number, "hello")


def test_an_app_posts_where_its_grant_is_for_and_its_user_is(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", threads={world.thread("Flat 3B"), world.thread("Reading list")})
    assert not isinstance(world.post(alice.access, thread="Flat 3B"), Denied)
    for title in ("Saturday hike", "Reading list"):  # not chosen; chosen, but not alice's
        with pytest.raises(NotFound, match="no such conversation"):
            world.post(alice.access, thread=title)
    allowed = _admitted(world, alice)
    with world.write("app") as context, pytest.raises(NotFound, match="no such conversation"):
        messages.post_through_app(context, allowed, None, "hello")


def test_a_grant_for_no_conversation_reaches_none(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", threads=set())
    with pytest.raises(NotFound, match="no such conversation"):
        world.post(alice.access)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a message has text"),
        (" \n\t", "a message has text"),
        ("a" * 4001, "at most 4000 characters"),
        ("a\0b", "no NUL"),
        ("a\ud800b", "no lone surrogates"),
    ],
)
def test_what_is_no_message_is_refused_and_nothing_is_posted(world: World, text: str, words: str) -> None:
    alice = world.connect("alice", "tuneloop-share")
    before = len(_in(world, "Saturday hike"))
    with pytest.raises(Refused, match=words):
        world.post(alice.access, text)
    assert len(_in(world, "Saturday hike")) == before


def test_a_message_of_any_other_characters_is_kept_as_it_is(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    for text in ("a" * 4000, "\u202e\U0001f3b5 \u00e9\u0301\n  <b>'\"; DROP TABLE message; --", "\x01"):
        assert not isinstance(world.post(alice.access, text), Denied)
        assert _in(world, "Saturday hike")[0].text == text


# --- deleting: no feature of the small register may, so the decision is given -----------------------------------------


def test_an_app_deletes_a_message_of_its_user_s_where_its_grant_is_for(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", threads={world.thread("Saturday hike")})
    posted = world.post(alice.access, "oops")
    assert isinstance(posted, Message)
    allowed = _admitted(world, alice)
    with world.write("app") as context:
        assert messages.delete_through_app(context, allowed, posted.id).text == "oops"
        with pytest.raises(NotFound, match="no such message"):
            messages.delete_through_app(context, allowed, posted.id)
    assert "oops" not in [each.text for each in _in(world, "Saturday hike")]


def test_an_app_deletes_nothing_of_others_and_nothing_elsewhere(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    elsewhere = world.post(alice.access, "stays", thread="Flat 3B")
    assert isinstance(elsewhere, Message)
    of_bob = next(each for each in _in(world, "Saturday hike") if each.author_name == "Bob")
    world.connect("alice", "tuneloop-share", threads={world.thread("Saturday hike")})
    allowed = _admitted(world, alice)
    for number, words in (
        (of_bob.id, "message"),
        (99_999, "message"),
        (None, "message"),
        (elsewhere.id, "conversation"),
    ):
        with world.write("app") as context, pytest.raises(NotFound, match=f"no such {words}"):
            messages.delete_through_app(context, allowed, number)
    assert "stays" in [each.text for each in _in(world, "Flat 3B")]


def test_a_write_is_judged_with_its_own_scope(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    with world.write("app") as context:
        assert isinstance(messages.admit(context, digest(alice.access), WRITE), Allowed)
        denied = messages.admit(context, digest(alice.access), DELETE)
        unknown = messages.admit(context, digest("nobody's"), WRITE)
    assert isinstance(denied, Denied)
    assert isinstance(unknown, Denied)
    assert (denied.reason.value, unknown.reason.value) == ("insufficient-scope", "unknown-token")
