"""The decision: what each fact refuses, in which order, and that nothing is admitted beyond what all of it allows."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.decisions import Allowed, Decision, Denied, Reason, Standing, deadline, decide, live_scopes

NOW = 1_800_000_000_000_000
LATER = NOW + 1_000_000

SOUND = Standing(
    client_id="tuneloop-share", grant_id=7, account_id=3, feature_id="share-a-track", token_epoch=2,
    token_scopes="messages:write profile:read", issued_at=NOW - 1, expires_at=LATER, revoked_at=None, family_id=9,
    family_ended_at=None, grant_epoch=2, grant_ended_at=None, grant_expires_at=LATER + 1, presence_ends_at=LATER + 2,
    all_conversations=True, feature_state="active", feature_epoch=2, feature_ends_at=None,
    feature_shut_down_at=None, client_state="active", client_name="TuneLoop", partner_id="tuneloop",
    partner_state="active", account_state="active",
    live_scopes=f"messages:write={LATER + 3} profile:read={LATER + 4}", now=NOW, position=11, generation=1,
)  # fmt: skip
OWN = SOUND._replace(
    grant_id=None, account_id=None, token_epoch=0, token_scopes="standing:read", family_id=None, grant_epoch=None,
    grant_expires_at=None, presence_ends_at=None, all_conversations=None, account_state=None, live_scopes=None,
)  # fmt: skip

# Each ending alone, in the order of precedence, with the reason and the time that the denial names.
ENDINGS: list[tuple[dict[str, Any], Reason, int | None]] = [
    ({"client_state": "disabled"}, Reason.CLIENT_DISABLED, None),
    ({"partner_state": "suspended"}, Reason.CLIENT_DISABLED, None),
    ({"account_state": "disabled"}, Reason.USER_DISABLED, None),
    ({"account_state": None}, Reason.USER_DISABLED, None),
    ({"feature_state": "shut_down", "feature_shut_down_at": 5}, Reason.FEATURE_SHUT_DOWN, 5),
    ({"feature_ends_at": NOW}, Reason.FEATURE_SHUT_DOWN, NOW),
    ({"grant_ended_at": 6}, Reason.GRANT_ENDED, 6),
    ({"feature_epoch": 3, "feature_shut_down_at": 7}, Reason.GRANT_ENDED, 7),
    ({"feature_epoch": 3}, Reason.GRANT_ENDED, NOW),
    ({"grant_epoch": 1}, Reason.GRANT_ENDED, NOW),
    ({"token_epoch": 1}, Reason.GRANT_ENDED, NOW),
    ({"grant_expires_at": NOW}, Reason.GRANT_ENDED, NOW),
    ({"presence_ends_at": NOW - 1}, Reason.GRANT_ENDED, NOW - 1),
    ({"revoked_at": 8}, Reason.TOKEN_REVOKED, 8),
    ({"family_ended_at": 9}, Reason.TOKEN_REVOKED, 9),
    ({"expires_at": NOW}, Reason.TOKEN_EXPIRED, NOW),
    ({"feature_state": "suspended"}, Reason.FEATURE_SUSPENDED, None),
    ({"feature_state": "draft"}, Reason.FEATURE_SUSPENDED, None),
    ({"live_scopes": None}, Reason.INSUFFICIENT_SCOPE, None),
    ({"live_scopes": f"messages:write={NOW}"}, Reason.INSUFFICIENT_SCOPE, None),
    ({"token_scopes": "profile:write"}, Reason.INSUFFICIENT_SCOPE, None),
]
_WRITE = frozenset({"messages:write"})


def _why(decision: Decision) -> Reason:
    assert isinstance(decision, Denied)
    return decision.reason


def test_a_sound_standing_is_allowed_with_the_scope_that_it_used() -> None:
    assert decide(SOUND, _WRITE) == Allowed(SOUND, frozenset({"messages:write", "profile:read"}), "messages:write")


def test_an_unknown_token_is_denied_without_a_standing() -> None:
    assert decide(None, _WRITE) == Denied(Reason.UNKNOWN_TOKEN)


@pytest.mark.parametrize(("facts", "reason", "ended_at"), ENDINGS)
def test_any_one_ending_alone_is_a_denial(facts: dict[str, Any], reason: Reason, ended_at: int | None) -> None:
    standing = SOUND._replace(**facts)
    needed = _WRITE if reason is Reason.INSUFFICIENT_SCOPE else frozenset[str]()
    assert decide(standing, _WRITE) == Denied(reason, standing, ended_at, needed)


def test_of_two_endings_the_one_that_says_more_is_named() -> None:
    order = list(Reason)
    for (one, first, _), (other, second, _) in itertools.combinations(ENDINGS, 2):
        if one.keys().isdisjoint(other):
            named = _why(decide(SOUND._replace(**one, **other), _WRITE))
            assert named is min(first, second, key=order.index), (one, other)


def test_the_reasons_stand_in_the_order_of_the_problem_types() -> None:
    assert [reason.value for reason in Reason] == [
        "unknown-token", "client-disabled", "user-disabled", "feature-shut-down", "grant-ended", "token-revoked",
        "token-expired", "feature-suspended", "insufficient-scope",
    ]  # fmt: skip
    assert [ENDINGS.index(each) for each in sorted(ENDINGS, key=lambda each: list(Reason).index(each[1]))] == list(
        range(len(ENDINGS))
    )


def test_any_one_of_the_needed_scopes_is_enough_and_none_needed_takes_any() -> None:
    assert isinstance(decide(SOUND, {"messages:read", "profile:read"}), Allowed)
    assert isinstance(decide(SOUND, frozenset()), Allowed)
    assert _why(decide(SOUND, {"messages:read"})) is Reason.INSUFFICIENT_SCOPE


def test_a_client_s_own_token_outlives_its_feature_and_no_user_or_grant_is_asked() -> None:
    for facts in ({"feature_state": "shut_down"}, {"feature_state": "suspended"}, {"feature_ends_at": NOW},
                  {"feature_epoch": 9}):  # fmt: skip
        decision = decide(OWN._replace(**facts), {"standing:read"})
        assert isinstance(decision, Allowed)
        assert decision.scopes == {"standing:read"}


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"client_state": "disabled"}, Reason.CLIENT_DISABLED),
        ({"partner_state": "suspended"}, Reason.CLIENT_DISABLED),
        ({"revoked_at": 1}, Reason.TOKEN_REVOKED),
        ({"expires_at": NOW}, Reason.TOKEN_EXPIRED),
    ],
)
def test_a_client_s_own_token_ends_with_its_client_and_in_time(facts: dict[str, Any], reason: Reason) -> None:
    assert _why(decide(OWN._replace(**facts), {"standing:read"})) is reason


def test_a_client_s_own_token_reaches_nothing_of_a_user() -> None:
    assert _why(decide(OWN, _WRITE)) is Reason.INSUFFICIENT_SCOPE


# --- whatever the facts are -------------------------------------------------------------------------------------------

_NAMES = ("messages:read", "messages:write", "profile:read", "posts:read")
_instants = st.integers(NOW - 1, NOW + 5)
_scopes = st.frozensets(st.sampled_from(_NAMES))


def _text(scopes: frozenset[str]) -> str:
    return " ".join(sorted(scopes))


_maybe = st.none() | _instants
_FACTS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("expires_at", "grant_expires_at", "presence_ends_at"), _instants),
    **dict.fromkeys(("feature_ends_at", "revoked_at", "family_ended_at", "grant_ended_at"), _maybe),
    **dict.fromkeys(("token_epoch", "grant_epoch", "feature_epoch"), st.sampled_from([1, 2, 3])),
    **dict.fromkeys(("client_state", "partner_state", "account_state"), st.sampled_from(["active", "disabled"])),
    "feature_state": st.sampled_from(["active", "suspended", "shut_down", "draft"]),
}


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    """Any standing of a user's token that is sound but for a few facts, with deadlines that are near."""
    live = draw(st.dictionaries(st.sampled_from(_NAMES), _instants, min_size=1))
    changed = draw(st.lists(st.sampled_from(sorted(_FACTS)), max_size=3, unique=True))
    return SOUND._replace(
        token_scopes=_text(draw(_scopes)), live_scopes=" ".join(f"{name}={end}" for name, end in live.items()),
        **{name: draw(_FACTS[name]) for name in changed},
    )  # fmt: skip


def _is_allowed(standing: Standing) -> bool:
    return isinstance(decide(standing, frozenset()), Allowed)


allowed = standings().filter(_is_allowed)


@given(allowed, _scopes)
def test_no_decision_goes_beyond_token_grant_and_ceiling(standing: Standing, needed: frozenset[str]) -> None:
    decision = decide(standing, needed)
    grant_and_ceiling = {each.split("=")[0] for each in (standing.live_scopes or "").split()}
    bound = grant_and_ceiling & set(standing.token_scopes.split())
    if isinstance(decision, Allowed):
        assert decision.scopes <= bound
        assert decision.scope in decision.scopes
        assert not needed or decision.scope in needed
    else:
        assert needed.isdisjoint(live_scopes(standing))


@given(standings(), st.sampled_from(ENDINGS))
def test_no_other_fact_makes_up_for_an_ending(
    standing: Standing, ending: tuple[dict[str, Any], Reason, int | None]
) -> None:
    assert isinstance(decide(standing._replace(**ending[0]), _WRITE), Denied)


@given(allowed)
def test_whoever_may_do_something_may_do_each_of_the_scopes_that_it_says(standing: Standing) -> None:
    decision = decide(standing, frozenset())
    assert isinstance(decision, Allowed)
    assert decision.scopes == live_scopes(standing)
    for scope in _NAMES:
        assert isinstance(decide(standing, {scope}), Allowed) == (scope in decision.scopes)


@given(standings())
def test_time_that_goes_on_never_turns_a_no_into_a_yes(standing: Standing) -> None:
    seen = [frozenset(_NAMES)]
    for now in range(NOW - 2, NOW + 7):
        decision = decide(standing._replace(now=now), frozenset())
        seen.append(decision.scopes if isinstance(decision, Allowed) else frozenset())
    assert all(after <= before for before, after in itertools.pairwise(seen))


@given(allowed)
def test_the_deadline_is_the_instant_at_which_the_decision_turns(standing: Standing) -> None:
    decision = decide(standing, frozenset())
    assert isinstance(decision, Allowed)
    turns = deadline(standing, decision.scopes)
    before, after = (decide(standing._replace(now=now), frozenset()) for now in (turns - 1, turns))
    assert isinstance(before, Allowed)
    assert before.scopes == decision.scopes
    assert isinstance(after, Denied) or after.scopes < decision.scopes


@given(allowed)
def test_a_deadline_for_one_scope_is_not_earlier_than_for_all(standing: Standing) -> None:
    scopes = live_scopes(standing)
    assert min(deadline(standing, frozenset({scope})) for scope in scopes) == deadline(standing, scopes)


def test_the_deadline_of_a_client_s_own_token_is_its_expiry() -> None:
    assert deadline(OWN, frozenset({"standing:read"})) == LATER
