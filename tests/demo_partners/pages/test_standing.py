"""What the page about the partner's own standing says."""

from __future__ import annotations

from demo_partners.pages.standing import Row, ceiling_rows, receipt_rows, state_in_words

RECEIPT = {
    "effective_at": "2026-11-24T18:59:04Z",
    "ended": {"grants": 2, "users": 2},
    "live_after": {"grants": 0, "access_tokens": 0, "refresh_tokens": 0},
}


def test_states_are_told_in_words_and_an_unknown_one_as_it_is() -> None:
    assert state_in_words({"state": "shut_down"}).startswith("Shut down: ")
    assert state_in_words({"state": "hibernating"}) == "hibernating"


def test_a_ceiling_is_listed_with_its_reasons_and_without() -> None:
    reasoned = {"ceiling": [{"scope": "messages:write", "reason": "to post the track"}]}
    assert ceiling_rows(reasoned) == [Row("messages:write", "to post the track")]
    assert ceiling_rows({"ceiling": ["messages:write"]}) == [Row("messages:write", "")]
    assert ceiling_rows({}) == []


def test_a_receipt_says_when_and_what_was_counted() -> None:
    rows = {row.label: row.value for row in receipt_rows({"receipt": RECEIPT})}
    assert rows["In force since"] == "24 November 2026 at 18:59:04 UTC"
    assert rows["Permissions ended"] == "2"
    assert rows["Permissions left, counted afterwards"] == "0"


def test_a_receipt_whose_count_is_missing_does_not_say_zero() -> None:
    rows = {row.label: row.value for row in receipt_rows({"receipt": RECEIPT | {"ended": None, "live_after": None}})}
    assert rows["Permissions left, counted afterwards"] == "still counting"


def test_what_a_receipt_leaves_out_is_said_to_be_missing() -> None:
    rows = {row.label: row.value for row in receipt_rows({"receipt": {"ended": {}, "live_after": {}}})}
    assert set(rows.values()) == {"not given"}


def test_no_receipt_is_no_rows() -> None:
    assert receipt_rows({"receipt": None}) == []
