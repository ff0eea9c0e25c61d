"""Errors at the edge: one answer each, in the form that the one who asks can read."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from broker.domain.errors import Conflict, NotFound, Refused, Undecided
from broker.web.app import create_app
from broker.web.request_context import NONE, runs
from tests.visitors.site import IN_PROCESS, Site
from tests.world import World

ERRORS: dict[str, Exception] = {
    "not-found": NotFound("there is no such thing"),
    "conflict": Conflict("it has changed"),
    "bad-request": Refused("this may not be done"),
    "cannot-decide": Undecided("the database sleeps"),
    "bug": ZeroDivisionError("a secret value"),
}


@pytest.fixture
def http(sqlite_world: World) -> Iterator[httpx2.Client]:
    """A client of an application that fails on request."""
    app = create_app(sqlite_world.runtime)

    @runs(NONE)
    def fails(kind: str) -> str:
        raise ERRORS[kind]

    app.add_url_rule("/api/fails/<kind>", "program_fails", fails)
    app.add_url_rule("/fails/<kind>", "page_fails", fails)
    yield Site(IN_PROCESS, app).client()
    app.extensions["spool"].close()


@pytest.mark.parametrize(
    ("kind", "status", "detail"),
    [
        ("not-found", 404, "There is no such thing."),
        ("conflict", 409, "It has changed."),
        ("bad-request", 400, "This may not be done."),
    ],
)
def test_a_refusal_is_told_to_programs_and_to_people(http: httpx2.Client, kind: str, status: int, detail: str) -> None:
    told = http.get(f"/api/fails/{kind}")
    assert (told.status_code, told.headers["Content-Type"]) == (status, "application/problem+json")
    assert told.json() | {"title": ""} == {
        "type": f"urn:palaver:problem:{kind}", "title": "", "status": status, "detail": detail,
    }  # fmt: skip
    shown = http.get(f"/fails/{kind}")
    assert (shown.status_code, shown.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert detail in shown.text


@pytest.mark.parametrize("kind", ["cannot-decide", "bug"])
@pytest.mark.parametrize("path", ["/api/fails", "/fails"])
def test_what_cannot_be_decided_and_a_bug_are_503_and_name_no_cause(http: httpx2.Client, path: str, kind: str) -> None:
    answer = http.get(f"{path}/{kind}")
    assert (answer.status_code, int(answer.headers["Retry-After"]) >= 1) == (503, True)
    for inside in ("secret value", "database", "ZeroDivision", "Traceback"):
        assert inside not in answer.text


def test_a_page_that_fails_is_answered_without_a_template(http: httpx2.Client) -> None:
    assert http.get("/fails/bug").headers["Content-Type"].startswith("text/plain")


def test_errors_of_the_framework_take_the_same_forms(http: httpx2.Client) -> None:
    for path, kind in (("/api/nothing", "application/problem+json"), ("/nothing", "text/html; charset=utf-8")):
        answer = http.get(path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, kind)
    assert set(http.put("/login").headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_a_body_that_is_too_large_is_413_in_both_forms(http: httpx2.Client) -> None:
    for path, kind in (("/oauth/token", "application/problem+json"), ("/login", "text/html; charset=utf-8")):
        answer = http.post(path, data={"x": "y" * 70_000})
        assert (answer.status_code, answer.headers["Content-Type"]) == (413, kind)
