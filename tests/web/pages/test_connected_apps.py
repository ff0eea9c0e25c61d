"""Connected apps: every permission that was given, what was used of it, how it ended, and how to end it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from broker.domain.instants import DAY
from broker.operations import grants
from broker.operations.register import clients, features
from tests.visitors.page import Form, Page
from tests.visitors.person import Person
from tests.visitors.reading import said
from tests.world import Connection, World

PAGE = "/connected-apps"


def _shown(person: Person) -> Page:
    """The page, for somebody whose session may have ended in the meantime."""
    page = person.open(PAGE)
    return person.log_in(at=page) if page.path == "/login" else page


def _forms(page: Page, end: str) -> list[Form]:
    return [form for form in page.forms if form.action.endswith(end)]


def test_whoever_has_connected_nothing_is_told_so(alice: Person) -> None:
    assert "No app can reach anything of yours." in said(alice.open(PAGE))


def test_a_live_permission_names_app_feature_purpose_and_scopes(sqlite_world: World, alice: Person) -> None:
    sqlite_world.connect("alice", "tuneloop-share")
    page = alice.open(PAGE)
    assert "<bdi>TuneLoop</bdi> says: “<bdi>Send a song into a conversation.</bdi>”" in page.answer.text
    assert "Share a track" in said(page)
    assert "Title of messages:write Never used." in said(page)
    assert (
        '<dt>Since</dt><dd><time datetime="2027-03-01T09:00:00.000Z">1 Mar 2027, 09:00 UTC</time>' in page.answer.text
    )
    assert "Until 29 Feb 2028, 09:00 UTC at the latest" in said(page)
    assert "If you do not come back to it, it ends on 30 May 2027." in said(page)


def test_uses_are_counted_and_dated_when_the_page_is_opened(sqlite_world: World, alice: Person) -> None:
    connection = sqlite_world.connect("alice", "tuneloop-share")
    sqlite_world.clock.advance(minutes=5)
    for _ in range(2):
        sqlite_world.note(sqlite_world.check(connection.access, "messages:write"))
    assert "Used twice, last on 1 Mar 2027, 09:05 UTC" in said(alice.open(PAGE))


def test_the_chosen_conversations_are_listed_or_all_of_them(sqlite_world: World, alice: Person) -> None:
    sqlite_world.connect("alice", "tuneloop-share", threads={sqlite_world.thread("Flat 3B")})
    assert "Conversations Flat 3B Since" in said(alice.open(PAGE))
    sqlite_world.connect("alice", "tuneloop-share")
    assert "Conversations all of them, later ones too" in said(alice.open(PAGE))


def test_a_permission_that_is_about_no_conversation_lists_none(sqlite_world: World, alice: Person) -> None:
    sqlite_world.connect("alice", "tuneloop-playing")
    assert "Conversations" not in said(alice.open(PAGE))


def test_a_suspension_holds_it_and_ends_nothing(sqlite_world: World, alice: Person) -> None:
    sqlite_world.connect("alice", "tuneloop-share")
    with sqlite_world.write() as context:
        features.suspend(context, "share-a-track")
    page = alice.open(PAGE)
    assert "On hold: Palaver has suspended the feature." in said(page)
    assert "Ended" not in said(page)
    assert _forms(page, "/disconnect")


# --- ending -----------------------------------------------------------------------------------------------------------


def test_disconnecting_ends_it_at_once_and_says_so(sqlite_world: World, alice: Person) -> None:
    connection = sqlite_world.connect("alice", "tuneloop-share")
    before = alice.open(PAGE)
    (form,) = _forms(before, "/disconnect")
    assert alice.send(before, form).headers["Location"] == PAGE
    page = alice.open(PAGE)
    assert "Disconnected. Nothing that this app held works any more." in said(page)
    assert "Ended because you disconnected it on 1 Mar 2027, 09:00 UTC." in said(page)
    assert "No app can reach anything of yours." in said(page)
    assert sqlite_world.says(connection.access) == "grant-ended"


def test_one_scope_can_be_taken_back_where_there_are_several(sqlite_world: World, alice: Person) -> None:
    connection = sqlite_world.connect("alice", "tuneloop-share", "messages:write", "profile:read")
    before = alice.open(PAGE)
    forms = {form.value("scope"): form for form in _forms(before, "/scopes/drop")}
    assert set(forms) == {"messages:write", "profile:read"}
    alice.send(before, forms["profile:read"])
    page = alice.open(PAGE)
    assert "Taken back. The app cannot use it any more." in said(page)
    assert not _forms(page, "/scopes/drop")  # the last one ends by disconnecting
    assert sqlite_world.says(connection.access, "profile:read") == "insufficient-scope"
    assert sqlite_world.says(connection.access, "messages:write") == "allowed"


def test_saying_that_it_is_still_used_moves_the_end(sqlite_world: World, alice: Person) -> None:
    sqlite_world.connect("alice", "tuneloop-share")
    sqlite_world.clock.advance(days=80)
    before = _shown(alice)
    (form,) = _forms(before, "/keep")
    alice.send(before, form)
    assert "If you do not come back to it, it ends on 18 Aug 2027." in said(alice.open(PAGE))
    assert sqlite_world.grant("alice", "tuneloop-share").present_at == sqlite_world.clock.now


def test_a_scope_that_disuse_has_ended_is_shown_as_over(sqlite_world: World, alice: Person) -> None:
    sqlite_world.connect("alice", "tuneloop-share", "messages:write", "profile:read")
    sqlite_world.clock.advance(days=80)
    before = _shown(alice)
    assert "Over since" not in said(before)
    alice.send(before, _forms(before, "/keep")[0])
    sqlite_world.clock.advance(days=15)
    page = _shown(alice)
    assert said(page).count("Over since 30 May 2027, because it was not used for so long.") == 2
    assert not _forms(page, "/scopes/drop")


def test_a_scope_that_the_ceiling_has_lost_is_shown_as_over(sqlite_world: World, alice: Person) -> None:
    sqlite_world.connect("alice", "tuneloop-share", "messages:write", "profile:read")
    with sqlite_world.write() as context:
        features.narrow(context, "share-a-track", frozenset({"profile:read"}))
    page = alice.open(PAGE)
    assert "Over: the feature may not ask for this any more." in said(page)
    assert not _forms(page, "/scopes/drop")  # nothing but the other one is left to take back


# --- why it ended -----------------------------------------------------------------------------------------------------


def _shut_down(world: World, _: Connection) -> None:
    world.shut_down("now-playing")


def _end_date(world: World, _: Connection) -> None:
    with world.write() as context:
        features.schedule(context, "now-playing", context.now + DAY)
    world.clock.advance(days=1)


def _disconnected(world: World, connection: Connection) -> None:
    world.disconnect(connection)


def _revoked(world: World, connection: Connection) -> None:
    with world.write() as context:
        grants.revoke(context, connection.grant_id)


def _expired(world: World, _: Connection) -> None:
    world.clock.advance(days=30)


def _client_disabled(world: World, _: Connection) -> None:
    with world.write() as context:
        clients.disable(context, "tuneloop-playing")


ENDS = {
    "Feature shut down Ended because the feature was shut down on 1 Mar 2027, 09:00 UTC.": _shut_down,
    "Feature ended Ended because the feature came to its planned end on 2 Mar 2027, 09:00 UTC.": _end_date,
    "Disconnected Ended because you disconnected it on 1 Mar 2027, 09:00 UTC.": _disconnected,
    "Ended by the network Ended by Palaver on 1 Mar 2027, 09:00 UTC.": _revoked,
    "Time over Ended because the time that you had allowed was over on 31 Mar 2027, 09:00 UTC.": _expired,
    "App switched off Ended because Palaver switched the app off": _client_disabled,
}


@pytest.mark.parametrize(("words", "end"), ENDS.items(), ids=[end.__name__ for end in ENDS.values()])
def test_an_ended_permission_says_when_and_why(
    sqlite_world: World, alice: Person, words: str, end: Callable[[World, Connection], None]
) -> None:
    end(sqlite_world, sqlite_world.connect("alice", "tuneloop-playing"))
    page = _shown(alice)
    assert words in said(page)
    assert "No app can reach anything of yours." in said(page)
    assert not _forms(page, "/disconnect")


def test_absence_ends_it_and_that_is_said(sqlite_world: World, alice: Person) -> None:
    sqlite_world.connect("alice", "tuneloop-share")
    sqlite_world.clock.advance(days=91)
    assert "Not used Ended on 30 May 2027, 09:00 UTC, because you had not used it for so long." in said(_shown(alice))


def test_a_reopened_feature_leaves_the_old_permission_ended(sqlite_world: World, alice: Person) -> None:
    sqlite_world.connect("alice", "tuneloop-share")
    sqlite_world.shut_down("share-a-track")
    sqlite_world.reopen("share-a-track")
    page = alice.open(PAGE)
    assert "Ended because the feature was shut down on 1 Mar 2027, 09:00 UTC" in said(page)
    sqlite_world.connect("alice", "tuneloop-share")
    page = alice.open(PAGE)
    assert len(_forms(page, "/disconnect")) == 1
    assert "Ended because the feature was shut down" in said(page)


# --- whose it is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["disconnect", "keep", "scopes/drop"])
def test_another_persons_permission_is_as_if_it_were_not_there(
    sqlite_world: World, alice: Person, bob: Person, what: str
) -> None:
    connection = sqlite_world.connect("alice", "tuneloop-share", "messages:write", "profile:read")
    sqlite_world.connect("bob", "tuneloop-share", "messages:write", "profile:read")
    page = bob.open(PAGE)
    theirs = _forms(alice.open(PAGE), what)[0].action
    form = _forms(page, what)[0]
    form.action = theirs
    answer = bob.send(page, form)
    assert answer.status_code == 404
    assert "There is no such connected app." in answer.text
    assert sqlite_world.says(connection.access, "messages:write") == "allowed"
    assert sqlite_world.says(connection.access, "profile:read") == "allowed"


def test_a_made_up_id_is_not_found(sqlite_world: World, alice: Person) -> None:
    sqlite_world.connect("alice", "tuneloop-share")
    page = alice.open(PAGE)
    form = _forms(page, "/disconnect")[0]
    for made_up in ("x", "0" * 32, "1"):
        form.action = f"{PAGE}/{made_up}/disconnect"
        assert alice.send(page, form).status_code == 404
