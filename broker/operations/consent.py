"""Consent: what a person is asked, and what their answer gives.

The page shows a ``Review``; the answer carries its hash back. If what would be shown has changed in between (a reason,
the ceiling, the purpose), the answer is to a question that is no longer asked, and is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from broker.domain import scopes as names
from broker.domain.audit import Action
from broker.domain.errors import Conflict, OAuthError
from broker.domain.features import Feature
from broker.domain.grants import Grant, GrantedScope
from broker.domain.instants import DAY, Instant
from broker.domain.tokens import TokenKind, digest
from broker.operations import grants as ending
from broker.operations.context import Context
from broker.settings import Scope
from broker.store import accounts, consents, conversations, grants, standing, tokens
from broker.store.accounts import Account
from broker.store.register import clients, features
from broker.store.register.clients import Client


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """An authorization request that has been validated: only these values go on from here."""

    client_id: str
    redirect_uri: str
    scopes: frozenset[str]
    code_challenge: str
    state: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One scope as the page shows it: our words, and the partner's reason."""

    scope: Scope
    reason: str
    required: bool
    held: bool


@dataclass(frozen=True, slots=True)
class Review:
    """Everything that the consent page shows."""

    client: Client
    feature: Feature
    lines: tuple[Line, ...]
    threads: tuple[tuple[int, str], ...]  # empty when no scope of the request is bound to conversations
    until: Instant
    elsewhere: tuple[str, ...]  # names of the partner's other features that hold something of this person's
    hash: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person chose: the optional scopes that they ticked, and the conversations (None: all of them)."""

    ticked: frozenset[str]
    threads: frozenset[int] | None


def text_hash(feature: Feature, words: Mapping[str, Scope]) -> str:
    """The version of what a person reads about a feature: all of its text and its ceiling."""
    shown = [feature.partner_name, feature.name, feature.purpose, feature.grant_lifetime_s]
    lines = [[e.scope, words[e.scope].title, words[e.scope].text, e.reason, e.required] for e in feature.ceiling]
    return sha256(json.dumps([shown, lines]).encode()).hexdigest()


def admitting(context: Context, client_id: str) -> tuple[Client, Feature]:
    """The client and its feature, if permission may be given now; an ``OAuthError`` in the endpoint's words if not."""
    client = clients.get(context.transaction, client_id)
    feature = features.get(context.transaction, client.feature_id) if client is not None else None
    if client is None or feature is None or not client.enabled:
        raise OAuthError("unauthorized_client", "the client may not ask for permission")
    if not feature.admits(context.now):
        words = "was shut down" if feature.ended(context.now) else f"is {feature.state.value}"
        raise OAuthError("unauthorized_client", f"the feature {feature.id} {words}")
    return client, feature


def requested_scopes(feature: Feature, text: str | None) -> frozenset[str]:
    """Read the scope parameter against the ceiling; omitted, it means what the feature requires."""
    if not text:
        return feature.required
    try:
        asked = names.parse(text)
    except ValueError as error:
        raise OAuthError("invalid_scope", str(error)) from None
    above = asked - feature.scopes
    if above:
        raise OAuthError("invalid_scope", f"above the ceiling of {feature.id}: {names.format(above)}")
    return asked


def review(context: Context, account_id: int, request: AuthorizationRequest) -> Review:
    """What to ask this person."""
    client, feature = admitting(context, request.client_id)
    words = context.settings.register.scopes
    grant = _live(context, account_id, client)
    held = frozenset(each.scope for each in _kept(context, grant, feature, frozenset())) if grant else frozenset[str]()
    lines = tuple(
        Line(words[entry.scope], entry.reason, entry.required, entry.scope in held)
        for entry in feature.ceiling if entry.scope in request.scopes
    )  # fmt: skip
    bound = request.scopes & names.BY_CONVERSATION
    threads = conversations.threads(context.transaction, account_id) if bound else []
    return Review(client, feature, lines, tuple(threads), _until(context, feature),
                  _elsewhere(context, account_id, feature), text_hash(feature, words))  # fmt: skip


def _until(context: Context, feature: Feature) -> Instant:
    """When a grant given now ends: its lifetime, at most 366 days, and never after the feature."""
    lifetime = min(feature.grant_lifetime_s, context.settings.lifetimes.grant_s)
    end = min(context.after(lifetime), context.now + 366 * DAY)
    return min(end, feature.ends_at) if feature.ends_at is not None else end


def _elsewhere(context: Context, account_id: int, feature: Feature) -> tuple[str, ...]:
    others = grants.views(context.transaction, account_id=account_id)
    return tuple(sorted({
        view.feature_name for view in others
        if view.partner_id == feature.partner_id and view.grant.feature_id != feature.id
        and view.end(context.now) is None
    }))  # fmt: skip


def _live(context: Context, account_id: int, client: Client) -> Grant | None:
    """This person's grant to this client, if it is not over."""
    grant = grants.standing(context.transaction, account_id, client.id)
    return grant if grant is not None and ending.end_of(context, grant) is None else None


def _kept(context: Context, grant: Grant, feature: Feature, asked: frozenset[str]) -> list[GrantedScope]:
    """Scopes of a grant that were not asked again and still stand: in the ceiling since before, and in use."""
    since = {entry.scope: entry.since for entry in feature.ceiling}
    return [
        each for each in grant.scopes
        if each.scope not in asked and each.unused_ends_at > context.now
        and since.get(each.scope, each.position + 1) <= each.position
    ]  # fmt: skip


def unchanged(context: Context, account_id: int, request: AuthorizationRequest) -> Grant | None:
    """The grant that already answers this request, for a client that can keep a secret; None if the person must be
    asked.

    A scope that the person left unticked or took back is not asked for again; one that was lost otherwise (to disuse,
    or to a ceiling that was narrowed since) is. A public client is always asked about: anybody could have sent its
    request (RFC 6819 section 5.2.3.2).
    """
    client, feature = admitting(context, request.client_id)
    grant = None if client.public else _live(context, account_id, client)
    if grant is None or not request.scopes <= grant.asked:
        return None
    held = frozenset(each.scope for each in _kept(context, grant, feature, frozenset()))
    lost = frozenset(each.scope for each in grant.scopes) - held
    same = grant.consent_hash == text_hash(feature, context.settings.register.scopes)
    wanted = request.scopes & (feature.required | lost)
    return grant if same and held & request.scopes and wanted <= held else None


def continue_unchanged(context: Context, account_id: int, request: AuthorizationRequest) -> str | None:
    """A code under the grant that stands, without asking; None if the person must be asked after all.

    Not presence: nobody has acted on a page of ours.
    """
    _fenced(context, request.client_id)
    _require_active(accounts.shared(context.transaction, account_id))
    before = grants.standing(context.transaction, account_id, request.client_id)
    if before is not None:
        grants.lock(context.transaction, before.id)
    grant = unchanged(context, account_id, request)
    if grant is None:
        return None
    _, feature = admitting(context, request.client_id)
    held = frozenset(each.scope for each in _kept(context, grant, feature, frozenset()))
    return _code(context, grant, request, request.scopes & held)


def _fenced(context: Context, client_id: str) -> None:
    client = clients.get(context.transaction, client_id)
    if client is not None:
        standing.fence(context.transaction, client.feature_id)


def _require_active(account: Account | None) -> None:
    if account is None or account.state != "active":
        raise OAuthError("access_denied", "the account is disabled")


def approve(context: Context, account_id: int, request: AuthorizationRequest, answer: Answer, shown: str) -> str:
    """Give what was ticked, and a code for it. One standing grant a person and client: a newer answer updates it."""
    _fenced(context, request.client_id)
    accounts.lock(context.transaction, account_id)  # of two consents of one person the second sees what the first gave
    _require_active(accounts.get(context.transaction, account_id))
    client, feature = admitting(context, request.client_id)
    if text_hash(feature, context.settings.register.scopes) != shown:
        raise Conflict("what you were shown has changed in the meantime; please look again")
    given = request.scopes & feature.scopes & (feature.required | answer.ticked)
    if not given:
        raise OAuthError("access_denied", "nothing was allowed")
    grant = _write(context, account_id, client, feature, request, answer, given)
    return _code(context, grant, request, given)


def _write(
    context: Context, account_id: int, client: Client, feature: Feature, request: AuthorizationRequest, answer: Answer,
    given: frozenset[str],
) -> Grant:  # fmt: skip
    before = _before(context, account_id, client)
    kept = _kept(context, before, feature, request.scopes) if before is not None else []
    grant = _fresh(context, account_id, client, feature, request, answer)
    if before is not None:
        grant = replace(grant, id=before.id, created_at=before.created_at, asked=before.asked | request.scopes)
    position = context.record(
        Action.CONSENT_APPROVED, f"grant:{grant.id}", feature=feature.id, account=account_id, client=client.id,
        scopes=sorted(given), kept=sorted(each.scope for each in kept), consent_text=grant.consent_hash,
        conversations="all" if answer.threads is None else len(answer.threads), epoch=feature.epoch,
        renewed=before is not None,
    )  # fmt: skip
    store = grants.add if before is None else grants.update_consent
    store(context.transaction, grant, position)
    grants.add_scopes(context.transaction, grant.id, [*kept, *_given(context, position, given, before)])
    grants.set_threads(context.transaction, grant.id, sorted(answer.threads or ()))
    return grant


def _before(context: Context, account_id: int, client: Client) -> Grant | None:
    """The standing grant that this consent updates; one that has ended by itself gets its end recorded instead.

    It is locked with its scopes before the log's head is: who ends a grant takes them in that order too.
    """
    found = grants.standing(context.transaction, account_id, client.id)
    if found is None:
        return None
    grants.lock(context.transaction, found.id)
    before = grants.get(context.transaction, found.id)
    assert before is not None
    end = ending.end_of(context, before)
    if end is not None:
        ending.record_end(context, before, *end)
        return None
    grants.drop_scopes(context.transaction, before.id)
    return before


def _fresh(
    context: Context, account_id: int, client: Client, feature: Feature, request: AuthorizationRequest, answer: Answer
) -> Grant:
    now = context.now
    return Grant(
        id=context.new_number(), account_id=account_id, client_id=client.id, feature_id=feature.id,
        feature_epoch=feature.epoch, all_conversations=answer.threads is None, asked=request.scopes,
        consent_hash=text_hash(feature, context.settings.register.scopes), created_at=now, updated_at=now,
        present_at=now, presence_ends_at=context.after(context.settings.lifetimes.presence_s),
        expires_at=_until(context, feature),
    )  # fmt: skip


def _given(context: Context, position: int, given: frozenset[str], before: Grant | None) -> list[GrantedScope]:
    """Scopes given now start afresh: a new position, and a whole period in which to be used."""
    ends_at = context.after(context.settings.lifetimes.scope_unused_s)
    known = {each.scope: each for each in before.scopes} if before is not None else {}
    return [
        GrantedScope(scope, position, context.now, known[scope].last_used_at if scope in known else None, ends_at,
                     known[scope].uses if scope in known else 0)
        for scope in sorted(given)
    ]  # fmt: skip


def _code(context: Context, grant: Grant, request: AuthorizationRequest, given: frozenset[str]) -> str:
    """A code under a grant, and the family of all that will come from it."""
    secret, lifetimes = context.new_secret(TokenKind.CODE), context.settings.lifetimes
    family = tokens.Family(
        context.new_number(), grant.id, grant.account_id, grant.feature_id, grant.feature_epoch, context.now,
        min(context.after(lifetimes.refresh_absolute_s), grant.expires_at),
    )  # fmt: skip
    tokens.add_family(context.transaction, family)
    issued = tokens.Issued(
        digest(secret), grant.client_id, grant.id, grant.account_id, grant.feature_id, grant.feature_epoch, family.id,
        names.format(given), context.now, context.after(lifetimes.code_s),
    )  # fmt: skip
    tokens.add_code(context.transaction, issued, request.redirect_uri, request.code_challenge)
    return secret


def answered_now(context: Context, nonce: bytes) -> bool:
    """Note that a consent page is answered; False if it was already. Whatever the answer is, it counts once."""
    return consents.answered(context.transaction, nonce, context.now)


def forget_answered(context: Context) -> None:
    """Forget pages that nobody can answer any more: none is valid for a day, however it is configured."""
    consents.forget_answered(context.transaction, context.now - DAY)


def deny(context: Context, account_id: int, request: AuthorizationRequest) -> None:
    """The person says no; what an earlier grant gave stays as it is."""
    client = clients.get(context.transaction, request.client_id)
    context.record(Action.CONSENT_DENIED, f"client:{request.client_id}",
                   feature=client.feature_id if client is not None else None, account=account_id,
                   scopes=sorted(request.scopes))  # fmt: skip


def signed_in_through(context: Context, account_id: int, client_id: str) -> None:
    """The person has typed a password on the way to this client: presence for the grant it has."""
    grant = grants.standing(context.transaction, account_id, client_id)
    if grant is not None:
        ending.confirm_presence(context, grant)
