"""The score of the demo."""

from __future__ import annotations

import io

from rich.console import Console

from broker.cli.demo.ledger import Ledger


def test_one_promise_that_did_not_hold_is_enough_to_fail() -> None:
    ledger = Ledger(Console(file=io.StringIO()))
    ledger.check("it posts", True, "posted")
    assert ledger.held
    ledger.check("it is refused", False, "200 OK")
    ledger.check("it verifies", True, "intact")
    assert not ledger.held


def test_a_story_that_noted_nothing_has_not_held() -> None:
    assert not Ledger(Console(file=io.StringIO())).held


def test_what_was_seen_stands_in_the_table_beside_what_was_promised() -> None:
    printed = io.StringIO()
    ledger = Ledger(Console(file=printed, width=120))
    ledger.check("reading is refused", False, "200 [OK]")
    ledger.table()
    assert "reading is refused" in printed.getvalue()
    assert "200 [OK]" in printed.getvalue()
    assert "0 of 1 held" in printed.getvalue()
