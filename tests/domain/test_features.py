"""Features: their ceiling, their end, and what a need explains."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.features import CeilingEntry, Feature, FeatureState, beyond_baseline

DRAFT, ACTIVE, SUSPENDED, SHUT_DOWN = FeatureState
FEATURE = Feature(
    id="share-a-track", partner_id="tuneloop", partner_name="TuneLoop", partner_state="active", name="Share a track",
    purpose="Send a song.", needs=("send",), state=ACTIVE, epoch=1, ends_at=None, shut_down_at=None,
    grant_lifetime_s=86_400, registered_by="config",
    ceiling=(CeilingEntry("messages:write", "We post.", True, 1), CeilingEntry("profile:read", "We greet.", False, 1)),
)  # fmt: skip


def test_the_ceiling_says_what_may_be_asked_and_what_must() -> None:
    assert FEATURE.scopes == {"messages:write", "profile:read"}
    assert FEATURE.required == {"messages:write"}


def test_a_feature_has_ended_at_its_date_or_when_it_was_shut_down() -> None:
    assert not FEATURE.ended(10)
    dated = replace(FEATURE, ends_at=10)
    assert (dated.ended(9), dated.ended(10)) == (False, True)
    assert replace(FEATURE, state=SHUT_DOWN).ended(0)


@pytest.mark.parametrize(
    ("changes", "admits"),
    [
        ({}, True),
        ({"ends_at": 11}, True),
        ({"ends_at": 10}, False),
        ({"state": DRAFT}, False),
        ({"state": SUSPENDED}, False),
        ({"state": SHUT_DOWN}, False),
        ({"partner_state": "suspended"}, False),
    ],
)
def test_permission_is_given_under_an_active_feature_of_an_active_partner(
    changes: dict[str, object], admits: bool
) -> None:
    assert replace(FEATURE, **changes).admits(10) is admits  # type: ignore[arg-type]


def test_a_scope_that_no_need_explains_is_beyond_the_baseline() -> None:
    baseline = {"send": frozenset({"messages:write"}), "read": frozenset({"messages:read"})}
    both = frozenset({"messages:write", "messages:read"})
    assert beyond_baseline(both, ("send",), baseline) == {"messages:read"}
    assert beyond_baseline(both, ("send", "read"), baseline) == frozenset()
    assert beyond_baseline(both, (), baseline) == both
