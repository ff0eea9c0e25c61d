"""The operators' pages: every feature, its receipt, and shutting one down."""

from __future__ import annotations

import pytest

from broker.domain.instants import DAY
from broker.operations import nodes
from broker.operations.register import features
from tests.visitors.page import Page
from tests.visitors.person import Person
from tests.visitors.reading import said
from tests.world import World

FEATURE = "/admin/features/share-a-track"


def test_every_feature_is_listed_as_it_stands(sqlite_world: World, ops: Person) -> None:
    sqlite_world.connect("alice", "tuneloop-share")
    sqlite_world.connect("bob", "tuneloop-share")
    with sqlite_world.write() as context:
        features.suspend(context, "transfer-notice")
        features.schedule(context, "now-playing", context.now + 30 * DAY)
    sqlite_world.shut_down("recommend-a-show")
    text = said(ops.open("/admin"))
    assert "Share a track share-a-track Active TuneLoop 2 1 no date messages:write profile:read" in text
    assert "Transfer notice transfer-notice Suspended Northbank 0 1 no date messages:write" in text
    assert "Now playing now-playing Active TuneLoop 0 1 31 Mar 2027 posts:read" in text
    assert "Recommend a show recommend-a-show Shut down receipt Reelwise 0 2 no date" in text


def test_a_feature_whose_date_has_come_is_ended_before_anybody_records_it(sqlite_world: World, ops: Person) -> None:
    with sqlite_world.write() as context:
        features.schedule(context, "now-playing", context.now + DAY // 24)
    sqlite_world.clock.advance(hours=1)
    assert "Now playing now-playing Ended" in said(ops.open("/admin"))
    assert "confirm" not in _controls(ops.open("/admin/features/now-playing"))


def _controls(page: Page) -> set[str]:
    return {name for form in page.forms for name in form.names}


def test_a_features_page_says_what_shutting_it_down_would_end(sqlite_world: World, ops: Person) -> None:
    sqlite_world.connect("alice", "tuneloop-share")
    text = said(ops.open(FEATURE))
    assert (
        "This ends at once, and for good: 1 permission of 1 person, 1 access token, 1 refresh token and 0 codes" in text
    )
    assert "We post the song that you share." in text
    assert "tuneloop-app TuneLoop app" in text


def test_typing_the_id_shuts_the_feature_down_and_shows_the_receipt(sqlite_world: World, ops: Person) -> None:
    connection = sqlite_world.connect("alice", "tuneloop-share")
    page = ops.submit(ops.open(FEATURE), "confirm", confirm=" share-a-track ", reason="It is over")
    assert page.path == FEATURE
    assert "Receipt of the last shutdown nothing is left" in said(page)
    assert "by operator ops" in said(page)
    assert "Reason It is over" in said(page)
    assert "confirm" not in _controls(page)
    assert sqlite_world.says(connection.access) == "feature-shut-down"


def test_the_receipt_says_what_became_of_each_node(sqlite_world: World, ops: Person) -> None:
    with sqlite_world.write("broker") as context:
        name, _ = nodes.register(context, 1_000)
    page = ops.submit(ops.open(FEATURE), "confirm", confirm="share-a-track")
    assert f"Nodes {name} did not answer, and its lease was waited out after" in said(page)


@pytest.mark.parametrize("typed", ["", "share", "Share-a-track", "now-playing"])
def test_anything_else_that_is_typed_does_nothing(sqlite_world: World, ops: Person, typed: str) -> None:
    page = ops.submit(ops.open(FEATURE), "confirm", confirm=typed)
    assert page.status == 400
    assert "Nothing was done: what you typed is not the feature's id." in said(page)
    assert sqlite_world.feature("share-a-track").state.value == "active"


@pytest.mark.parametrize("reason", ["x" * 501, "two\nlines", "\u202eesrever"])
def test_a_reason_that_would_not_be_one_line_is_refused(sqlite_world: World, ops: Person, reason: str) -> None:
    page = ops.submit(ops.open(FEATURE), "confirm", confirm="share-a-track", reason=reason)
    assert page.status == 400
    assert sqlite_world.feature("share-a-track").state.value == "active"


def test_shutting_down_twice_shows_the_same_receipt(sqlite_world: World, ops: Person) -> None:
    page = ops.open(FEATURE)
    first = ops.submit(page, "confirm", confirm="share-a-track")
    again = ops.submit(page, "confirm", confirm="share-a-track")
    assert said(again) == said(first)
    assert sqlite_world.log().count("feature.shut_down") == 1


def test_an_unknown_feature_is_not_found(ops: Person) -> None:
    assert ops.open("/admin/features/nothing").status == 404
    page = ops.open(FEATURE)
    form = page.form("confirm")
    form.action = "/admin/features/nothing/shut-down"
    assert ops.send(page, form, confirm="nothing").status_code == 404


def test_the_pages_are_for_operators_only(sqlite_world: World, alice: Person, partner_login: Person) -> None:
    for person in (alice, partner_login):
        assert person.open("/admin").status == 403
        page = person.open("/account")
        form = page.forms[0]
        form.action = f"{FEATURE}/shut-down"
        assert person.send(page, form, confirm="share-a-track").status_code == 403
    assert sqlite_world.feature("share-a-track").state.value == "active"
