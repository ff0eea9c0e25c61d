"""A node over HTTP: what the broker says becomes a lease and a memory, and what is no answer never becomes a yes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from broker.domain.audit import Action
from broker.domain.decisions import Allowed, Denied, Reason
from broker.domain.errors import Undecided
from broker.domain.instants import SECOND
from broker.domain.tokens import digest
from broker.enforcement.feed import Ask, HttpFeed, read
from broker.enforcement.memory import Seen
from broker.enforcement.node import Admission, Gone, Node
from broker.enforcement.remote import boottime
from broker.operations.register import resource_servers
from broker.store.revocations import nodes
from tests.register import SETTINGS, secret_of
from tests.visitors.site import Site, in_process
from tests.world import Connection, World

SERVER, LEASE_MS = "palaver-search", 300
WRITE = frozenset({"messages:write"})


class Own:
    """This node's clock, which stands still, and how often it has asked for what."""

    def __init__(self) -> None:
        self.now = 5_000_000
        self.asked: list[str] = []


@pytest.fixture
def own() -> Own:
    return Own()


@pytest.fixture
def site(world: World) -> Iterator[Site]:
    world.runtime = replace(world.runtime, ticks=boottime)  # a question that waits does so in real time
    with in_process(world.runtime) as found:
        yield found


@pytest.fixture
def ask(site: Site, own: Own) -> Ask:
    return _ask(site, own, secret_of(SERVER))


def _ask(site: Site, own: Own, secret: str) -> Ask:
    http = site.client()
    http.event_hooks = {"request": [lambda request: own.asked.append(request.url.path)]}
    return Ask(http, SERVER, secret, lambda: own.now)


@pytest.fixture
def held(world: World) -> Connection:
    return world.connect("alice", "tuneloop-share")


@pytest.fixture
def bobs(world: World) -> Connection:
    return world.connect("bob", "tuneloop-share")


@pytest.fixture
def node(ask: Ask, own: Own, held: Connection, bobs: Connection) -> Node:
    """One that is there only when all is connected: who connects waits for those that are."""
    found = Node(HttpFeed(ask, LEASE_MS), lambda: own.now)
    found.renew()
    return found


def _admit(node: Node, ask: Ask, own: Own, held: Connection) -> Admission:
    return node.admit(digest(held.access), WRITE, lambda: read(ask, held.access, lambda: own.now))


def _says(node: Node, ask: Ask, own: Own, held: Connection) -> str:
    admission = _admit(node, ask, own, held)
    admission.done()
    return "allowed" if isinstance(admission.decision, Allowed) else admission.decision.reason.value


def test_a_token_is_introspected_once_and_then_remembered(node: Node, ask: Ask, own: Own, held: Connection) -> None:
    node.renew()
    own.asked.clear()
    for _ in range(3):
        admission = _admit(node, ask, own, held)
        assert isinstance(admission.decision, Allowed)
        assert admission.claims is not None
        assert admission.claims["client_id"] == "tuneloop-share"
        admission.done()
    assert own.asked == ["/oauth/introspect"]


def test_a_standing_from_elsewhere_judges_scopes_and_holds_no_more_than_it_was_told(
    ask: Ask, own: Own, held: Connection
) -> None:
    seen = read(ask, held.access, lambda: own.now)
    assert isinstance(seen, Seen)
    assert isinstance(seen.decision(WRITE), Allowed)
    denied = seen.decision(frozenset({"messages:read"}))
    assert isinstance(denied, Denied)
    assert denied.reason is Reason.INSUFFICIENT_SCOPE
    assert seen.standing is not None
    assert (seen.standing.grant_id, seen.standing.account_id) == (None, None)
    assert seen.ends_at == own.now + 600 * SECOND * 99 // 100, "early by what this clock may be slow"


def test_every_narrowing_reaches_it_by_the_feed(
    world: World, node: Node, ask: Ask, own: Own, held: Connection, bobs: Connection
) -> None:
    assert [_says(node, ask, own, each) for each in (held, bobs)] == ["allowed", "allowed"]
    with world.runtime.write("operator:ops", settles=False) as context:
        context.record(Action.TOKEN_REVOKED, f"grant:{bobs.grant_id}")
    own.asked.clear()
    node.renew()
    assert _says(node, ask, own, held) == "allowed"
    assert "/oauth/introspect" not in own.asked, "alice's grant is not bob's"
    assert _says(node, ask, own, bobs) == "allowed"
    assert "/oauth/introspect" in own.asked, "what has changed is asked for again"


def test_what_it_confirms_the_broker_knows_and_it_leaves_when_it_ends(
    world: World, node: Node, held: Connection
) -> None:
    while node.has_to_tell or node.renew():
        node.renew()
    with world.read() as context:
        stored = nodes.all(context.transaction)
        assert [(each.resource_server_id, each.lease_us) for each in stored] == [(SERVER, LEASE_MS * 1000)]
        assert nodes.behind(context.transaction, stored[0].sent) == []
    node.leave()
    with world.read() as context:
        assert nodes.all(context.transaction) == []


def test_a_retired_node_registers_anew_and_asks_for_every_token_again(
    world: World, node: Node, ask: Ask, own: Own, held: Connection
) -> None:
    node.renew()
    assert _says(node, ask, own, held) == "allowed"
    with world.write() as context:
        nodes.retire(context.transaction, nodes.all(context.transaction)[0].id)
    assert node.renew(), "it is gone, and there is more to do at once"
    with pytest.raises(Undecided):
        _admit(node, ask, own, held)
    node.renew()
    own.asked.clear()
    assert _says(node, ask, own, held) == "allowed"
    assert own.asked == ["/oauth/introspect"]


def test_a_secret_that_is_not_believed_is_not_tried_again_at_once(site: Site, own: Own) -> None:
    feed = HttpFeed(_ask(site, own, "wrong"), LEASE_MS)
    for _ in range(5):
        with pytest.raises(Undecided, match="401"):
            feed.register()
    assert len(own.asked) == 1
    own.now += 16 * SECOND
    with pytest.raises(Undecided):
        feed.register()
    assert len(own.asked) == 2


def test_a_disabled_resource_server_has_no_lease_when_its_last_is_over(
    world: World, node: Node, ask: Ask, own: Own, held: Connection
) -> None:
    with world.runtime.write("operator:ops", settles=False) as context:
        resource_servers.disable(context, SERVER)
    with pytest.raises(Undecided):
        node.renew()
    own.now += LEASE_MS * 1000
    with pytest.raises(Undecided):
        _admit(node, ask, own, held)


def test_when_the_key_of_the_marks_changes_it_asks_for_every_token_again(
    world: World, node: Node, ask: Ask, own: Own, held: Connection
) -> None:
    """What it remembers hangs on marks that nobody sends any more."""
    assert _says(node, ask, own, held) == "allowed"
    rekeyed = replace(world.runtime, settings=replace(SETTINGS, secret_key=b"another-0123456789abcdef0123456789abcdef"))
    with in_process(rekeyed) as site:
        ask._http = site.client()
        assert node.renew()
        with pytest.raises(Undecided):
            node.require_lease()
        node.renew()
        assert node.memory.get(digest(held.access)) is None
        assert _says(node, ask, own, held) == "allowed"
    seen = node.memory.get(digest(held.access))
    assert seen is not None
    assert node.cell is not None
    assert seen.generation == node.cell.generation


# --- a broker that says something else --------------------------------------------------------------------------------

GOOD_NEWS = {"generation": 1, "position": 7, "complete": True, "events": []}
GOOD_TOKEN = {
    "active": True, "scope": "messages:write", "client_id": "c", "exp": 1_900_000_000, "iat": 1_800_000_000,
    "feature": "f",
    "lease": {"generation": 1, "position": 7, "ends_in_us": 1_000_000, "marks": ["m"]},
}  # fmt: skip


def _scripted(answer: Callable[[httpx2.Request], httpx2.Response]) -> Ask:
    http = httpx2.Client(base_url="http://127.0.0.1:1", transport=httpx2.MockTransport(answer))
    return Ask(http, SERVER, "s", lambda: 0)


def _poll(answer: httpx2.Response) -> object:
    return HttpFeed(_scripted(lambda _: answer), LEASE_MS).poll("n h", 7, 7)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 429, 500, 502, 503])
def test_an_answer_that_is_no_answer_is_undecided(status: int) -> None:
    with pytest.raises(Undecided):
        _poll(httpx2.Response(status, json=GOOD_NEWS, headers={"Location": "/elsewhere"}))
    with pytest.raises(Undecided):
        read(_scripted(lambda _: httpx2.Response(status, json=GOOD_TOKEN)), "t", lambda: 0)


def test_gone_is_gone_for_the_feed_and_undecided_for_a_token() -> None:
    with pytest.raises(Gone):
        _poll(httpx2.Response(410))
    with pytest.raises(Undecided):
        read(_scripted(lambda _: httpx2.Response(410)), "t", lambda: 0)
    with pytest.raises(Undecided):
        HttpFeed(_scripted(lambda _: httpx2.Response(410)), LEASE_MS).register()


def _unreachable(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("refused", request=request)


def test_a_broker_that_cannot_be_reached_is_undecided() -> None:
    ask = _scripted(_unreachable)
    for asking in (lambda: read(ask, "t", lambda: 0), HttpFeed(ask, LEASE_MS).register,
                   lambda: HttpFeed(ask, LEASE_MS).leave("n h")):  # fmt: skip
        with pytest.raises(Undecided):
            asking()


@pytest.mark.parametrize(
    "news",
    [
        [], "x", {**GOOD_NEWS, "position": "7"}, {**GOOD_NEWS, "position": -1}, {**GOOD_NEWS, "position": True},
        {**GOOD_NEWS, "generation": None}, {**GOOD_NEWS, "events": None}, {**GOOD_NEWS, "events": [7]},
        {**GOOD_NEWS, "events": [["7", "m"]]}, {**GOOD_NEWS, "events": [[7, 7]]},
    ],
    ids=str,
)  # fmt: skip
def test_news_that_cannot_be_understood_give_no_lease(news: Any) -> None:
    with pytest.raises(Undecided):
        _poll(httpx2.Response(200, json=news))
    with pytest.raises(Undecided):
        _poll(httpx2.Response(200, text="<html>"))


def test_news_that_do_not_say_that_they_are_all_give_no_lease() -> None:
    answers = iter([
        httpx2.Response(201, json={"node": "n", "handle": "h", "lease_ms": 300, "generation": 1, "position": 7}),
        httpx2.Response(200, json={**GOOD_NEWS, "complete": "yes"}),
    ])  # fmt: skip
    node = Node(HttpFeed(_scripted(lambda _: next(answers)), LEASE_MS), lambda: 0)
    assert node.renew()
    assert node.cell is None


@pytest.mark.parametrize("active", [False, None, "true", 1])
def test_only_true_is_active(active: object) -> None:
    said = {**GOOD_TOKEN, "active": active}
    assert read(_scripted(lambda _: httpx2.Response(200, json=said)), "t", lambda: 0) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"lease": None}, {"exp": "soon"}, {"scope": None}, {"client_id": 7},
        {"lease": {"generation": 1, "position": 7, "ends_in_us": 1}},
        {"lease": {"generation": 1, "position": 7, "ends_in_us": 1, "marks": []}},
        {"lease": {"generation": 1, "position": 7, "ends_in_us": 1, "marks": [7]}},
        {"lease": {"generation": 1, "position": 7, "ends_in_us": -1, "marks": ["m"]}},
        {"lease": {"generation": 1, "position": None, "ends_in_us": 1, "marks": ["m"]}},
    ],
    ids=str,
)  # fmt: skip
def test_an_introspection_that_does_not_say_what_it_hangs_on_admits_nobody(changed: dict[str, object]) -> None:
    assert read(_scripted(lambda _: httpx2.Response(200, json=GOOD_TOKEN)), "t", lambda: 0) is not None
    with pytest.raises(Undecided):
        read(_scripted(lambda _: httpx2.Response(200, json=GOOD_TOKEN | changed)), "t", lambda: 0)


def test_it_waits_for_news_only_when_there_is_nothing_to_confirm_soon() -> None:
    waits: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        waits.append(request.url.params.get("wait", ""))
        return httpx2.Response(200, json=GOOD_NEWS)

    feed = HttpFeed(_scripted(answer), LEASE_MS)
    for after, confirmed in ((7, 7), (7, 7), (7, 6), (7, 7)):
        feed.poll("n h", after, confirmed)
    assert waits == ["0.000", "0.100", "0.000", "0.100"], "the first lease comes at once"
