"""Consent: what a person is asked, what an answer gives, and when nobody needs to be asked again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from broker.domain.errors import Conflict, OAuthError
from broker.domain.features import FeatureState
from broker.domain.instants import DAY
from broker.operations import consent, grants
from broker.operations.consent import Answer, AuthorizationRequest
from broker.operations.register import features, partners
from broker.store import grants as stored
from broker.store.evidence import audit
from tests.register import SETTINGS
from tests.world import CHALLENGE, START, World

WRITE, PROFILE, READ, PARTICIPANTS = "messages:write", "profile:read", "messages:read", "participants:read"


def _review(world: World, person: str, client_id: str, *scopes: str) -> consent.Review:
    account, request = world.account(person), world.request(client_id, *scopes)
    with world.read() as context:
        return consent.review(context, account, request)


def _unasked(world: World, person: str, client_id: str, *scopes: str) -> str | None:
    account, request = world.account(person), world.request(client_id, *scopes)
    with world.write(f"user:{person}") as context:
        return consent.continue_unchanged(context, account, request)


def _held(world: World, person: str, client_id: str) -> set[str]:
    return {each.scope for each in world.grant(person, client_id).scopes}


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_the_page_shows_each_scope_in_our_words_with_the_partner_s_reason(world: World) -> None:
    review = _review(world, "alice", "tuneloop-share", WRITE, PROFILE)
    shown = [(line.scope.title, line.reason, line.required, line.held) for line in review.lines]
    assert shown == [
        ("Title of messages:write", "We post the song that you share.", True, False),
        ("Title of profile:read", "We greet you by name.", False, False),
    ]
    assert (review.client.name, review.feature.partner_name, review.feature.name) == (
        "TuneLoop",
        "TuneLoop",
        "Share a track",
    )
    assert [title for _, title in review.threads] == ["Saturday hike", "Flat 3B"]
    assert review.until == START + 365 * DAY


def test_only_what_is_requested_is_asked_and_what_is_held_is_marked(world: World) -> None:
    world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    (line,) = _review(world, "alice", "tuneloop-share", PROFILE).lines
    assert (line.scope.name, line.held) == (PROFILE, True)
    (line,) = _review(world, "bob", "tuneloop-share").lines
    assert (line.scope.name, line.held) == (WRITE, False)


def test_conversations_are_asked_for_only_where_a_scope_is_bound_to_them(world: World) -> None:
    assert _review(world, "alice", "tuneloop-playing").threads == ()
    assert _review(world, "alice", "tuneloop-share", PROFILE).threads == ()
    assert [title for _, title in _review(world, "carol", "tuneloop-share").threads] == [
        "Saturday hike",
        "Reading list",
    ]


def test_the_page_says_until_when_which_is_never_after_the_feature(world: World) -> None:
    assert _review(world, "alice", "tuneloop-playing").until == START + 30 * DAY
    with world.write() as context:
        features.schedule(context, "now-playing", START + 5 * DAY)
    assert _review(world, "alice", "tuneloop-playing").until == START + 5 * DAY


def test_the_page_says_what_the_partner_holds_through_its_other_features(world: World) -> None:
    assert _review(world, "alice", "tuneloop-share").elsewhere == ()
    world.connect("alice", "tuneloop-playing")
    world.connect("alice", "northbank-notice")
    assert _review(world, "alice", "tuneloop-share").elsewhere == ("Now playing",)
    assert _review(world, "alice", "tuneloop-app").elsewhere == ("Now playing",)
    assert _review(world, "bob", "tuneloop-share").elsewhere == ()
    world.shut_down("now-playing")
    assert _review(world, "alice", "tuneloop-share").elsewhere == ()


@pytest.mark.parametrize(
    ("text", "scopes"),
    [(None, {WRITE}), ("", {WRITE}), (PROFILE, {PROFILE}), (f"{PROFILE} {WRITE}", {WRITE, PROFILE})],
)
def test_a_request_without_scopes_is_for_what_the_feature_requires(
    world: World, text: str | None, scopes: set[str]
) -> None:
    assert consent.requested_scopes(world.feature("share-a-track"), text) == scopes


@pytest.mark.parametrize(
    "text", [READ, f"{WRITE} {READ}", "messages:all", "a  b", "s" * 1001, "standing:read", "operate"]
)
def test_a_scope_above_the_ceiling_or_none_at_all_is_invalid(world: World, text: str) -> None:
    with pytest.raises(OAuthError) as caught:
        consent.requested_scopes(world.feature("share-a-track"), text)
    assert caught.value.code == "invalid_scope"


def test_an_unknown_client_may_not_ask(world: World) -> None:
    with world.read() as context, pytest.raises(OAuthError, match="may not ask for permission"):
        consent.admitting(context, "nobody-at-all")


# --- what an answer gives ---------------------------------------------------------------------------------------------


def test_required_scopes_are_given_and_optional_ones_only_if_ticked(world: World) -> None:
    assert world.connect("alice", "tuneloop-share", WRITE, PROFILE, ticked=set()).scopes == {WRITE}
    assert world.connect("bob", "tuneloop-share", WRITE, PROFILE, ticked={PROFILE}).scopes == {WRITE, PROFILE}


def test_ticking_what_was_not_asked_gives_nothing_more(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", ticked={PROFILE, READ, "contacts:read"})
    assert alice.scopes == {WRITE}
    assert _held(world, "alice", "tuneloop-share") == {WRITE}


def test_an_answer_that_gives_nothing_is_a_no(world: World) -> None:
    with pytest.raises(OAuthError, match="nothing was allowed") as caught:
        world.consent("alice", "tuneloop-share", PROFILE, ticked=set())
    assert caught.value.code == "access_denied"
    assert world.grant_or_none("alice", "tuneloop-share") is None


def test_a_grant_keeps_what_was_asked_of_whom_in_which_words_and_when(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE, threads={world.thread("Flat 3B")})
    grant = world.grant_by_id(alice.grant_id)
    assert (grant.client_id, grant.feature_id, grant.feature_epoch) == ("tuneloop-share", "share-a-track", 1)
    assert (grant.asked, grant.all_conversations) == (frozenset({WRITE, PROFILE}), False)
    assert grant.consent_hash == consent.text_hash(world.feature("share-a-track"), SETTINGS.register.scopes)
    assert (grant.created_at, grant.present_at, grant.presence_ends_at) == (START, START, START + 90 * DAY)
    flat = world.thread("Flat 3B")
    with world.read() as context:
        assert stored.threads(context.transaction, grant.id) == [flat]
        (entry,) = audit.latest(context.transaction, 1)
    assert (entry.action, entry.subject, entry.feature, entry.actor) == (
        "consent.approved", f"grant:{grant.id}", "share-a-track", "user:alice",
    )  # fmt: skip
    assert entry.details["scopes"] == [WRITE, PROFILE]
    assert entry.details["conversations"] == 1


def test_saying_yes_again_updates_the_one_grant_and_keeps_what_was_not_asked_again(world: World) -> None:
    first = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    world.use(first.access, WRITE)
    world.clock.advance(days=10)
    second = world.connect("alice", "tuneloop-share", PROFILE)
    assert second.grant_id == first.grant_id
    grant = world.grant("alice", "tuneloop-share")
    assert _held(world, "alice", "tuneloop-share") == {WRITE, PROFILE}
    kept, given = grant.scopes
    assert (kept.scope, kept.granted_at, kept.uses, kept.unused_ends_at) == (WRITE, START, 1, START + 90 * DAY)
    assert (given.scope, given.granted_at, given.unused_ends_at) == (PROFILE, START + 10 * DAY, START + 100 * DAY)
    assert (grant.created_at, grant.updated_at) == (START, START + 10 * DAY)
    assert grant.expires_at == START + 375 * DAY
    assert second.scopes == {PROFILE}


def test_a_scope_that_is_given_again_keeps_the_count_of_its_uses(world: World) -> None:
    first = world.connect("alice", "tuneloop-share")
    world.use(first.access, WRITE)
    world.clock.advance(days=1)
    world.connect("alice", "tuneloop-share")
    (scope,) = world.grant("alice", "tuneloop-share").scopes
    assert (scope.uses, scope.last_used_at, scope.granted_at) == (1, START, START + DAY)


def test_a_scope_that_fell_to_disuse_is_not_kept_by_a_consent_to_others(world: World) -> None:
    world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    world.clock.advance(days=89)
    grant = world.grant("alice", "tuneloop-share")
    with world.write("user:alice") as context:
        grants.confirm_presence(context, grant)
    world.clock.advance(days=1)
    world.connect("alice", "tuneloop-share", WRITE)
    assert _held(world, "alice", "tuneloop-share") == {WRITE}


def test_an_answer_to_words_that_have_changed_since_is_refused(world: World) -> None:
    account, request = world.account("alice"), world.request("tuneloop-share")
    with world.read() as context:
        shown = consent.review(context, account, request)
    with world.write() as context:
        known = features.get(context, "share-a-track")
        features.change_words(context, known.id, replace(known, purpose="Send whatever we like into a conversation."))
    with world.write("user:alice") as context, pytest.raises(Conflict, match="has changed in the meantime"):
        consent.approve(context, account, request, Answer(request.scopes, None), shown.hash)


def _renamed_partner(world: World) -> None:
    with world.write() as context:
        partners.rename(context, replace(partners.get(context, "tuneloop"), name="TuneLoop Records"))


def _changed(**changes: object) -> Callable[[World], None]:
    def change(world: World) -> None:
        with world.write() as context:
            known = features.get(context, "share-a-track")
            features.change_words(context, known.id, replace(known, **changes))  # type: ignore[arg-type]

    return change


def _other_reason(world: World) -> None:
    ceiling = world.feature("share-a-track").ceiling
    _changed(ceiling=(replace(ceiling[0], reason="We post, and sometimes a little advertising."), ceiling[1]))(world)


@pytest.mark.parametrize(
    "change",
    [_renamed_partner, _changed(name="Share two tracks"), _changed(purpose="Send two songs."),
     _changed(grant_lifetime_s=86_400), _other_reason],
    ids=["partner", "name", "purpose", "lifetime", "reason"],
)  # fmt: skip
def test_whatever_a_person_reads_is_part_of_what_they_agreed_to(world: World, change: Callable[[World], None]) -> None:
    world.connect("alice", "tuneloop-share")
    assert _unasked(world, "alice", "tuneloop-share") is not None
    change(world)
    assert _unasked(world, "alice", "tuneloop-share") is None


def test_a_no_is_in_the_log_and_leaves_an_earlier_yes(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    account, request = world.account("alice"), world.request("tuneloop-share", WRITE, PROFILE)
    with world.write("user:alice") as context:
        consent.deny(context, account, request)
        consent.deny(context, account, replace(request, client_id="nobody-at-all"))
        unknown, entry = audit.latest(context.transaction, 2)
    assert (entry.action, entry.feature, entry.details["scopes"]) == (
        "consent.denied",
        "share-a-track",
        [WRITE, PROFILE],
    )
    assert unknown.feature is None
    assert world.says(alice.access, WRITE) == "allowed"


# --- when nobody is asked ---------------------------------------------------------------------------------------------


def test_an_unchanged_request_of_a_confidential_client_goes_on_unasked(world: World) -> None:
    first = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    log = world.log()
    for scopes in ((), (WRITE,), (WRITE, PROFILE), (PROFILE,)):
        code = _unasked(world, "alice", "tuneloop-share", *scopes)
        assert code is not None
        again = world.holding("alice", "tuneloop-share", code)
        assert again.grant_id == first.grant_id
        assert again.scopes == (set(scopes) or {WRITE})
    assert world.log() == log


def test_a_person_without_a_grant_is_asked(world: World) -> None:
    assert _unasked(world, "alice", "tuneloop-share") is None


def test_a_public_client_is_always_asked_about(world: World) -> None:
    world.connect("alice", "tuneloop-app")
    assert _unasked(world, "alice", "tuneloop-app") is None


def test_a_scope_that_was_never_asked_is_asked(world: World) -> None:
    world.connect("alice", "tuneloop-share")
    assert _unasked(world, "alice", "tuneloop-share", WRITE, PROFILE) is None


def test_a_scope_that_was_left_unticked_or_taken_back_is_not_asked_again_and_again(world: World) -> None:
    world.connect("alice", "tuneloop-share", WRITE, PROFILE, ticked=set())
    code = _unasked(world, "alice", "tuneloop-share", WRITE, PROFILE)
    assert code is not None
    assert world.holding("alice", "tuneloop-share", code).scopes == {WRITE}
    assert _unasked(world, "alice", "tuneloop-share", PROFILE) is None  # nothing would be left to go on with


def test_a_scope_that_fell_to_disuse_is_asked_again(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    for _ in range(3):
        world.clock.advance(days=29)
        alice = world.refresh(alice)
    world.use(alice.access, WRITE)
    grant = world.grant("alice", "tuneloop-share")
    with world.write("user:alice") as context:
        grants.confirm_presence(context, grant)
    world.clock.advance(days=3)
    assert _unasked(world, "alice", "tuneloop-share", WRITE, PROFILE) is None
    assert _unasked(world, "alice", "tuneloop-share", WRITE) is not None


def test_an_ended_grant_answers_nothing(world: World) -> None:
    world.disconnect(world.connect("alice", "tuneloop-share"))
    assert _unasked(world, "alice", "tuneloop-share") is None
    world.connect("alice", "tuneloop-share")
    world.clock.advance(days=90)
    assert _unasked(world, "alice", "tuneloop-share") is None


def test_a_request_of_a_client_that_is_gone_is_refused(world: World) -> None:
    request = AuthorizationRequest("nobody-at-all", "https://x.example/", frozenset({WRITE}), CHALLENGE, None)
    account = world.account("alice")
    with world.write("user:alice") as context, pytest.raises(OAuthError, match="may not ask"):
        consent.continue_unchanged(context, account, request)


def test_signing_in_on_the_way_to_an_app_without_a_grant_is_nothing(world: World) -> None:
    account, log = world.account("alice"), world.log()
    with world.write("user:alice") as context:
        consent.signed_in_through(context, account, "tuneloop-share")
    assert world.log() == log


def test_a_draft_cannot_be_consented_to(world: World) -> None:
    with world.write() as context:
        known = features.get(context, "share-a-track")
        features.register(context, replace(known, id="share-an-album", state=FeatureState.DRAFT))
        assert not features.get(context, "share-an-album").admits(context.now)


def test_an_answered_page_is_remembered_for_a_day(world: World) -> None:
    def answers() -> bool:
        with world.write("user:alice") as context:
            consent.forget_answered(context)
            return consent.answered_now(context, b"nonce")

    assert [answers(), answers()] == [True, False]
    world.clock.advance(days=1)
    assert not answers()
    world.clock.advance(seconds=1)
    assert answers()
