"""What each answer of the contract means for a partner's access."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx2
import pytest

from demo_partners.oauth_client.outcomes import (
    Access,
    Outcome,
    Verdict,
    outcome_of_answer,
    outcome_of_broken_call,
    outcome_of_oauth_error,
)

NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)


def outcome(status: int, kind: str = "", headers: dict[str, str] | None = None, **more: object) -> Outcome:
    body = {"type": f"urn:palaver:problem:{kind}", **more} if kind else {}
    return outcome_of_answer(httpx2.Response(status, json=body, headers=headers), NOW)


@pytest.mark.parametrize(
    "kind",
    [
        "unknown-token",
        "client-disabled",
        "user-disabled",
        "feature-shut-down",
        "grant-ended",
        "token-revoked",
        "token-expired",
    ],
)
def test_each_401_of_the_contract_ends_access_unless_renewing_disproves_it(kind: str) -> None:
    ended = outcome(401, kind)
    assert (ended.verdict, ended.access, ended.ok) == (Verdict.ENDED, Access.ENDED, False)
    assert ended.problem is not None
    assert ended.problem.kind == kind


def test_a_suspended_feature_pauses_and_does_not_end() -> None:
    paused = outcome(403, "feature-suspended", {"Retry-After": "30"})
    assert (paused.verdict, paused.access, paused.retry_after) == (Verdict.PAUSED, Access.PAUSED, 30)


def test_being_refused_more_than_was_granted_leaves_access_alive() -> None:
    refused = outcome(403, "insufficient-scope", scope="messages:read")
    assert (refused.verdict, refused.access) == (Verdict.REFUSED, Access.LIVE)


@pytest.mark.parametrize("needed", ["messages:write", "messages:delete messages:read messages:write"])
def test_being_refused_the_one_granted_permission_is_an_end(needed: str) -> None:
    assert outcome(403, "insufficient-scope", scope=needed).verdict is Verdict.ENDED


@pytest.mark.parametrize("status", [429, 503])
def test_an_answer_that_cannot_decide_is_neither_a_yes_nor_an_end(status: int) -> None:
    undecided = outcome(status, "busy", {"Retry-After": "7"})
    assert (undecided.verdict, undecided.access, undecided.retry_after) == (Verdict.UNDECIDED, Access.UNKNOWN, 7)


@pytest.mark.parametrize("status", [301, 500, 502])
def test_an_answer_outside_the_contract_is_unexpected_and_never_a_yes(status: int) -> None:
    assert outcome(status).verdict is Verdict.UNEXPECTED


def test_a_yes_that_is_no_json_object_is_unexpected() -> None:
    assert outcome_of_answer(httpx2.Response(200, content=b"<html>"), NOW).verdict is Verdict.UNEXPECTED


def test_a_yes_without_a_body_is_a_yes() -> None:
    assert outcome_of_answer(httpx2.Response(204), NOW).ok


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        ("access_denied", Verdict.NOT_CONNECTED),
        ("invalid_scope", Verdict.NOT_CONNECTED),
        ("invalid_grant", Verdict.ENDED),
        ("invalid_client", Verdict.ENDED),
        ("unauthorized_client", Verdict.ENDED),
        ("temporarily_unavailable", Verdict.UNDECIDED),
        ("server_error", Verdict.UNEXPECTED),
        ("made_up", Verdict.UNEXPECTED),
    ],
)
def test_each_oauth_error_has_a_meaning(error: str, verdict: Verdict) -> None:
    meant = outcome_of_oauth_error(error, "because")
    assert meant.verdict is verdict
    assert meant.oauth_error is not None
    assert meant.oauth_error.document() == {"error": error, "error_description": "because"}


def test_only_a_write_that_was_sent_is_uncertain() -> None:
    refused, broken = httpx2.ConnectError("refused"), httpx2.ReadError("broke off")
    assert not outcome_of_broken_call(refused, writes=True).uncertain
    assert not outcome_of_broken_call(broken, writes=False).uncertain
    assert outcome_of_broken_call(broken, writes=True).uncertain
