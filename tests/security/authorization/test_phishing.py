"""What a partner may say on the page where people trust it, and what the page says by itself."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from broker.domain.errors import Refused
from broker.domain.features import CeilingEntry
from broker.domain.names import problem_with_name, problem_with_text
from broker.operations.register import clients, features, partners
from broker.store.register.clients import Client
from broker.store.register.partners import Partner as PartnerRow
from tests.register import HTTPS
from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import Site
from tests.world import World


def test_the_page_names_who_asks_for_what_and_where_it_leads(alice: Person, tuneloop: Partner) -> None:
    page = alice.open(tuneloop.asks("messages:write profile:read"))
    for told in (
        "TuneLoop asks for your permission", "Share a track", "Title of messages:write", "Text of messages:write.",
        "Example of messages:write.", "Title of profile:read", "https://tuneloop.example", "You are Alice",
    ):  # fmt: skip
        assert told in page.text, told
    assert "contacts:read" not in page.text


def test_what_the_partner_says_stands_in_quotation_marks_under_its_name(alice: Person, tuneloop: Partner) -> None:
    html = alice.open(tuneloop.asks()).answer.text.replace("<q>", "\u201c").replace("</q>", "\u201d")
    text = unescape(re.sub(r"<[^>]*>", "", html))
    for said in ("Send a song into a conversation.", "We post the song that you share."):
        assert f"TuneLoop says: \u201c{said}\u201d" in text, said


def test_markup_in_a_partners_words_is_text(sqlite_world: World, alice: Person, tuneloop: Partner) -> None:
    feature = sqlite_world.feature("share-a-track")
    hostile = "<b>Palaver asks</b> <script>alert(1)</script> \"quoted\" 'too'"
    with sqlite_world.write() as context:
        features.change_words(context, feature.id, replace(feature, purpose=hostile))
    html = alice.open(tuneloop.asks()).answer.text
    assert "<script" not in html
    assert "<b>Palaver" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_what_the_partner_holds_through_another_feature_is_shown(site: Site, alice: Person, tuneloop: Partner) -> None:
    assert "Now playing" not in alice.open(tuneloop.asks()).text
    Partner(site, "tuneloop-playing", auth="client_secret_post").connects(alice)
    assert "TuneLoop already holds a permission of yours for Now playing" in alice.open(tuneloop.asks()).text


def test_a_forbidden_combination_is_counted_over_all_of_a_partners_features(sqlite_world: World) -> None:
    """Reelwise reads messages through one feature; contacts through another would be the same partner's knowledge."""
    feature = sqlite_world.feature("recommend-a-show")
    ceiling = (CeilingEntry("contacts:read", "We look people up.", required=True, since=0),)
    second = replace(feature, id="look-people-up", name="Look people up", needs=("contacts",), ceiling=ceiling)
    with sqlite_world.write() as context, pytest.raises(Refused, match="forbidden combination"):
        features.register(context, second)
    third = replace(second, id="look-up-for-bank", partner_id="northbank", partner_name="Northbank")
    with sqlite_world.write() as context:
        features.register(context, third)


@pytest.mark.parametrize(
    "name",
    [
        "Palaver", "Palaver Support", "palaver-official", "P\u0430laver", "Pa1aver", "PALAVER", "P.a.l.a.v.e.r",
        "TuneLoop Support", "Official TuneLoop", "Verified by TuneLoop", "Admin", "Security Team", "\u0405ecurity",
        "Tune\u200bLoop", "TuneLoop\u202egnitirw", "T\u0443neLoop", "Tune\nLoop", "", "  ", "x" * 61, "https://evil.example",
        "www.evil.example",
    ],
)  # fmt: skip
def test_a_name_that_could_pass_for_another_is_refused(sqlite_world: World, name: str) -> None:
    assert problem_with_name(name) is not None
    client = Client("tuneloop-second", "share-a-track", name, "client_secret_basic", (HTTPS,), "active")
    with sqlite_world.write() as context:
        with pytest.raises(Refused):
            partners.register(context, PartnerRow("second", name, None, "active", "cli"))
        with pytest.raises(Refused):
            clients.register(context, client)


@pytest.mark.parametrize(
    "reason",
    ["See https://evil.example", "See HTTP://evil", "www.evil.example", "x" * 10_000, "a\u202eb", "a\u200bb", ""],
)
def test_a_reason_has_no_link_no_hidden_character_and_an_end(reason: str) -> None:
    assert problem_with_text(reason, 300) is not None


def test_client_ids_cannot_look_like_usernames(sqlite_world: World) -> None:
    """Usernames have no hyphen, client ids must have one."""
    for client_id in ("alice", "tuneloop", "ALICE-app", "alice_app", "a", "-app", "alice app"):
        client = Client(client_id, "share-a-track", "TuneLoop", "client_secret_basic", (HTTPS,), "active")
        with sqlite_world.write() as context, pytest.raises(Refused):
            clients.register(context, client)


def test_each_sign_of_a_demo_says_that_it_is_one(site: Site) -> None:
    assert "demo" in Person(site).open("/login").text.lower()
