"""Many at once: of those who would use one secret one does; those who would end one thing come to the same end."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from broker.domain.errors import OAuthError
from broker.operations import consent, issuing, shutdowns
from broker.operations.context import Runtime
from broker.operations.register import clients
from broker.store import grants
from tests.concurrency import LIMIT_S, Step, in_thread, stopped, together, waits
from tests.world import VERIFIER, Connection, World

WRITE = "messages:write"
N = 8


def _answers(results: list[object]) -> tuple[list[object], list[str]]:
    given = [each for each in results if not isinstance(each, BaseException)]
    refused = [each for each in results if isinstance(each, BaseException)]
    assert all(isinstance(each, OAuthError) for each in refused), refused
    return given, [each.code for each in refused if isinstance(each, OAuthError)]


def redeemed_in_parallel(world: World) -> tuple[list[object], list[str]]:
    """One code, redeemed by many at once."""
    code = world.consent("alice", "tuneloop-share")
    return _answers(together(world, *[partial(world.redeem, "tuneloop-share", code)] * N))


def refreshed_in_parallel(world: World) -> tuple[Connection, list[object], list[str]]:
    """One refresh token, exchanged by many at once."""
    alice = world.connect("alice", "tuneloop-share")
    return alice, *_answers(together(world, *[partial(world.refresh, alice)] * N))


def test_of_parallel_redemptions_exactly_one_succeeds(world: World) -> None:
    given, refused = redeemed_in_parallel(world)
    assert len(given) == 1
    assert refused == ["invalid_grant"] * (N - 1)


def _stopping(world: World, step: Step) -> Runtime:
    """A runtime in which whoever makes a secret stops: the one before is claimed by then, and nothing is committed."""

    def randomness(length: int) -> bytes:
        step()
        return world.runtime.randomness(length)

    return replace(world.runtime, randomness=randomness)


def _redeeming(world: World, code: str, step: Step) -> issuing.TokenAnswer:
    with _stopping(world, step).write("client") as context:
        client = clients.get(context, "tuneloop-share")
        return issuing.redeem_code(context, client, code, client.redirect_uris[0], VERIFIER)


def _refreshing(world: World, alice: Connection, step: Step) -> issuing.TokenAnswer:
    with _stopping(world, step).write("client") as context:
        return issuing.refresh(context, clients.get(context, alice.client_id), alice.refresh, frozenset())


def test_a_redemption_that_waits_for_another_is_refused(world: World) -> None:
    code = world.consent("alice", "tuneloop-share")
    with stopped(partial(_redeeming, world, code)) as (first, step):
        second = in_thread(partial(world.redeem, "tuneloop-share", code))
        assert waits(world, second)
        step.released.set()
        assert first.result(LIMIT_S)["scope"] == WRITE
        assert isinstance(second.exception(LIMIT_S), OAuthError)


def test_a_refresh_that_waits_for_another_is_refused(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    with stopped(partial(_refreshing, world, alice)) as (first, step):
        second = in_thread(partial(world.refresh, alice))
        assert waits(world, second)
        step.released.set()
        assert first.result(LIMIT_S)["scope"] == WRITE
        assert isinstance(second.exception(LIMIT_S), OAuthError)


def test_parallel_redemptions_are_a_replay_and_end_what_the_first_was_given(world: World) -> None:
    (answer,), _ = redeemed_in_parallel(world)
    assert isinstance(answer, dict)
    assert world.says(str(answer["access_token"]), WRITE) == "token-revoked"
    assert world.log().count("token_family.ended") == 1


def test_of_parallel_refreshes_at_most_one_succeeds_and_the_family_is_dead(world: World) -> None:
    alice, given, refused = refreshed_in_parallel(world)
    assert len(given) == 1
    assert refused == ["invalid_grant"] * (N - 1)
    (later,) = given
    assert isinstance(later, Connection)
    assert world.says(alice.access, WRITE) == world.says(later.access, WRITE) == "token-revoked"
    assert world.grant("alice", "tuneloop-share").id == alice.grant_id


def test_two_consents_at_once_make_one_standing_grant(world: World) -> None:
    codes = together(world, *[partial(world.consent, "alice", "tuneloop-share")] * 4)
    assert all(isinstance(code, str) for code in codes), codes
    account = world.account("alice")
    with world.read() as context:
        (view,) = grants.views(context.transaction, account_id=account)
    connections = [world.holding("alice", "tuneloop-share", str(code)) for code in codes]
    assert {each.grant_id for each in connections} == {view.grant.id}
    assert all(world.says(each.access, WRITE) == "allowed" for each in connections)


def test_consent_and_disconnect_at_once_leave_nothing_half_done(world: World) -> None:
    for _ in range(5):
        alice = world.connect("alice", "tuneloop-share")
        code, disconnected = together(
            world, partial(world.consent, "alice", "tuneloop-share"), partial(world.disconnect, alice)
        )
        assert disconnected is True
        assert isinstance(code, str)
        ended = world.grant_by_id(alice.grant_id)
        assert ended.end_cause == "disconnected"
        assert world.says(alice.access) == "grant-ended"


def test_shutdowns_at_once_are_one_shutdown_with_one_receipt(world: World) -> None:
    world.connect("alice", "tuneloop-share")
    receipts = together(world, *[partial(world.shut_down, "share-a-track")] * 4)
    assert all(isinstance(each, dict) for each in receipts), receipts
    assert all(each == receipts[0] for each in receipts)
    assert world.feature("share-a-track").epoch == 2
    assert world.log().count("feature.shut_down") == 1
    assert shutdowns.housekeeping(world.runtime) == 0


def test_a_person_who_consents_and_is_sent_on_unasked_at_once_has_one_grant(world: World) -> None:
    world.connect("alice", "tuneloop-share")
    request, account = world.request("tuneloop-share"), world.account("alice")

    def unasked() -> str | None:
        with world.write("user:alice") as context:
            return consent.continue_unchanged(context, account, request)

    codes = together(world, partial(world.consent, "alice", "tuneloop-share"), unasked, unasked)
    assert all(isinstance(code, str) for code in codes), codes
    assert len({world.holding("alice", "tuneloop-share", str(code)).grant_id for code in codes}) == 1
