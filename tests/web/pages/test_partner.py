"""The partner's page: exactly what it holds, and what became of it."""

from __future__ import annotations

from broker.operations.register import clients, features, partners
from tests.visitors.person import Person
from tests.visitors.reading import said
from tests.world import World


def test_a_partner_sees_each_feature_with_its_ceiling_reasons_and_clients(partner_login: Person) -> None:
    text = said(partner_login.open("/partner"))
    assert "What TuneLoop holds" in text
    assert "Share a track share-a-track, epoch 1 Active" in text
    assert "Title of messages:write messages:write, the feature needs it" in text
    assert "Reason: “ We post the song that you share. ”" in text
    assert "Title of profile:read profile:read, people may leave it out" in text
    assert "Beyond the feature's need because: “ A greeting is friendlier. ”" in text
    assert "Now playing" in text
    assert "A permission lasts at most 30 days" in text
    assert "tuneloop-share TuneLoop" in text
    assert "returns people to https://tuneloop.example/callback and http://127.0.0.1:8101/callback" in text


def test_a_partner_sees_nothing_of_another(partner_login: Person) -> None:
    page = partner_login.open("/partner")
    assert "Reelwise" not in said(page)
    assert "reelwise" not in page.answer.text.replace("the demo", "")


def test_a_shut_down_feature_shows_its_receipt(sqlite_world: World, partner_login: Person) -> None:
    sqlite_world.connect("alice", "tuneloop-share")
    sqlite_world.shut_down("share-a-track", reason="The feature is retired")
    text = said(partner_login.open("/partner"))
    assert "Share a track share-a-track, epoch 2 Shut down" in text
    assert "What it could ask people for" in text
    assert "Receipt of the last shutdown nothing is left" in text
    assert "Shut down 1 Mar 2027, 09:00 UTC" in text
    assert "by operator ops" not in text, "who did it is the network's business"
    assert "Reason The feature is retired" in text
    assert "Ended with it 1 permission of 1 person; 1 access token, 1 refresh token, 0 codes" in text
    assert "Left 0 permissions, 0 tokens and codes, 0 admitted since: counted again row by row" in text


def test_a_receipt_that_is_not_counted_yet_says_so(sqlite_world: World, partner_login: Person) -> None:
    sqlite_world.shut_down("share-a-track", count=False)
    text = said(partner_login.open("/partner"))
    assert "Receipt of the last shutdown being counted" in text
    assert "Reload to see it." in text


def test_suspension_and_disabling_are_said(sqlite_world: World, partner_login: Person) -> None:
    with sqlite_world.write() as context:
        clients.disable(context, "tuneloop-share")
        features.suspend(context, "now-playing")
    text = said(partner_login.open("/partner"))
    assert "tuneloop-share TuneLoop disabled" in text
    assert "now-playing, epoch 1 Suspended" in text
    with sqlite_world.write() as context:
        partners.suspend(context, "tuneloop")
    text = said(partner_login.open("/partner"))
    assert "Palaver has suspended TuneLoop: nothing is admitted for any of its features." in text
    assert "share-a-track, epoch 1 Partner suspended" in text


def test_the_page_is_for_partners_only(alice: Person, ops: Person) -> None:
    assert alice.open("/partner").status == 403
    assert ops.open("/partner").status == 403
