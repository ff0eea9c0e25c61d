"""Palaver's data, as far as it is somebody's to see."""

from __future__ import annotations

from sqlalchemy import select

from broker.store import conversations, grants
from broker.store import schema as s
from broker.store.conversations import Message
from broker.store.engine.statements import Statement
from broker.store.evidence import audit
from tests.world import START, World


def _titles(world: World, person: str, *, grant_id: int | None = None, whole: bool = True) -> list[str]:
    account = world.account(person)
    with world.database.read() as transaction:
        return [title for _, title in conversations.threads(transaction, account, grant_id=grant_id, whole=whole)]


def _messages(world: World, thread: str, **page: int) -> list[str]:
    number = world.thread(thread)
    with world.database.read() as transaction:
        return [each.text for each in conversations.messages(transaction, number, **({"count": 50} | page))]


def test_a_person_sees_the_threads_that_they_are_in(world: World) -> None:
    assert _titles(world, "alice") == ["Saturday hike", "Flat 3B"]
    assert _titles(world, "carol") == ["Saturday hike", "Reading list"]
    books, alice, carol = world.thread("Reading list"), world.account("alice"), world.account("carol")
    with world.database.read() as transaction:
        assert conversations.thread(transaction, books, carol) == (books, "Reading list")
        assert conversations.thread(transaction, books, alice) is None


def test_a_grant_for_chosen_threads_shows_those_and_only_while_the_person_is_in_them(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    flat, books = world.thread("Flat 3B"), world.thread("Reading list")
    account = world.account("alice")
    with world.database.write() as transaction:
        grants.set_threads(transaction, alice.grant_id, [flat, books])
    assert _titles(world, "alice", grant_id=alice.grant_id, whole=False) == ["Flat 3B"]
    assert _titles(world, "alice", grant_id=alice.grant_id + 1, whole=False) == []
    assert _titles(world, "alice", grant_id=alice.grant_id, whole=True) == ["Saturday hike", "Flat 3B"]
    hike = world.thread("Saturday hike")
    with world.database.read() as transaction:
        seen = [
            conversations.thread(transaction, each, account, grant_id=alice.grant_id, whole=False)
            for each in (flat, books, hike)
        ]
    assert seen == [(flat, "Flat 3B"), None, None]


def test_without_a_grant_nothing_was_chosen(world: World) -> None:
    assert _titles(world, "alice", whole=False) == []


def test_the_people_of_a_thread_are_named(world: World) -> None:
    flat = world.thread("Flat 3B")
    with world.database.read() as transaction:
        people = conversations.members(transaction, flat)
        assert conversations.members(transaction, 1 << 40) == []
    assert people == [(world.account("alice"), "alice", "Alice"), (world.account("bob"), "bob", "Bob")]


# --- messages -------------------------------------------------------------------------------------------------------


def test_messages_come_newest_first_and_a_page_at_a_time(world: World) -> None:
    hike, alice = world.thread("Saturday hike"), world.account("alice")
    with world.database.write() as transaction:
        ids = [
            conversations.post(transaction, thread_id=hike, author_id=alice, text=f"text {number}", at=START)
            for number in range(3)
        ]
    assert ids == sorted(ids)
    assert _messages(world, "Saturday hike") == ["text 2", "text 1", "text 0", "Me!", "Who is in?"]
    assert _messages(world, "Saturday hike", count=2) == ["text 2", "text 1"]
    assert _messages(world, "Saturday hike", count=2, before=ids[1]) == ["text 0", "Me!"]
    assert _messages(world, "Saturday hike", before=0) == []
    assert _messages(world, "Flat 3B") == ["The plumber comes on Tuesday."]


def test_a_message_says_who_wrote_it_and_which_app_posted_it(world: World) -> None:
    hike, alice = world.thread("Saturday hike"), world.account("alice")
    with world.database.write() as transaction:
        own = conversations.post(transaction, thread_id=hike, author_id=alice, text="own \U0001f600", at=START + 1)
        posted = conversations.post(
            transaction, thread_id=hike, author_id=alice, text="via", at=START + 2, client_id="tuneloop-share",
            feature_id="share-a-track", feature_epoch=1, grant_id=5,
        )  # fmt: skip
    with world.database.read() as transaction:
        newest, second = conversations.messages(transaction, hike, count=2)
    assert newest == Message(posted, hike, alice, "Alice", "via", START + 2, "tuneloop-share", "TuneLoop")
    assert second == Message(own, hike, alice, "Alice", "own \U0001f600", START + 1, None, None)
    with world.database.read() as transaction:
        assert [conversations.message(transaction, number) for number in (own, posted)] == [second, newest]
        assert conversations.message(transaction, posted + 1) is None


def test_what_admitted_a_message_is_kept_with_it(world: World) -> None:
    hike, alice = world.thread("Saturday hike"), world.account("alice")
    kept = Statement(
        select(s.message.c.client_id, s.message.c.feature_id, s.message.c.feature_epoch, s.message.c.grant_id,
               s.message.c.position)
        .order_by(s.message.c.id.desc()).limit(1)
    )  # fmt: skip
    with world.database.write() as transaction:
        conversations.post(
            transaction, thread_id=hike, author_id=alice, text="via", at=START, client_id="tuneloop-share",
            feature_id="share-a-track", feature_epoch=3, grant_id=5,
        )  # fmt: skip
        assert transaction.row(kept) == ("tuneloop-share", "share-a-track", 3, 5, audit.head(transaction)[0])


def test_a_message_is_deleted_by_its_author_alone(world: World) -> None:
    hike, alice, bob = world.thread("Saturday hike"), world.account("alice"), world.account("bob")
    with world.database.write() as transaction:
        number = conversations.post(transaction, thread_id=hike, author_id=alice, text="oops", at=START)
        assert not conversations.delete_message(transaction, number, bob)
        assert conversations.delete_message(transaction, number, alice)
        assert not conversations.delete_message(transaction, number, alice)
    assert _messages(world, "Saturday hike") == ["Me!", "Who is in?"]


# --- the rest of a person's data ------------------------------------------------------------------------------------


def test_friends_posts_and_contacts_are_those_of_one_person(world: World) -> None:
    alice, bob, carol = (world.account(person) for person in ("alice", "bob", "carol"))
    with world.database.read() as transaction:
        assert conversations.friends(transaction, bob) == [(alice, "Alice"), (carol, "Carol")]
        assert conversations.friends(transaction, alice) == [(bob, "Bob")]
        assert [row[1] for row in conversations.posts(transaction, alice)] == ["Two chairs, blue.", "First swim."]
        assert conversations.posts(transaction, carol) == []
        assert [tuple(row[1:]) for row in conversations.contacts(transaction, alice)] == [("Mum", "mum@family.example")]
        assert conversations.contacts(transaction, bob) == []


def test_what_is_added_is_seen(world: World) -> None:
    alice, carol = world.account("alice"), world.account("carol")
    with world.database.write() as transaction:
        number = conversations.add_thread(transaction, "New", [alice, carol], START)
        conversations.add_friendship(transaction, alice, carol)
        conversations.add_post(transaction, carol, "Hello.", START + 1)
        conversations.add_contact(transaction, carol, "Dad", "dad@family.example")
        assert conversations.thread(transaction, number, carol) == (number, "New")
        assert (alice, "Alice") in conversations.friends(transaction, carol)
        assert (carol, "Carol") in conversations.friends(transaction, alice)
        assert [row[1:] for row in conversations.posts(transaction, carol)] == [("Hello.", START + 1)]
        assert [row[1:] for row in conversations.contacts(transaction, carol)] == [("Dad", "dad@family.example")]
