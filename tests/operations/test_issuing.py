"""Issuing: what an answer holds, what bounds it, and that a refusal consumes nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from broker.domain.decisions import Denied, Reason
from broker.domain.errors import OAuthError, Undecided
from broker.domain.instants import DAY, SECOND
from broker.domain.tokens import TokenKind, digest, well_formed
from broker.operations import grants, issuing
from broker.operations.register import clients, features
from broker.store import schema as s
from broker.store import standing
from broker.store.engine.statements import Statement
from tests.world import START, VERIFIER, World

WRITE, PROFILE = "messages:write", "profile:read"


def _of_client(world: World, *scopes: str) -> issuing.TokenAnswer:
    with world.answering("client:tuneloop-share") as context:
        return issuing.client_token(context, clients.get(context, "tuneloop-share"), frozenset(scopes))


def test_a_client_s_own_token_reads_its_standing_for_ten_minutes(world: World) -> None:
    answer = _of_client(world)
    token = str(answer.pop("access_token"))
    assert answer == {"token_type": "Bearer", "expires_in": 600, "scope": "standing:read"}
    assert _of_client(world, "standing:read")["scope"] == "standing:read"
    assert well_formed(TokenKind.ACCESS, token)
    assert world.says(token, "standing:read") == "allowed"
    world.clock.advance(minutes=10)
    assert world.says(token, "standing:read") == "token-expired"


@pytest.mark.parametrize("scopes", [(WRITE,), ("standing:read", WRITE), ("operate",)])
def test_a_client_gets_no_user_access_without_a_user(world: World, scopes: tuple[str, ...]) -> None:
    with pytest.raises(OAuthError, match="standing:read only") as caught:
        _of_client(world, *scopes)
    assert caught.value.code == "invalid_scope"


def test_an_answer_has_every_part_that_a_client_library_looks_for(world: World) -> None:
    answer = world.redeem("tuneloop-share", world.consent("alice", "tuneloop-share", WRITE, PROFILE))
    assert set(answer) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 600, f"{WRITE} {PROFILE}")
    assert well_formed(TokenKind.ACCESS, str(answer["access_token"]))
    assert well_formed(TokenKind.REFRESH, str(answer["refresh_token"]))


def test_no_secret_that_was_issued_is_in_the_database(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    own = str(_of_client(world)["access_token"])
    with world.read() as context:
        dump = "\n".join(
            repr(row)
            for table in s.metadata.sorted_tables
            for row in context.transaction.rows(Statement(select(*table.columns)))
        )
    bodies = [token[7:-6] for token in (alice.access, alice.refresh, alice.code, own)]
    for secret in (*bodies, VERIFIER, "alice-demo", "dev-only-"):
        assert secret not in dump
    assert repr(digest(alice.access)) in dump


@pytest.mark.parametrize(("date_s", "expires_in"), [(10_000, 600), (300, 300), (1, 1)])
def test_nothing_is_issued_beyond_the_end_of_the_feature(world: World, date_s: int, expires_in: int) -> None:
    with world.write() as context:
        features.schedule(context, "share-a-track", START + date_s * SECOND)
    answer = world.redeem("tuneloop-share", world.consent("alice", "tuneloop-share"))
    assert answer["expires_in"] == expires_in
    for token, table in ((answer["access_token"], s.access_token), (answer["refresh_token"], s.refresh_token)):
        with world.read() as context:
            found = standing.read(context.transaction, digest(str(token)), table)
        assert found is not None
        assert found.expires_at <= START + date_s * SECOND


def test_a_date_that_is_set_after_the_consent_bounds_the_next_refresh(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    with world.write() as context:
        features.schedule(context, "share-a-track", START + 120 * SECOND)
    later = world.check(world.refresh(alice).access)
    assert later.standing is not None
    assert later.standing.expires_at == START + 120 * SECOND


def test_a_family_s_end_bounds_what_comes_of_it(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    for _ in range(6):
        world.clock.advance(days=28)
        alice = world.refresh(alice)
        grant = world.grant_by_id(alice.grant_id)
        with world.write("user:alice") as context:
            grants.confirm_presence(context, grant)
        world.use(alice.access)
    world.clock.now = START + 180 * DAY - 60 * SECOND
    answer = world.check(world.refresh(alice).access)
    assert answer.standing is not None
    assert answer.standing.expires_at == START + 180 * DAY


def test_a_denial_is_said_in_the_token_endpoint_s_words() -> None:
    assert isinstance(issuing.refusal(Denied(Reason.FEATURE_SUSPENDED)), Undecided)
    errors = {reason: issuing.refusal(Denied(reason)) for reason in Reason if reason is not Reason.FEATURE_SUSPENDED}
    codes = {reason: error.code for reason, error in errors.items() if isinstance(error, OAuthError)}
    assert codes.pop(Reason.CLIENT_DISABLED) == "invalid_client"
    assert set(codes.values()) == {"invalid_grant"}
    assert len({str(error) for error in errors.values()}) == len(errors) - 1  # two have no words of their own
