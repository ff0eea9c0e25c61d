"""What ends tokens and leaves the grant: revoking, reuse, replay, a new password; and the user's own account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.decisions import Denied
from broker.domain.errors import OAuthError
from broker.operations import consent, issuing
from broker.operations.people import accounts
from broker.operations.register import clients
from tests.world import VERIFIER, Connection, World

WRITE = "messages:write"


def _refused(world: World, connection: Connection) -> str:
    with pytest.raises(OAuthError) as caught:
        world.refresh(connection)
    return f"{caught.value.code}: {caught.value.description}"


def _stands(world: World, connection: Connection) -> bool:
    return world.grant_by_id(connection.grant_id).ended_at is None


# --- revoking ---------------------------------------------------------------------------------------------------------


def test_a_revoked_access_token_is_dead_alone(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.revoke("tuneloop-share", alice.access)
    assert world.says(alice.access, WRITE) == "token-revoked"
    assert world.says(world.refresh(alice).access, WRITE) == "allowed"
    assert _stands(world, alice)


def test_a_revoked_refresh_token_ends_its_family_and_not_the_grant(world: World) -> None:
    alice, beside = world.connect("alice", "tuneloop-share"), world.connect("alice", "tuneloop-share")
    later = world.refresh(alice)
    world.revoke("tuneloop-share", later.refresh)
    assert world.says(alice.access, WRITE) == "token-revoked"
    assert world.says(later.access, WRITE) == "token-revoked"
    assert _refused(world, later) == "invalid_grant: it was revoked"
    assert world.says(beside.access, WRITE) == "allowed"
    assert _stands(world, alice)


def test_a_client_revokes_nothing_of_another(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    for token in (alice.access, alice.refresh, alice.code, "", "plv_at_unknown", alice.access[:-1] + "A"):
        world.revoke("tuneloop-app", token)
    assert world.says(alice.access, WRITE) == "allowed"
    assert world.says(world.refresh(alice).access, WRITE) == "allowed"


def test_revoking_twice_is_one_entry_in_the_log(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    for token in (alice.access, alice.access, alice.refresh, alice.refresh):
        world.revoke("tuneloop-share", token)
    assert world.log()[-2:] == ["token.revoked", "token_family.ended"]
    assert world.log().count("token.revoked") == world.log().count("token_family.ended") == 1


def test_a_client_revokes_its_own_token_too(world: World) -> None:
    with world.answering("client:tuneloop-share") as context:
        own = issuing.client_token(context, clients.get(context, "tuneloop-share"), frozenset())
    assert world.says(str(own["access_token"]), "standing:read") == "allowed"
    world.revoke("tuneloop-share", str(own["access_token"]))
    assert world.says(str(own["access_token"]), "standing:read") == "token-revoked"


# --- reuse and replay -------------------------------------------------------------------------------------------------


def test_a_reused_refresh_token_ends_its_family_and_not_the_grant(world: World) -> None:
    alice, beside = world.connect("alice", "tuneloop-share"), world.connect("alice", "tuneloop-share")
    later = world.refresh(world.refresh(alice))
    assert _refused(world, alice) == "invalid_grant: it was used before; everything issued from it has ended"
    assert world.says(alice.access, WRITE) == "token-revoked"
    assert world.says(later.access, WRITE) == "token-revoked"
    assert _refused(world, later) == "invalid_grant: it was revoked"
    assert world.says(beside.access, WRITE) == "allowed"
    assert _stands(world, alice)
    assert world.log()[-1] == "token_family.ended"


def test_reuse_is_noticed_even_when_the_token_has_expired_since(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.clock.advance(days=29)
    later = world.refresh(alice)
    world.clock.advance(days=2)
    assert "used before" in _refused(world, alice)
    assert _refused(world, later) == "invalid_grant: it was revoked"


@pytest.mark.parametrize("after_s", [1, 59, 61, 300])
def test_a_replayed_code_ends_what_it_gave_also_after_it_expired(world: World, after_s: int) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.clock.advance(seconds=after_s)
    with pytest.raises(OAuthError, match="it was used before") as caught:
        world.redeem("tuneloop-share", alice.code)
    assert caught.value.code == "invalid_grant"
    assert world.says(alice.access, WRITE) == "token-revoked"
    assert _refused(world, alice) == "invalid_grant: it was revoked"
    assert _stands(world, alice)
    assert world.says(world.connect("alice", "tuneloop-share").access, WRITE) == "allowed"


def test_a_code_that_another_client_has_caught_ends_nothing_and_gives_nothing(world: World) -> None:
    code = world.consent("alice", "tuneloop-share")
    with pytest.raises(OAuthError, match="unknown, or was not issued to this client"):
        world.redeem("northbank-notice", code)
    assert world.redeem("tuneloop-share", code)["scope"] == WRITE
    with pytest.raises(OAuthError, match="unknown, or was not issued to this client"):
        world.redeem("northbank-notice", code)
    assert "token_family.ended" not in world.log()


def test_a_code_lives_for_60_seconds(world: World) -> None:
    first, second = world.consent("alice", "tuneloop-share"), world.consent("bob", "tuneloop-share")
    world.clock.advance(seconds=59.999999)
    world.redeem("tuneloop-share", first)
    world.clock.advance(seconds=0.000001)
    with pytest.raises(OAuthError, match="it has expired"):
        world.redeem("tuneloop-share", second)


def test_a_code_that_is_presented_wrongly_is_not_consumed(world: World) -> None:
    code = world.consent("alice", "tuneloop-share")
    for uri, verifier, words in (
        ("https://tuneloop.example/other", VERIFIER, "redirect_uri is not the one"),
        ("https://tuneloop.example/callback", VERIFIER + "x", "code_verifier does not match"),
        ("https://tuneloop.example/callback", "\u00e9" * 50, "code_verifier does not match"),
    ):
        with pytest.raises(OAuthError, match=words), world.answering("client:tuneloop-share") as context:
            issuing.redeem_code(context, clients.get(context, "tuneloop-share"), code, uri, verifier)
    assert world.redeem("tuneloop-share", code)["scope"] == WRITE


def test_an_access_token_lives_for_ten_minutes(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.clock.advance(minutes=10, seconds=-0.000001)
    assert world.says(alice.access) == "allowed"
    world.clock.advance(seconds=0.000001)
    decision = world.check(alice.access)
    assert isinstance(decision, Denied)
    assert (decision.reason.value, decision.ended_at) == ("token-expired", world.clock.now)


def test_a_refresh_never_widens(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, "profile:read")
    narrow = world.refresh(alice, WRITE)
    assert narrow.scopes == {WRITE}
    assert world.says(narrow.access, "profile:read") == "insufficient-scope"
    assert world.refresh(narrow).scopes == {WRITE, "profile:read"}  # RFC 6749 section 6: up to what was granted
    bob = world.connect("bob", "tuneloop-share", WRITE)
    with pytest.raises(OAuthError, match="cannot give more") as caught:
        world.refresh(bob, WRITE, "profile:read")
    assert caught.value.code == "invalid_scope"
    assert world.refresh(bob).scopes == {WRITE}


# --- the user's account -----------------------------------------------------------------------------------------------


def _session(world: World, person: str) -> str:
    with world.write(f"user:{person}") as context:
        return accounts.log_in(context, accounts.by_name(context, person), "127.0.0.1")


def _open(world: World, session: str) -> bool:
    with world.read() as context:
        return accounts.of_session(context.transaction, session, context.now) is not None


def test_a_new_password_ends_sessions_and_tokens_and_leaves_the_grants(world: World) -> None:
    alice, bob = world.connect("alice", "tuneloop-share"), world.connect("bob", "tuneloop-share")
    notice, code = world.connect("alice", "northbank-notice"), world.consent("alice", "tuneloop-share")
    mine, his = _session(world, "alice"), _session(world, "bob")
    with world.write("user:alice") as context:
        accounts.set_password(context, accounts.by_name(context, "alice"), "a new password")
    assert not _open(world, mine)
    assert world.says(alice.access, WRITE) == world.says(notice.access, WRITE) == "token-revoked"
    assert _refused(world, alice) == "invalid_grant: it was revoked"
    with pytest.raises(OAuthError, match="it was revoked"):
        world.redeem("tuneloop-share", code)
    assert _stands(world, alice)
    assert _stands(world, notice)
    assert _open(world, his)
    assert world.says(bob.access, WRITE) == "allowed"
    again = world.connect("alice", "tuneloop-share")
    assert again.grant_id == alice.grant_id
    assert world.says(again.access, WRITE) == "allowed"


def test_a_disabled_user_s_grants_admit_nothing_until_the_user_is_enabled(world: World) -> None:
    alice, bob = world.connect("alice", "tuneloop-share"), world.connect("bob", "tuneloop-share")
    code, session = world.consent("alice", "northbank-notice"), _session(world, "alice")
    request, account = world.request("tuneloop-share"), world.account("alice")
    with world.write() as context:
        accounts.disable(context, "alice")
    assert world.says(alice.access, WRITE) == "user-disabled"
    assert _refused(world, alice) == "invalid_grant: the user's account is disabled"
    with pytest.raises(OAuthError, match="the user's account is disabled"):
        world.redeem("northbank-notice", code)
    for way in ("asked", "unasked"):
        with pytest.raises(OAuthError, match="the account is disabled") as caught:
            _consent(world, way, account, request)
        assert caught.value.code == "access_denied"
    assert world.says(bob.access, WRITE) == "allowed"
    with world.write() as context:
        accounts.enable(context, "alice")
    assert not _open(world, session)
    assert world.says(alice.access, WRITE) == "allowed"
    assert world.says(world.refresh(alice).access, WRITE) == "allowed"


def _consent(world: World, way: str, account: int, request: consent.AuthorizationRequest) -> None:
    with world.write("user:alice") as context:
        if way == "unasked":
            consent.continue_unchanged(context, account, request)
        else:
            shown = consent.review(context, account, request)
            consent.approve(context, account, request, consent.Answer(request.scopes, None), shown.hash)


def test_a_token_of_another_kind_is_as_good_as_unknown(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    for token in (alice.refresh, alice.code):
        assert world.says(token) == "unknown-token"
    for token in (alice.access, alice.refresh, ""):
        with pytest.raises(OAuthError, match="it is unknown"):
            world.redeem("tuneloop-share", token)
    for token in (alice.access, alice.code, ""):
        with pytest.raises(OAuthError, match="it is unknown"):
            world.refresh(replace(alice, refresh=token))
    assert world.says(alice.access, WRITE) == "allowed"
