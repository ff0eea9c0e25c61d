"""Grants: when and why one is over, and what holds one without ending it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.grants import EndCause, Grant, GrantView

NOW = 100
GRANT = Grant(
    id=1, account_id=2, client_id="tuneloop-share", feature_id="share-a-track", feature_epoch=1, all_conversations=True,
    asked=frozenset(), consent_hash="", created_at=0, updated_at=0, present_at=0, presence_ends_at=300, expires_at=200,
)  # fmt: skip
VIEW = GrantView(
    grant=GRANT, username="alice", client_name="TuneLoop", client_state="active", feature_name="Share a track",
    feature_purpose="", feature_state="active", feature_epoch=1, feature_ends_at=None, feature_shut_down_at=None,
    partner_id="tuneloop", partner_name="TuneLoop", partner_state="active", account_state="active",
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({}, None),
        ({"expires_at": 100}, (100, EndCause.EXPIRED)),
        ({"expires_at": 101}, None),
        ({"presence_ends_at": 99}, (99, EndCause.NOT_PRESENT)),
        ({"presence_ends_at": 99, "expires_at": 98}, (98, EndCause.EXPIRED)),
        ({"ended_at": 50, "end_cause": "disconnected", "expires_at": 40}, (50, EndCause.DISCONNECTED)),
        ({"ended_at": 50}, (50, EndCause.REVOKED)),
    ],
)
def test_a_grant_s_own_end_is_the_recorded_one_or_the_first_that_is_due(
    changes: dict[str, object], end: tuple[int, EndCause] | None
) -> None:
    assert replace(GRANT, **changes).own_end(NOW) == end  # type: ignore[arg-type]


ENDED = replace(GRANT, ended_at=50, end_cause="disconnected")
EXPIRED = replace(GRANT, expires_at=90)


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({}, None),
        ({"feature_state": "suspended"}, None),
        ({"partner_state": "suspended"}, None),
        ({"grant": ENDED, "feature_state": "shut_down", "feature_epoch": 2}, (50, EndCause.DISCONNECTED)),
        ({"grant": EXPIRED}, (90, EndCause.EXPIRED)),
        ({"grant": EXPIRED, "feature_ends_at": 95}, (90, EndCause.EXPIRED)),
        ({"grant": EXPIRED, "feature_ends_at": 80}, (80, EndCause.FEATURE_ENDED)),
        ({"feature_ends_at": 100}, (100, EndCause.FEATURE_ENDED)),
        ({"feature_ends_at": 101}, None),
        (
            {"feature_state": "shut_down", "feature_epoch": 2, "feature_shut_down_at": 70},
            (70, EndCause.FEATURE_SHUT_DOWN),
        ),
        ({"feature_epoch": 2, "feature_shut_down_at": 70}, (70, EndCause.FEATURE_SHUT_DOWN)),
        ({"feature_state": "shut_down", "feature_shut_down_at": 70}, (70, EndCause.FEATURE_SHUT_DOWN)),
        ({"client_state": "disabled"}, (None, EndCause.CLIENT_DISABLED)),
        ({"account_state": "disabled"}, (None, EndCause.USER_DISABLED)),
    ],
)
def test_a_view_says_when_and_why_a_grant_is_over(
    changes: dict[str, object], end: tuple[int | None, EndCause] | None
) -> None:
    assert replace(VIEW, **changes).end(NOW) == end  # type: ignore[arg-type]


def test_a_suspension_holds_a_grant_and_does_not_end_it() -> None:
    assert not VIEW.paused()
    assert replace(VIEW, feature_state="suspended").paused()
    assert replace(VIEW, partner_state="suspended").paused()
