"""The inbox: a person's own conversations."""

from __future__ import annotations

from tests.visitors.person import Person
from tests.visitors.reading import said
from tests.world import World


def test_it_lists_the_persons_conversations_with_the_newest_message(alice: Person) -> None:
    text = said(alice.open("/inbox"))
    assert "Saturday hike" in text
    assert "Bob: Me!" in text
    assert "Reading list" not in text


def test_a_message_that_an_app_has_posted_says_through_which(sqlite_world: World, alice: Person) -> None:
    connection = sqlite_world.connect("alice", "tuneloop-share")
    sqlite_world.post(connection.access, "Now playing: Ridge Path")
    assert "You: Now playing: Ridge Path via TuneLoop" in said(alice.open("/inbox"))
    thread = said(alice.open(f"/inbox/{sqlite_world.thread('Saturday hike')}"))
    assert "You via TuneLoop 09:00 UTC Now playing: Ridge Path" in thread
    assert thread.count("via TuneLoop") == 1


def test_a_conversation_shows_who_is_in_it_and_when_what_was_written(sqlite_world: World, alice: Person) -> None:
    text = said(alice.open(f"/inbox/{sqlite_world.thread('Saturday hike')}"))
    assert "Alice, Bob and Carol" in text
    assert "1 Mar 2027 You 08:40 UTC Who is in? Bob 08:50 UTC Me!" in text


def test_a_sent_message_stands_at_the_end(sqlite_world: World, alice: Person, bob: Person) -> None:
    path = f"/inbox/{sqlite_world.thread('Flat 3B')}"
    page = alice.open(path)
    answer = alice.send(page, page.form("text"), text="Let him in\n<b>please</b>")
    assert answer.headers["Location"] == f"{path}#newest"
    assert "Let him in\n&lt;b&gt;please&lt;/b&gt;</p>" in bob.open(path).answer.text


def test_a_long_conversation_comes_a_page_at_a_time(sqlite_world: World, alice: Person) -> None:
    path = f"/inbox/{sqlite_world.thread('Flat 3B')}"
    page = alice.open(path)
    for number in range(35):
        alice.send(page, page.form("text"), text=f"number {number}.")
    newest = alice.open(path)
    assert "number 34." in said(newest)
    assert "number 4." not in said(newest)
    assert "Newest messages" not in said(newest)
    older = newest.answer.text.split('href="?before=')[1].split('"')[0]
    page = alice.open(f"{path}?before={older}")
    assert "The plumber comes on Tuesday." in said(page)
    assert "number 4." in said(page)
    assert "number 5." not in said(page)
    assert "Newest messages" in said(page)


def test_another_persons_conversation_is_as_if_it_were_not_there(sqlite_world: World, alice: Person) -> None:
    reading_list = sqlite_world.thread("Reading list")
    page = alice.open(f"/inbox/{reading_list}")
    assert page.status == 404
    assert "There is no such conversation." in said(page)
    own = alice.open(f"/inbox/{sqlite_world.thread('Flat 3B')}")
    form = own.form("text")
    form.action = f"/inbox/{reading_list}"
    assert alice.send(own, form, text="hello").status_code == 404
