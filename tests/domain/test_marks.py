"""Marks: what a standing hangs on, and which entries of the log matter to nobody's standing."""

from __future__ import annotations

import pytest

from broker.domain import marks
from tests.domain.test_decisions import OWN, SOUND


def test_a_user_s_token_hangs_on_everything_that_can_end_it() -> None:
    assert marks.of_standing(SOUND) == (
        "partner:tuneloop", "feature:share-a-track", "client:tuneloop-share", "grant:7", "account:3",
    )  # fmt: skip


def test_a_client_s_own_token_hangs_on_no_person() -> None:
    assert marks.of_standing(OWN) == ("partner:tuneloop", "feature:share-a-track", "client:tuneloop-share")


def test_each_mark_of_a_standing_is_one_that_nodes_hear_of() -> None:
    assert {mark.partition(":")[0] for mark in marks.of_standing(SOUND)} == set(marks.KINDS)
    assert all(marks.concerns_standing(mark) for mark in marks.of_standing(SOUND))


@pytest.mark.parametrize("subject", ["resource-server:palaver-search", "approval:3", "broker", "grants:7", ""])
def test_what_no_standing_hangs_on_is_told_to_no_node(subject: str) -> None:
    assert not marks.concerns_standing(subject)
