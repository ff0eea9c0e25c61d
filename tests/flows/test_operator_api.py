"""The operator API: an operator's bearer token with its own scope, and the operations that the command line has."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from broker.operations.people import accounts
from broker.store.evidence import audit
from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import Site
from tests.world import World

FEATURE = "/admin/api/features/share-a-track"


class Operator:
    """Somebody with an operator's token, at the API."""

    def __init__(self, site: Site, world: World, name: str, scope: str = "operate") -> None:
        with world.write("cli") as context:
            self.token, _ = accounts.issue_operator_token(context, name, scope)
        self.http = site.client()

    def asks(self, method: str, path: str, body: Any = None) -> httpx2.Response:
        """Call the API."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.http.request(method, path, headers=headers, **({} if body is None else {"json": body}))


@pytest.fixture
def ops(site: Site, world: World) -> Operator:
    """The first operator."""
    return Operator(site, world, "ops")


@pytest.fixture
def ops2(site: Site, world: World) -> Operator:
    """The second."""
    return Operator(site, world, "ops2")


def test_one_operator_shuts_a_feature_down_and_gets_the_receipt(
    world: World, ops: Operator, alice: Person, tuneloop: Partner
) -> None:
    token = tuneloop.connects(alice)
    answer = ops.asks("POST", f"{FEATURE}/shut-down", {"reason": "it is over", "op_id": "op-1"})
    receipt = answer.json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert (receipt["feature"], receipt["state"], receipt["epoch"]) == ("share-a-track", "shut_down", 2)
    assert (receipt["op_id"], receipt["reason"]) == ("op-1", "it is over")
    assert receipt["ended"]["grants"] == 1
    assert set(receipt["live_after"].values()) == {0}
    assert tuneloop.calls("GET", "/api/threads", token).status_code == 401
    assert ops.asks("POST", f"{FEATURE}/shut-down", {"op_id": "op-1"}).json() == receipt
    assert ops.asks("GET", f"{FEATURE}/receipt").json() == receipt
    with world.read() as context:
        entries = audit.latest(context.transaction, 20)
    assert [entry.actor for entry in entries if entry.action == "feature.shut_down"] == ["operator:ops"]


def test_without_counting_the_receipt_comes_at_the_effect_and_is_completed_later(ops: Operator) -> None:
    receipt = ops.asks("POST", f"{FEATURE}/shut-down", {"count": False}).json()
    assert receipt["effective_at"] is not None
    assert (receipt["ended"], receipt["counted_at"]) == (None, None)
    whole = ops.asks("GET", f"{FEATURE}/receipt").json()
    assert whole["ended"]["grants"] == 0
    assert {name: whole[name] for name in ("op_id", "committed_at", "effective_at")} == {
        name: receipt[name] for name in ("op_id", "committed_at", "effective_at")
    }


def test_reopening_takes_two_people_and_the_epoch_that_they_saw(ops: Operator, ops2: Operator) -> None:
    ops.asks("POST", f"{FEATURE}/shut-down")
    wrong = ops.asks("POST", f"{FEATURE}/reopen", {"epoch": 1})
    assert (wrong.status_code, wrong.json()["type"]) == (409, "urn:palaver:problem:conflict")
    missing = ops.asks("POST", f"{FEATURE}/reopen")
    assert (missing.status_code, "epoch" in missing.json()["detail"]) == (400, True)
    asked = ops.asks("POST", f"{FEATURE}/reopen", {"epoch": 2})
    assert asked.status_code == 202
    path = f"/admin/api/approvals/{asked.json()['pending']}/approve"
    own = ops.asks("POST", path)
    assert (own.status_code, "another operator" in own.json()["detail"]) == (400, True)
    assert ops.asks("GET", FEATURE).json()["state"] == "shut_down"
    assert ops2.asks("POST", path).json()["operation"] == "reopen"
    assert ops.asks("GET", FEATURE).json() | {"state": "active", "epoch": 2} == ops.asks("GET", FEATURE).json()
    assert ops2.asks("POST", path).status_code == 409


def test_suspending_takes_one_person_and_resuming_two(ops: Operator, ops2: Operator) -> None:
    assert ops.asks("POST", f"{FEATURE}/suspend").json()["state"] == "suspended"
    pending = ops.asks("POST", f"{FEATURE}/resume").json()["pending"]
    assert ops.asks("GET", FEATURE).json()["state"] == "suspended"
    ops2.asks("POST", f"/admin/api/approvals/{pending}/approve")
    assert ops.asks("GET", FEATURE).json()["state"] == "active"


def test_narrowing_takes_one_person_and_never_empties_a_ceiling(ops: Operator) -> None:
    path = "/admin/api/features/recommend-a-show"
    assert ops.asks("POST", f"{path}/narrow", {"scopes": ["messages:read"]}).json()["ceiling"] == [
        "messages:write", "participants:read",
    ]  # fmt: skip
    assert ops.asks("POST", f"{path}/narrow", {"scopes": ["messages:read"]}).status_code == 409
    everything = ops.asks("POST", f"{path}/narrow", {"scopes": ["messages:write", "participants:read"]})
    assert everything.status_code == 400


def test_the_list_has_every_feature(ops: Operator) -> None:
    found = ops.asks("GET", "/admin/api/features").json()["features"]
    assert {feature["id"] for feature in found} == {
        "share-a-track", "now-playing", "recommend-a-show", "transfer-notice",
    }  # fmt: skip


def test_a_feature_that_is_not_there_is_404(ops: Operator) -> None:
    for path in ("/admin/api/features/nothing", "/admin/api/features/a%20b"):
        assert ops.asks("GET", path).status_code == 404
        assert ops.asks("POST", f"{path}/shut-down").status_code == 404
        assert ops.asks("GET", f"{path}/receipt").status_code == 404
    never = ops.asks("GET", f"{FEATURE}/receipt")
    assert (never.status_code, "never shut down" in never.json()["detail"]) == (404, True)
    assert ops.asks("POST", "/admin/api/approvals/nothing/approve").status_code == 404


# --- who may --------------------------------------------------------------------------------------------------------


def test_who_has_no_operators_token_does_nothing(
    site: Site, world: World, alice: Person, tuneloop: Partner, ops: Operator
) -> None:
    token = tuneloop.connects(alice)
    foreign = (token["access_token"], token["refresh_token"], tuneloop.of_its_own()["access_token"], "x", "")
    for bearer in foreign:
        answer = tuneloop.calls("POST", f"{FEATURE}/shut-down", bearer)
        assert (answer.status_code, answer.json()["type"]) == (401, "urn:palaver:problem:unknown-token")
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="palaver-operators"')
    anonymous = site.client().post(f"{FEATURE}/shut-down")
    assert anonymous.headers["WWW-Authenticate"] == 'Bearer realm="palaver-operators"'
    operator = Person(site, "ops")
    operator.log_in()
    assert operator.http.post(f"{FEATURE}/shut-down").status_code == 401, "a browser's cookie opens nothing here"
    assert ops.asks("GET", FEATURE).json()["state"] == "active"


def test_a_token_with_another_scope_is_forbidden(site: Site, world: World, ops: Operator) -> None:
    reader = Operator(site, world, "ops2", scope="read")
    answer = reader.asks("POST", f"{FEATURE}/shut-down")
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:palaver:problem:insufficient-scope")
    assert 'error="insufficient_scope", scope="operate"' in answer.headers["WWW-Authenticate"]
    assert ops.asks("GET", FEATURE).json()["state"] == "active"


def test_an_operators_token_ends_with_its_hour_or_its_account(world: World, ops: Operator, ops2: Operator) -> None:
    with world.write() as context:
        accounts.disable(context, "ops2")
    assert ops2.asks("GET", FEATURE).status_code == 401
    assert ops.asks("GET", FEATURE).status_code == 200
    world.clock.advance(hours=1)
    assert ops.asks("GET", FEATURE).status_code == 401


def test_an_operators_token_reads_nobodys_messages(ops: Operator) -> None:
    assert ops.asks("GET", "/api/threads").json()["type"] == "urn:palaver:problem:unknown-token"


NO_BODIES = (
    b"{", b"[]", b'{"reasn": "x"}', b'{"reason": "\\u0000"}', b'{"reason": "\\ud800"}', b'{"op_id": ""}',
    b'{"op_id": "\\u0000"}', b'{"reason": "' + b"x" * 501 + b'"}', b'{"count": "no"}', b"\xff",
)  # fmt: skip


def test_a_body_that_cannot_be_read_does_nothing(ops: Operator) -> None:
    bearer = {"Authorization": f"Bearer {ops.token}"}
    for body in NO_BODIES:
        headers = {**bearer, "Content-Type": "application/json"}
        assert ops.http.post(f"{FEATURE}/shut-down", content=body, headers=headers).status_code == 400, body
    assert ops.http.post(f"{FEATURE}/shut-down", data={"reason": "x"}, headers=bearer).status_code == 400
    for epoch in (-1, 1.5, 10**30, "2"):
        assert ops.asks("POST", f"{FEATURE}/reopen", {"epoch": epoch}).status_code in (400, 409)
    assert ops.asks("GET", FEATURE).json()["state"] == "active"
