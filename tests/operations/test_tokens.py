"""Introspection: an answer for the resource server that the token is for, and for nobody else."""

from __future__ import annotations

from broker.domain.instants import DAY, SECOND, seconds
from broker.operations import grants, issuing, tokens
from broker.operations.identifiers import generation, grant_id, identifiers, mark
from broker.operations.register import clients, features
from broker.store.register.resource_servers import ResourceServer
from broker.store.revocations import events
from tests.register import SETTINGS
from tests.world import START, World

WRITE, PROFILE, READ = "messages:write", "profile:read", "messages:read"


def _introspect(world: World, token: str, server: ResourceServer | None) -> dict[str, object]:
    with world.read() as context:
        return tokens.introspect(context.transaction, SETTINGS, server, token)


SEARCH = ResourceServer("palaver-search", "Palaver search", frozenset({WRITE, READ}), "active", b"")
POSTS = ResourceServer("palaver-posts", "Palaver posts", frozenset({"posts:read"}), "active", b"")


def test_a_resource_server_learns_what_it_needs_and_only_its_own_scopes(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    answer = _introspect(world, alice.access, SEARCH)
    key = SETTINGS.secret_key
    assert answer == {
        "active": True, "scope": WRITE, "client_id": "tuneloop-share", "token_type": "Bearer",
        "exp": seconds(START) + 600, "iat": seconds(START), "aud": "palaver-search", "feature": "share-a-track",
        "sub": identifiers(key, "resource-server:palaver-search").write(4, world.account("alice")),
        "grant_id": grant_id(key, alice.grant_id),
    }  # fmt: skip


def test_everybody_else_learns_that_it_is_inactive_and_nothing_more(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    for server in (None, POSTS):
        assert _introspect(world, alice.access, server) == {"active": False}


def test_what_is_no_access_token_or_no_longer_good_is_inactive(world: World) -> None:
    alice, bob = world.connect("alice", "tuneloop-share"), world.connect("bob", "tuneloop-share")
    with world.answering("client:tuneloop-share") as context:
        own = issuing.client_token(context, clients.get(context, "tuneloop-share"), frozenset())
    world.disconnect(bob)
    for token in (alice.refresh, alice.code, bob.access, str(own["access_token"]), "", "\ud800", alice.access + "x"):
        assert _introspect(world, token, SEARCH) == {"active": False}
    world.suspend("share-a-track")
    assert _introspect(world, alice.access, SEARCH) == {"active": False}


def test_the_expiry_is_the_earliest_of_all_ends(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    assert _introspect(world, alice.access, SEARCH)["exp"] == seconds(START) + 600
    with world.write() as context:
        features.schedule(context, "share-a-track", START + 300 * SECOND)
    assert _introspect(world, alice.access, SEARCH)["exp"] == seconds(START) + 300


def test_the_expiry_counts_disuse_and_absence_too(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    for _ in range(3):
        world.clock.advance(days=29)
        alice = world.refresh(alice)
    world.use(alice.access, PROFILE)
    grant = world.grant("alice", "tuneloop-share")
    with world.write("user:alice") as context:
        grants.confirm_presence(context, grant)
    world.clock.now = START + 90 * DAY - 60 * SECOND
    alice = world.refresh(alice)
    assert _introspect(world, alice.access, SEARCH)["exp"] == seconds(START + 90 * DAY)


def test_a_token_that_lost_this_server_s_scopes_is_inactive_to_it(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    world.narrow("share-a-track", WRITE)
    assert world.says(alice.access) == "allowed"
    assert _introspect(world, alice.access, SEARCH) == {"active": False}


def _leased(world: World, token: str, server: ResourceServer = SEARCH) -> dict[str, object]:
    with world.read() as context:
        found = tokens.introspect(context.transaction, SETTINGS, server, token, lease=True).get("lease")
    assert isinstance(found, dict)
    return found


def test_a_node_learns_what_the_answer_hangs_on_and_of_which_snapshot_it_is(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    lease = _leased(world, alice.access)
    with world.read() as context:
        number, position = events.head(context.transaction)
    assert lease["generation"] == generation(SETTINGS.secret_key, "resource-server:palaver-search", number)
    assert (lease["position"], lease["ends_in_us"]) == (position, 600 * SECOND)
    account = f"account:{world.account('alice')}"
    grant = f"grant:{alice.grant_id}"
    assert lease["marks"] == [
        mark(SETTINGS.secret_key, "resource-server:palaver-search", each)
        for each in ("partner:tuneloop", "feature:share-a-track", "client:tuneloop-share", grant, account)
    ]


def test_without_being_asked_for_the_lease_is_not_there_and_an_inactive_token_has_none(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    assert "lease" not in _introspect(world, alice.access, SEARCH)
    world.disconnect(alice)
    with world.read() as context:
        found = tokens.introspect(context.transaction, SETTINGS, SEARCH, alice.access, lease=True)
    assert found == {"active": False}


def test_two_resource_servers_cannot_join_what_they_are_told_of_one_token(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    other = ResourceServer("palaver-profile", "Palaver profile", frozenset({PROFILE}), "active", b"")
    first, second = _leased(world, alice.access)["marks"], _leased(world, alice.access, other)["marks"]
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert len(first) == len(second) == 5
    assert not set(first) & set(second)
