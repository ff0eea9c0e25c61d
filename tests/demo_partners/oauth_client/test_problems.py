"""Reading error answers, whatever they hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_partners.oauth_client.problems import MAX_TEXT, Problem, read_problem, read_retry_after

NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)


def test_a_problem_body_is_read_field_by_field() -> None:
    body = {
        "type": "urn:palaver:problem:feature-shut-down",
        "title": "The feature has been shut down",
        "status": 401,
        "detail": "Every permission ended with it.",
        "feature": "share-a-track",
        "ended_at": "2026-11-24T18:59:04Z",
    }
    problem = read_problem(401, {}, json.dumps(body).encode())
    assert problem.kind == "feature-shut-down"
    assert problem.document() == body


def test_the_status_is_the_one_of_the_answer_and_not_the_one_in_the_body() -> None:
    assert read_problem(403, {}, b'{"status": 200}').status == 403


def test_a_bare_challenge_is_read_where_there_is_no_body() -> None:
    header = 'Bearer realm="palaver", error="insufficient_scope", error_description="Not yours", scope="messages:read"'
    problem = read_problem(403, {"www-authenticate": header}, b"")
    assert (problem.kind, problem.detail, problem.scope) == ("insufficient-scope", "Not yours", "messages:read")


def test_a_type_of_somebody_else_is_no_kind_of_palaver() -> None:
    assert read_problem(400, {}, b'{"type": "https://other.example/feature-shut-down"}').kind == ""


def test_text_without_end_is_cut() -> None:
    detail = read_problem(400, {}, json.dumps({"detail": "x" * 10_000}).encode()).detail
    assert detail is not None
    assert len(detail) == MAX_TEXT


@given(st.binary(max_size=200), st.text(max_size=200))
def test_any_bytes_and_any_challenge_give_a_problem(content: bytes, challenge: str) -> None:
    assert read_problem(400, {"www-authenticate": challenge}, content).status == 400


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"type": 7, "detail": ["a"], "scope": null}', b"\xff\xfe", b"[]", b""]
)
def test_a_body_of_another_shape_says_nothing_beyond_the_status(body: bytes) -> None:
    assert read_problem(502, {}, body) == Problem(status=502)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("Tue, 24 Nov 2026 18:00:30 GMT", 30),
        ("Tue, 24 Nov 2026 17:00:00 GMT", 0),
        ("-5", None),
        ("soon", None),
        ("9" * 400, None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, seconds: int | None) -> None:
    assert read_retry_after({"retry-after": value}, NOW) == seconds


@given(st.text(max_size=60))
def test_any_retry_after_gives_seconds_or_nothing(value: str) -> None:
    seconds = read_retry_after({"retry-after": value}, NOW)
    assert seconds is None or seconds >= 0
