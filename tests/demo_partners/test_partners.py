"""What each partner posts."""

from __future__ import annotations

import pytest

from demo_partners.bank.partner import NORTHBANK
from demo_partners.music_sharing.partner import TUNELOOP
from demo_partners.pages.partner import Partner
from demo_partners.recommendations.partner import REELWISE

PARTNERS = [TUNELOOP, REELWISE, NORTHBANK]


def test_a_track_is_posted_with_its_artist_and_album() -> None:
    assert TUNELOOP.items["night-ferry"].message() == "♫ Night Ferry by The Harbour Lights (Slow Water, 3:41)"


def test_a_show_is_posted_with_what_it_is_about() -> None:
    text = REELWISE.items["borrowed-time"].message()
    assert text == "I recommend “Borrowed Time” (comedy, film, 2024). A clockmaker lends out her spare hours."


def test_a_transfer_is_posted_with_its_amount_to_the_cent() -> None:
    text = NORTHBANK.items["dinner-on-friday"].message()
    assert text == "I have sent you 24.50 EUR with Northbank. Purpose: Dinner on Friday. Reference NB-204815."


@pytest.mark.parametrize("partner", PARTNERS, ids=lambda partner: partner.key)
def test_an_item_is_shown_with_the_very_text_that_is_posted(partner: Partner) -> None:
    for item_id, item in partner.items.items():
        document = item.document()
        assert (document["id"], document["text"]) == (item_id, item.message())


def test_partners_share_neither_client_nor_cookie() -> None:
    assert len({partner.client_id for partner in PARTNERS}) == len(PARTNERS)
    assert len({partner.key for partner in PARTNERS}) == len(PARTNERS)
