"""The revocation feed over HTTP: what a resource server's node is told, and what it cannot do with a lie."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest

from broker.domain.audit import Action
from broker.operations import nodes as operations
from broker.operations.identifiers import mark
from broker.operations.nodes import MAX_NODES
from broker.operations.register import resource_servers
from broker.store.revocations import nodes
from broker.web.oauth import revocations
from tests.register import SETTINGS, secret_of
from tests.visitors.site import Site, in_process
from tests.world import World

Answer = dict[str, Any]
SEARCH = ("palaver-search", secret_of("palaver-search"))
WORDS = "urn:palaver:problem:"


@dataclass
class Registered:
    """A node as its process knows it."""

    http: httpx2.Client
    auth: tuple[str, str]
    said: Answer

    def asks(self, *, auth: tuple[str, str] | None = None, handle: str | None = None, **asked: Any) -> httpx2.Response:
        values = {"node": self.said["node"], "after": self.said["position"], "confirmed": self.said["position"]}
        headers = {"Revocation-Node": handle or self.said["handle"]}
        query: dict[str, Any] = {name: value for name, value in {**values, **asked}.items() if value is not None}
        return self.http.get("/oauth/revocations", params=query, headers=headers, auth=auth or self.auth)

    def leaves(self, *, handle: str | None = None, auth: tuple[str, str] | None = None) -> httpx2.Response:
        path, headers = (
            f"/oauth/revocations/nodes/{self.said['node']}",
            {"Revocation-Node": handle or self.said["handle"]},
        )
        return self.http.delete(path, headers=headers, auth=auth or self.auth)


@pytest.fixture
def site(world: World) -> Iterator[Site]:
    with in_process(world.runtime) as found:
        yield found


def _registers(site: Site, auth: tuple[str, str] = SEARCH, **form: object) -> httpx2.Response:
    return site.client().post("/oauth/revocations/nodes", data=form or None, auth=auth)


def _node(site: Site, auth: tuple[str, str] = SEARCH, **form: object) -> Registered:
    answer = _registers(site, auth, **form)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store"), answer.text
    return Registered(site.client(), auth, answer.json())


def _ends(world: World, *subjects: str) -> int:
    """Entries of the log, for which nobody waits; the last one's position."""
    with world.runtime.write("operator:ops", settles=False) as context:
        return [context.record(Action.GRANT_ENDED, subject) for subject in subjects][-1]


def _stored(world: World) -> list[nodes.Node]:
    with world.read() as context:
        return nodes.all(context.transaction)


def _refused(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix(WORDS)


# --- what it is for ---------------------------------------------------------------------------------------------------


def test_a_process_registers_and_gets_what_it_asks_with(site: Site, world: World) -> None:
    node = _node(site, lease_ms=300)
    assert set(node.said) == {"node", "handle", "lease_ms", "generation", "position"}
    stored = _stored(world)[0]
    assert (stored.id, stored.resource_server_id, stored.lease_us) == (node.said["node"], "palaver-search", 300_000)
    assert _node(site).said["lease_ms"] == 3000


def test_it_hears_in_opaque_marks_what_has_changed_and_nothing_else(site: Site, world: World) -> None:
    node = _node(site)
    position = _ends(world, "grant:7", "feature:share-a-track")
    answer = node.asks()
    assert answer.headers["Cache-Control"] == "no-store"
    key = SETTINGS.secret_key
    assert answer.json() == {
        "generation": node.said["generation"], "position": position, "complete": True,
        "events": [[position - 1, mark(key, "resource-server:palaver-search", "grant:7")],
                   [position, mark(key, "resource-server:palaver-search", "feature:share-a-track")]],
    }  # fmt: skip
    assert "share-a-track" not in answer.text


def test_two_resource_servers_cannot_join_what_they_hear(site: Site, world: World) -> None:
    with world.write() as context:
        other = resource_servers.register(context, "palaver-export", "Palaver export", frozenset({"messages:read"}))
    first, second = _node(site), _node(site, ("palaver-export", other))
    _ends(world, "grant:7")
    assert first.asks().json()["events"][0][1] != second.asks().json()["events"][0][1]


def test_asking_is_confirming(site: Site, world: World) -> None:
    node = _node(site)
    position = _ends(world, "grant:7")
    node.asks()
    assert _stored(world)[0].confirmed == node.said["position"], "told is not confirmed"
    node.asks(after=position, confirmed=position)
    assert _stored(world)[0].confirmed == position


def test_more_than_fits_is_told_in_parts(site: Site, world: World) -> None:
    node = _node(site)
    last = _ends(world, *(f"grant:{number}" for number in range(1001)))
    first = node.asks().json()
    assert (first["complete"], len(first["events"]), first["position"]) == (False, 1000, last - 1)
    rest = node.asks(after=first["position"], wait=1).json()
    assert (rest["complete"], len(rest["events"]), rest["position"]) == (True, 1, last)


def test_a_node_that_leaves_is_awaited_by_nobody(site: Site, world: World) -> None:
    node = _node(site)
    assert node.leaves().status_code == 204
    assert _stored(world) == []
    assert _refused(node.asks()) == (410, "node-gone")
    assert _refused(node.leaves()) == (410, "node-gone")


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_who_waits_hears_it_as_soon_as_it_happens_and_has_confirmed_before(site: Site, world: World) -> None:
    node = _node(site)
    position = _ends(world, "grant:7")
    node.asks()
    answers: list[Answer] = []  # the world's ticks pass slowly: it is the news that ends this wait
    waiting = threading.Thread(
        target=lambda: answers.append(node.asks(after=position, confirmed=position, wait=1).json())
    )
    waiting.start()
    for _ in iter(lambda: _stored(world)[0].confirmed < position, False):
        waiting.join(0.005)
    assert waiting.is_alive(), "what it confirmed is known while it still waits"
    later = _ends(world, "grant:8")
    waiting.join(20)
    assert answers[0]["position"] == later


def test_one_request_waits_and_the_others_answer_at_once(site: Site) -> None:
    node = _node(site)
    assert revocations._waiting.acquire(blocking=False)
    try:
        assert node.asks(wait=1).json()["events"] == [], "answered, though nothing ever happens"
    finally:
        revocations._waiting.release()


# --- lies, floods and mistakes ----------------------------------------------------------------------------------------


def test_who_confirms_what_it_was_never_told_is_refused_and_believed_nothing(site: Site, world: World) -> None:
    node = _node(site)
    position = _ends(world, "grant:7")
    assert _refused(node.asks(after=position, confirmed=position)) == (400, "bad-request")
    assert _stored(world)[0].confirmed == node.said["position"]


def test_who_has_heard_of_what_never_was_starts_anew(site: Site) -> None:
    node = _node(site)
    assert _refused(node.asks(after=node.said["position"] + 1)) == (410, "node-gone")


def test_a_handle_works_for_its_own_server_and_its_own_name_alone(site: Site, world: World) -> None:
    with world.write() as context:
        secret = resource_servers.register(context, "palaver-export", "Palaver export", frozenset({"messages:read"}))
    node, sibling, stranger = _node(site), _node(site), _node(site, ("palaver-export", secret))
    before = {each.id: each for each in _stored(world)}
    world.clock.advance(seconds=1)
    assert _refused(stranger.asks(handle=node.said["handle"], node=node.said["node"])) == (410, "node-gone")
    assert _refused(node.asks(node=sibling.said["node"])) == (410, "node-gone")
    assert _refused(node.asks(handle="x" * 64)) == (410, "node-gone")
    assert _refused(node.leaves(handle=sibling.said["handle"])) == (410, "node-gone")
    assert _refused(node.leaves(auth=("palaver-export", secret))) == (410, "node-gone")
    assert {each.id: each for each in _stored(world)} == before, "nothing was renewed, confirmed or forgotten"


def test_without_a_handle_nobody_is_told_anything(site: Site) -> None:
    node = _node(site)
    answer = site.client().get("/oauth/revocations", params={"node": node.said["node"], "after": 0, "confirmed": 0},
                               auth=SEARCH)  # fmt: skip
    assert _refused(answer) == (410, "node-gone")


@pytest.mark.parametrize("auth", [("palaver-search", "wrong"), ("nobody", "x"), ("", "")], ids=lambda each: each[0])
def test_who_is_no_resource_server_gets_nothing(site: Site, auth: tuple[str, str]) -> None:
    node = _node(site)
    for answer in (_registers(site, auth), node.asks(auth=auth), node.leaves(auth=auth)):
        assert _refused(answer) == (401, "unknown-resource-server")
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert node.asks().status_code == 200


def test_who_fails_too_often_waits(sqlite_world: World) -> None:
    limits = replace(SETTINGS.limits, enabled=True, token_failures_per_minute=2)
    with in_process(sqlite_world.configured(replace(SETTINGS, limits=limits))) as site:
        said = [_registers(site, ("palaver-search", "wrong")).status_code for _ in range(3)]
        assert said == [401, 401, 429]
        assert int(_registers(site).headers["Retry-After"]) > 0


def test_a_client_is_no_resource_server(site: Site) -> None:
    assert _registers(site, ("tuneloop-share", secret_of("tuneloop-share"))).status_code == 401
    assert _refused(site.client().post("/oauth/revocations/nodes")) == (401, "unknown-resource-server")


def test_a_disabled_resource_servers_nodes_get_no_lease(site: Site, world: World) -> None:
    node = _node(site)
    with world.runtime.write("operator:ops", settles=False) as context:
        resource_servers.disable(context, "palaver-search")
    assert _refused(node.asks()) == (401, "unknown-resource-server")


def test_one_that_is_disabled_while_it_waits_is_told_nothing(
    site: Site, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = _node(site)

    def disabled_meanwhile(after: int, wait_s: float) -> bool:
        with world.runtime.write("operator:ops", settles=False) as context:
            resource_servers.disable(context, "palaver-search")
        return True

    monkeypatch.setattr(revocations, "_waited", disabled_meanwhile)
    assert _refused(node.asks(wait=1)) == (401, "unknown-resource-server")


def test_a_flood_of_registrations_ends_at_a_number_and_holds_nobody_else_up(site: Site, world: World) -> None:
    with world.write() as context:
        secret = resource_servers.register(context, "palaver-export", "Palaver export", frozenset({"messages:read"}))
        for _ in range(MAX_NODES):
            operations.register(context, 300_000, "palaver-search")
    assert _refused(_registers(site)) == (400, "bad-request")
    assert _registers(site, ("palaver-export", secret)).status_code == 201


@pytest.mark.parametrize("lease_ms", ["10001", "0", "-1", "1e3", "3000.0", "9" * 30, "x", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_a_lease_that_is_too_long_or_none_is_refused(site: Site, world: World, lease_ms: str) -> None:
    assert _refused(_registers(site, lease_ms=lease_ms)) == (400, "bad-request")
    assert _stored(world) == []


@pytest.mark.parametrize(
    "asked",
    [
        {"after": "-1"}, {"after": "x"}, {"after": None}, {"after": "9" * 19}, {"after": ["1", "2"]},
        {"confirmed": "1.5"}, {"confirmed": None}, {"node": None},
        {"wait": "2"}, {"wait": "1.5"}, {"wait": "-1"}, {"wait": "nan"}, {"wait": "1e0"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_number_is_a_400(sqlite_world: World, asked: dict[str, Any]) -> None:
    with in_process(sqlite_world.runtime) as site:
        node = _node(site)
        assert _refused(node.asks(**asked)) == (400, "bad-request")


def test_a_registration_takes_a_form_or_nothing(sqlite_world: World) -> None:
    with in_process(sqlite_world.runtime) as site:
        path = "/oauth/revocations/nodes"
        assert _refused(site.client().post(path, json={"lease_ms": 300}, auth=SEARCH)) == (400, "bad-request")
        assert _refused(site.client().post(f"{path}?lease_ms=300", auth=SEARCH)) == (400, "bad-request")
