"""A grant's own ways of ending: by its user, by an operator, and by time; whatever partners do does not delay it."""

from __future__ import annotations

import pytest

from broker.domain.decisions import Denied
from broker.domain.errors import NotFound, OAuthError
from broker.domain.instants import DAY
from broker.operations import consent, grants
from broker.operations.people import accounts
from tests.world import Connection, World

WRITE, PROFILE = "messages:write", "profile:read"


def _refused(world: World, connection: Connection) -> str:
    with pytest.raises(OAuthError) as caught:
        world.refresh(connection)
    return f"{caught.value.code}: {caught.value.description}"


def _drop(world: World, connection: Connection, scope: str) -> bool:
    account = world.account(connection.person)
    with world.write(f"user:{connection.person}") as context:
        return grants.drop_scope(context, grants.own(context, account, connection.grant_id), scope)


def _confirm(world: World, connection: Connection) -> bool:
    account = world.account(connection.person)
    with world.write(f"user:{connection.person}") as context:
        return grants.confirm_presence(context, grants.own(context, account, connection.grant_id))


# --- by people --------------------------------------------------------------------------------------------------------


def test_a_disconnected_app_can_do_nothing_and_others_go_on(world: World) -> None:
    share, notice = world.connect("alice", "tuneloop-share"), world.connect("alice", "northbank-notice")
    bob, code = world.connect("bob", "tuneloop-share"), world.consent("alice", "tuneloop-share")
    assert world.disconnect(share)
    assert world.says(share.access, WRITE) == "grant-ended"
    assert _refused(world, share) == "invalid_grant: the grant has ended"
    with pytest.raises(OAuthError, match="the grant has ended"):
        world.redeem("tuneloop-share", code)
    assert world.says(notice.access, WRITE) == "allowed"
    assert world.says(bob.access, WRITE) == "allowed"
    assert not world.disconnect(share)


def test_only_its_own_user_disconnects_a_grant(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    bob = world.account("bob")
    for number in (alice.grant_id, 12345, None):
        with world.read() as context, pytest.raises(NotFound, match="no such connected app"):
            grants.own(context, bob, number)


def test_consent_after_a_disconnect_is_a_new_grant_and_leaves_the_old_dead(world: World) -> None:
    old = world.connect("alice", "tuneloop-share")
    world.disconnect(old)
    new = world.connect("alice", "tuneloop-share")
    assert new.grant_id != old.grant_id
    assert world.says(new.access, WRITE) == "allowed"
    assert world.says(old.access, WRITE) == "grant-ended"


def test_an_operator_revokes_a_grant(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    with world.write() as context:
        assert grants.revoke(context, alice.grant_id)
        assert not grants.revoke(context, alice.grant_id)
        with pytest.raises(NotFound, match="no such grant"):
            grants.revoke(context, None)
    assert world.says(alice.access, WRITE) == "grant-ended"
    assert world.grant_by_id(alice.grant_id).end_cause == "revoked_by_operator"


def test_a_scope_that_is_taken_back_leaves_live_tokens_and_the_rest_stays(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    assert _drop(world, alice, PROFILE)
    assert world.says(alice.access, PROFILE) == "insufficient-scope"
    assert world.says(alice.access, WRITE) == "allowed"
    assert world.refresh(alice).scopes == {WRITE}
    assert not _drop(world, alice, PROFILE)


def test_a_scope_that_is_left_unticked_the_next_time_is_taken_back(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    world.connect("alice", "tuneloop-share", WRITE, PROFILE, ticked=set())
    assert world.says(alice.access, PROFILE) == "insufficient-scope"
    assert world.says(alice.access, WRITE) == "allowed"


def test_a_conversation_that_is_left_out_the_next_time_is_closed_to_earlier_tokens(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    assert not isinstance(world.post(alice.access, thread="Flat 3B"), Denied)
    world.connect("alice", "tuneloop-share", threads={world.thread("Saturday hike")})
    with pytest.raises(NotFound, match="no such conversation"):
        world.post(alice.access, thread="Flat 3B")
    assert not isinstance(world.post(alice.access, thread="Saturday hike"), Denied)


# --- by its own time --------------------------------------------------------------------------------------------------


def _keep_alive(world: World, connection: Connection, days: int) -> Connection:
    """Everything that keeps a grant alive, month after month: the person present, the scope in use, the token fresh."""
    for _ in range(days // 20):
        world.clock.advance(days=20)
        connection = world.refresh(connection)
        assert _confirm(world, connection)
        world.use(connection.access)
    return connection


def test_a_grant_lasts_at_most_its_feature_s_lifetime_whatever_is_done_with_it(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    granted = world.clock.now
    while world.clock.now < granted + 340 * DAY:
        alice = _keep_alive(world, alice, 20)
        if (world.clock.now - granted) // DAY % 160 == 0:  # a family lasts 180 days: sign in again, as unchanged
            alice = _sign_in_unchanged(world, alice)
    world.clock.now = granted + 365 * DAY - 60_000_000
    alice = world.refresh(alice)
    decision = world.check(alice.access)
    assert decision.standing is not None
    assert decision.standing.expires_at == granted + 365 * DAY
    world.clock.now = granted + 365 * DAY
    assert world.says(alice.access) == "grant-ended"
    assert _refused(world, alice) == "invalid_grant: the grant has ended"
    assert not _confirm(world, alice)


def _sign_in_unchanged(world: World, connection: Connection) -> Connection:
    request, account = world.request(connection.client_id), world.account(connection.person)
    with world.write(f"user:{connection.person}") as context:
        code = consent.continue_unchanged(context, account, request)
    assert code is not None
    return world.holding(connection.person, connection.client_id, code)


def test_a_feature_s_own_lifetime_is_kept_where_it_is_shorter(world: World) -> None:
    alice = world.connect("alice", "tuneloop-playing")
    world.clock.advance(days=29)
    alice = world.refresh(alice)
    world.clock.advance(minutes=9)
    assert world.says(alice.access, "posts:read") == "allowed"
    world.clock.advance(days=1)
    assert world.says(alice.access) == "grant-ended"


def test_a_family_lasts_180_days_however_often_it_is_refreshed(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    alice = _keep_alive(world, alice, 160)
    world.clock.advance(days=20)
    assert _refused(world, alice) == "invalid_grant: it has expired"
    assert world.grant("alice", "tuneloop-share").ended_at is None


def test_a_refresh_token_that_idles_for_30_days_has_expired(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.clock.advance(days=30)
    assert _refused(world, alice) == "invalid_grant: it has expired"


# --- by disuse --------------------------------------------------------------------------------------------------------


def _refreshed_for(world: World, connection: Connection, days: int) -> Connection:
    for _ in range(days // 10):
        world.clock.advance(days=10)
        connection = world.refresh(connection)
    return connection


def test_a_scope_that_is_not_used_for_90_days_is_gone_and_the_used_one_stays(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    alice = _refreshed_for(world, alice, 80)
    assert _confirm(world, alice)
    world.use(alice.access, WRITE)
    alice = _refreshed_for(world, alice, 10)
    assert world.says(alice.access, PROFILE) == "insufficient-scope"
    assert world.says(alice.access, WRITE) == "allowed"
    assert alice.scopes == {WRITE}


def test_a_refused_request_is_not_a_use(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    alice = _refreshed_for(world, alice, 80)
    _confirm(world, alice)
    world.use(alice.access, WRITE)
    assert isinstance(world.use(alice.access, "messages:read"), Denied)
    world.use(world.refresh(alice, WRITE).access, PROFILE)
    world.clock.advance(days=10)
    assert world.grant("alice", "tuneloop-share").scopes[1].uses == 0
    assert world.says(alice.access, PROFILE) != "allowed"


def test_somebody_else_s_use_of_the_same_app_keeps_no_scope(world: World) -> None:
    alice, bob = world.connect("alice", "tuneloop-share"), world.connect("bob", "tuneloop-share")
    alice, bob = _refreshed_for(world, alice, 80), _refreshed_for(world, bob, 0)
    _confirm(world, alice)
    world.use(_sign_in_unchanged(world, bob).access, WRITE)
    world.clock.advance(days=10)
    assert world.says(alice.access) in ("insufficient-scope", "token-expired")
    with pytest.raises(OAuthError, match="nothing is left of what was granted"):
        world.refresh(alice)


def test_consent_gives_a_whole_period_anew(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    _refreshed_for(world, alice, 80)
    again = world.connect("alice", "tuneloop-share")
    again = _refreshed_for(world, again, 80)
    assert world.says(again.access, WRITE) == "allowed"


# --- by absence -------------------------------------------------------------------------------------------------------


def test_a_grant_ends_when_its_user_was_not_there_for_90_days_whatever_the_partner_does(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    for _ in range(8):
        alice = _refreshed_for(world, alice, 10)
        world.use(alice.access)
    world.clock.advance(days=10, minutes=-5)
    alice = world.refresh(alice)
    assert world.says(alice.access) == "allowed"
    world.clock.advance(minutes=5)
    assert world.says(alice.access) == "grant-ended"
    assert _refused(world, alice) == "invalid_grant: the grant has ended"


def test_nobody_else_s_presence_keeps_a_grant(world: World) -> None:
    alice, bob = world.connect("alice", "tuneloop-share"), world.connect("bob", "tuneloop-share")
    alice = _refreshed_for(world, alice, 80)
    assert _confirm(world, bob)
    _sign_in_through(world, "bob", "tuneloop-share")
    world.connect("bob", "tuneloop-share")
    world.clock.advance(days=10)
    assert world.says(alice.access) == "grant-ended"


def _sign_in_through(world: World, person: str, client_id: str) -> None:
    with world.write(f"user:{person}") as context:
        consent.signed_in_through(context, accounts.by_name(context, person).id, client_id)


@pytest.mark.parametrize("act", ["confirms", "signs in", "consents"])
def test_an_act_of_the_user_keeps_the_grant_for_another_90_days(world: World, act: str) -> None:
    alice = _refreshed_for(world, world.connect("alice", "tuneloop-share"), 80)
    if act == "confirms":
        assert _confirm(world, alice)
    elif act == "signs in":
        _sign_in_through(world, "alice", "tuneloop-share")
    else:
        world.connect("alice", "tuneloop-share")
    world.use(alice.access)
    alice = _refreshed_for(world, alice, 80)
    assert world.says(alice.access, WRITE) == "allowed"
    alice = world.refresh(alice)
    world.clock.advance(days=10)
    assert world.says(alice.access) == "grant-ended"


def test_signing_in_through_another_app_or_passing_by_unasked_is_no_presence(world: World) -> None:
    alice = _refreshed_for(world, world.connect("alice", "tuneloop-share"), 80)
    _sign_in_through(world, "alice", "northbank-notice")
    alice = _sign_in_unchanged(world, alice)
    world.clock.advance(days=10)
    assert world.says(alice.access) == "grant-ended"


def test_presence_after_the_end_changes_nothing(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.clock.advance(days=90)
    assert not _confirm(world, alice)
    _sign_in_through(world, "alice", "tuneloop-share")
    assert world.says(alice.access) == "grant-ended"
