"""What the register does to standing access: ceilings narrowed and widened, clients disabled, partners suspended."""

from __future__ import annotations

import pytest

from broker.domain.errors import OAuthError
from broker.domain.features import CeilingEntry
from broker.operations import consent, issuing
from broker.operations.register import approvals, clients, partners
from tests.world import Connection, World

WRITE, PROFILE = "messages:write", "profile:read"
PROFILE_AGAIN = CeilingEntry(PROFILE, "We greet you by name.", False, 0, "A greeting is friendlier.")
READ = CeilingEntry("messages:read", "We look for songs.", True, 0, "We were asked to.")


def _refusal(world: World, connection: Connection, *scopes: str) -> tuple[str, int]:
    with pytest.raises(OAuthError) as caught:
        world.refresh(connection, *scopes)
    return caught.value.code, caught.value.status


def _asked_again(world: World, person: str, *scopes: str) -> bool:
    """Whether a request sends the person to the consent page."""
    request, account = world.request("tuneloop-share", *scopes), world.account(person)
    with world.write(f"user:{person}") as context:
        return consent.continue_unchanged(context, account, request) is None


# --- ceilings ---------------------------------------------------------------------------------------------------------


def test_a_narrowed_ceiling_takes_the_scope_out_of_live_tokens(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    assert world.says(alice.access, PROFILE) == "allowed"
    world.narrow("share-a-track", PROFILE)
    assert world.says(alice.access, PROFILE) == "insufficient-scope"
    assert world.says(alice.access, WRITE) == "allowed"


def test_a_refresh_after_narrowing_gives_what_is_left_and_no_more(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    world.narrow("share-a-track", PROFILE)
    assert _refusal(world, alice, WRITE, PROFILE) == ("invalid_scope", 400)
    assert world.refresh(alice).scopes == {WRITE}


def test_a_code_after_narrowing_gives_what_is_left(world: World) -> None:
    code = world.consent("alice", "tuneloop-share", WRITE, PROFILE)
    world.narrow("share-a-track", PROFILE)
    assert world.redeem("tuneloop-share", code)["scope"] == WRITE


def test_a_token_that_lost_its_only_scope_can_do_nothing(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    profile_only = world.refresh(alice, PROFILE)
    world.narrow("share-a-track", PROFILE)
    assert world.says(profile_only.access) == "insufficient-scope"


def test_a_scope_that_left_and_came_back_does_not_come_back_to_old_grants(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    world.narrow("share-a-track", PROFILE)
    world.widen("share-a-track", PROFILE_AGAIN)
    assert world.says(alice.access, PROFILE) == "insufficient-scope"
    assert world.refresh(alice).scopes == {WRITE}
    bob = world.connect("bob", "tuneloop-share", WRITE, PROFILE)
    assert world.says(bob.access, PROFILE) == "allowed"


def test_whoever_lost_a_scope_that_came_back_is_asked_before_having_it_again(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    world.narrow("share-a-track", PROFILE)
    world.widen("share-a-track", PROFILE_AGAIN)
    assert _asked_again(world, "alice", WRITE, PROFILE)
    again = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    assert again.grant_id == alice.grant_id
    assert world.says(again.access, PROFILE) == "allowed"
    # The person has now allowed it for this app, and the earlier token was for it from the start.
    assert world.says(alice.access, PROFILE) == "allowed"


def test_a_widened_ceiling_widens_no_grant_and_the_person_is_asked(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    assert not _asked_again(world, "alice")
    world.widen("share-a-track", READ)
    assert world.says(alice.access, READ.scope) == "insufficient-scope"
    assert world.refresh(alice).scopes == {WRITE}
    assert _asked_again(world, "alice", WRITE)
    assert _asked_again(world, "alice", WRITE, READ.scope)
    assert _asked_again(world, "alice")  # the new scope is required, so it is part of a request that names none


def test_a_scope_that_the_ceiling_never_held_cannot_be_asked_for(world: World) -> None:
    with pytest.raises(OAuthError, match=r"above the ceiling of share-a-track: messages:read") as caught:
        world.request("tuneloop-share", WRITE, "messages:read")
    assert caught.value.code == "invalid_scope"


# --- clients ----------------------------------------------------------------------------------------------------------


def test_a_disabled_client_can_do_nothing_and_another_of_its_feature_goes_on(world: World) -> None:
    share, app = world.connect("alice", "tuneloop-share"), world.connect("alice", "tuneloop-app")
    code = world.consent("bob", "tuneloop-share")
    with world.answering("client:tuneloop-share") as context:
        own = issuing.client_token(context, clients.get(context, "tuneloop-share"), frozenset())
    with world.write() as context:
        clients.disable(context, "tuneloop-share")
    assert world.says(share.access, WRITE) == "client-disabled"
    assert world.says(str(own["access_token"])) == "client-disabled"
    assert _refusal(world, share) == ("invalid_client", 401)
    with pytest.raises(OAuthError) as caught:
        world.redeem("tuneloop-share", code)
    assert (caught.value.code, caught.value.status) == ("invalid_client", 401)
    with pytest.raises(OAuthError, match="may not ask for permission"):
        world.request("tuneloop-share")
    assert world.says(app.access, WRITE) == "allowed"


def test_a_disabled_client_does_not_authenticate(world: World) -> None:
    secret = "dev-only-tuneloop-share-0123456789abcdef"

    def authenticated() -> bool:
        with world.read() as context:
            found = clients.authenticate(context.transaction, "tuneloop-share", secret, "client_secret_basic")
        return found is not None

    assert authenticated()
    with world.write() as context:
        clients.disable(context, "tuneloop-share")
    assert not authenticated()


# --- partners ---------------------------------------------------------------------------------------------------------


def _suspend_partner(world: World) -> None:
    with world.write() as context:
        partners.suspend(context, "tuneloop")


def test_a_suspended_partner_is_held_in_all_its_features_and_resumed_in_all(world: World) -> None:
    share, playing = world.connect("alice", "tuneloop-share"), world.connect("alice", "tuneloop-playing")
    notice = world.connect("alice", "northbank-notice")
    _suspend_partner(world)
    assert world.says(share.access, WRITE) == "client-disabled"
    assert world.says(playing.access, "posts:read") == "client-disabled"
    assert world.says(notice.access, WRITE) == "allowed"
    world.two_people(lambda context: approvals.request_resuming_partner(context, "tuneloop"))
    assert world.says(share.access, WRITE) == "allowed"
    assert world.says(playing.access, "posts:read") == "allowed"


def test_a_suspended_partner_loses_nothing_to_a_refused_refresh(world: World) -> None:
    share, code = world.connect("alice", "tuneloop-share"), world.consent("bob", "tuneloop-share")
    _suspend_partner(world)
    assert _refusal(world, share) == ("invalid_client", 401)
    with pytest.raises(OAuthError, match="the client is disabled"):
        world.redeem("tuneloop-share", code)
    world.two_people(lambda context: approvals.request_resuming_partner(context, "tuneloop"))
    assert world.says(world.refresh(share).access, WRITE) == "allowed"
    assert world.redeem("tuneloop-share", code)["scope"] == WRITE


def test_a_suspended_partner_gets_no_consent(world: World) -> None:
    _suspend_partner(world)
    with pytest.raises(OAuthError, match="may not ask for permission") as caught:
        world.request("tuneloop-share")
    assert caught.value.code == "unauthorized_client"
