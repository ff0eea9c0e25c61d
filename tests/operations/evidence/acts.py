"""Every operation that changes standing, as one act on a world in which alice has connected TuneLoop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from broker.domain.audit import Action
from broker.domain.features import CeilingEntry, Feature, FeatureState
from broker.domain.grants import EndCause, Grant
from broker.domain.instants import DAY
from broker.operations import consent, grants, tokens
from broker.operations.context import Context
from broker.operations.people import accounts
from broker.operations.recovery import current, recovering
from broker.operations.register import approvals, clients, ending, features, partners, resource_servers
from broker.store.ledger import Records
from broker.store.register.clients import Client
from broker.store.register.partners import Partner
from tests.register import HTTPS
from tests.world import START, Connection, World

ID, CLIENT, WRITE, PROFILE = "share-a-track", "tuneloop-share", "messages:write", "profile:read"
READ = CeilingEntry("messages:read", "We look for songs.", True, 0, "We were asked to.")
_BUS = Partner("quickbus", "QuickBus", None, "active", "operator")
_NEW_CLIENT = Client("tuneloop-new", ID, "TuneLoop", "none", (HTTPS,), "active")


@dataclass(frozen=True)
class Given:
    """What the operations are done to."""

    alice: Connection
    grant: Grant
    carol: int
    request: consent.AuthorizationRequest
    shown: str


def given(world: World) -> Given:
    """A world in which alice has connected TuneLoop, and carol is being asked to."""
    alice = world.connect("alice", CLIENT, WRITE, PROFILE)
    carol, request = world.account("carol"), world.request(CLIENT)
    with world.read() as context:
        shown = consent.review(context, carol, request).hash
    return Given(alice, world.grant_by_id(alice.grant_id), carol, request, shown)


def _nothing(_: World) -> None:
    pass


@dataclass(frozen=True)
class Act:
    """One operation, the one entry that it writes, and what has to be so before it."""

    action: Action
    act: Callable[[Context, Given], object]
    before: Callable[[World], object] = _nothing
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.action.value


def _draft(world: World) -> None:
    with world.write() as context:
        draft = replace(features.get(context, ID), id="share-an-album", state=FeatureState.DRAFT)
        features.register(context, draft)


def _suspend_partner(world: World) -> None:
    with world.write() as context:
        partners.suspend(context, "tuneloop")


def _disable_bob(world: World) -> None:
    with world.write() as context:
        accounts.disable(context, "bob")


def _feature(context: Context) -> Feature:
    return features.get(context, ID)


def _approve(context: Context, given: Given) -> object:
    return consent.approve(context, given.carol, given.request, consent.Answer(given.request.scopes, None), given.shown)


_A = Action
ACTS = (
    Act(_A.BROKER_RECOVERED, lambda c, g: recovering.apply(c, Records(), current.head_of(c.transaction))),
    Act(_A.PARTNER_REGISTERED, lambda c, g: partners.register(c, _BUS)),
    Act(_A.PARTNER_CHANGED, lambda c, g: partners.rename(c, replace(partners.get(c, "tuneloop"), name="TuneLoops"))),
    Act(_A.PARTNER_SUSPENDED, lambda c, g: partners.suspend(c, "tuneloop")),
    Act(_A.PARTNER_RESUMED, lambda c, g: partners.resume(c, "tuneloop"), _suspend_partner),
    Act(_A.FEATURE_REGISTERED, lambda c, g: features.register(c, replace(_feature(c), id="share-an-album"))),
    Act(_A.FEATURE_CHANGED, lambda c, g: features.change_words(c, ID, replace(_feature(c), name="Share tracks"))),
    Act(_A.FEATURE_LAUNCHED, lambda c, g: features.launch(c, "share-an-album"), _draft),
    Act(_A.FEATURE_SUSPENDED, lambda c, g: features.suspend(c, ID)),
    Act(_A.FEATURE_RESUMED, lambda c, g: features.resume(c, ID), lambda world: world.suspend(ID)),
    Act(_A.FEATURE_SCHEDULED, lambda c, g: features.schedule(c, ID, START + DAY)),
    Act(_A.FEATURE_NARROWED, lambda c, g: features.narrow(c, ID, frozenset({PROFILE}))),
    Act(_A.FEATURE_WIDENED, lambda c, g: features.widen(c, ID, (READ,))),
    Act(_A.FEATURE_SHUT_DOWN, lambda c, g: ending.end(c, features.closed_for(c, ID), cause="operator", reason=None)),
    Act(_A.FEATURE_REOPENED, lambda c, g: features.reopen(c, ID, 2), lambda world: world.shut_down(ID)),
    Act(_A.CLIENT_REGISTERED, lambda c, g: clients.register(c, _NEW_CLIENT)),
    Act(_A.CLIENT_CHANGED, lambda c, g: clients.change(c, CLIENT, "TuneLoop Two", (HTTPS,))),
    Act(_A.CLIENT_DISABLED, lambda c, g: clients.disable(c, CLIENT)),
    Act(_A.CLIENT_SECRET_ROTATED, lambda c, g: clients.rotate_secret(c, CLIENT)),
    Act(_A.RESOURCE_SERVER_REGISTERED, lambda c, g: resource_servers.register(
        c, "exports", "Exports", frozenset({WRITE}))),
    Act(_A.RESOURCE_SERVER_DISABLED, lambda c, g: resource_servers.disable(c, "palaver-search")),
    Act(_A.CONSENT_APPROVED, _approve),
    Act(_A.CONSENT_DENIED, lambda c, g: consent.deny(c, g.carol, g.request)),
    Act(_A.PRESENCE_CONFIRMED, lambda c, g: grants.confirm_presence(c, g.grant)),
    Act(_A.PRESENCE_CONFIRMED, lambda c, g: consent.signed_in_through(c, g.grant.account_id, CLIENT), name="signed in"),
    Act(_A.GRANT_ENDED, lambda c, g: grants.disconnect(c, g.grant)),
    Act(_A.GRANT_ENDED, lambda c, g: grants.revoke(c, g.grant.id), name="grant revoked"),
    Act(_A.GRANT_ENDED, lambda c, g: grants.drop_scope(c, g.grant, PROFILE), name="scope taken back"),
    Act(_A.GRANT_ENDED, lambda c, g: grants.record_end(c, g.grant, START, EndCause.EXPIRED), name="end recorded"),
    Act(_A.TOKEN_REVOKED, lambda c, g: tokens.revoke(c, clients.get(c, CLIENT), g.alice.access)),
    Act(_A.FAMILY_ENDED, lambda c, g: tokens.revoke(c, clients.get(c, CLIENT), g.alice.refresh)),
    Act(_A.ACCOUNT_REGISTERED, lambda c, g: accounts.register(
        c, username="frank", display_name="Frank", password="a password", role="user")),
    Act(_A.ACCOUNT_DISABLED, lambda c, g: accounts.disable(c, "alice")),
    Act(_A.ACCOUNT_ENABLED, lambda c, g: accounts.enable(c, "bob"), _disable_bob),
    Act(_A.PASSWORD_CHANGED, lambda c, g: accounts.set_password(c, accounts.by_name(c, "alice"), "a new password")),
    Act(_A.OPERATOR_TOKEN_ISSUED, lambda c, g: accounts.issue_operator_token(c, "ops", "operate")),
    Act(_A.APPROVAL_REQUESTED, lambda c, g: approvals.request_widening(c, ID, (READ,))),
)  # fmt: skip
