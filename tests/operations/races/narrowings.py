"""Everything that takes access away, as one act on what alice has connected, within a transaction that is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from broker.domain.grants import Grant
from broker.operations import grants, tokens
from broker.operations.context import Context
from broker.operations.people import accounts
from broker.operations.register import clients, ending, features, partners
from tests.world import Connection, World

FEATURE, CLIENT, PARTNER = "share-a-track", "tuneloop-share", "tuneloop"
WRITE = "messages:write"
Act = Callable[[Context, Connection], object]


def _shut_down(context: Context, _: Connection) -> object:
    return ending.end(context, features.closed_for(context, FEATURE), cause="operator", reason=None)


def _own(context: Context, alice: Connection) -> Grant:
    return grants.own(context, accounts.by_name(context, alice.person).id, alice.grant_id)


@dataclass(frozen=True)
class Narrowing:
    """One way of taking access away, and what an access token of before is told after it."""

    name: str
    act: Act
    reason: str

    def __call__(self, world: World, alice: Connection, before_commit: Callable[[], None] = lambda: None) -> None:
        """Do it in a transaction of its own."""
        with world.write("operator:ops") as context:
            self.act(context, alice)
            before_commit()


NARROWINGS = (
    Narrowing("shut_down", _shut_down, "feature-shut-down"),
    Narrowing("suspend", lambda context, _: features.suspend(context, FEATURE), "feature-suspended"),
    Narrowing("narrow", lambda context, _: features.narrow(context, FEATURE, frozenset({WRITE})), "insufficient-scope"),
    Narrowing("disable_client", lambda context, _: clients.disable(context, CLIENT), "client-disabled"),
    Narrowing("suspend_partner", lambda context, _: partners.suspend(context, PARTNER), "client-disabled"),
    Narrowing("disconnect", lambda context, alice: grants.disconnect(context, _own(context, alice)), "grant-ended"),
    Narrowing("revoke_grant", lambda context, alice: grants.revoke(context, alice.grant_id), "grant-ended"),
    Narrowing("drop_scope", lambda context, alice: grants.drop_scope(context, _own(context, alice), WRITE),
              "insufficient-scope"),
    Narrowing("disable_user", lambda context, alice: accounts.disable(context, alice.person), "user-disabled"),
    Narrowing("new_password", lambda context, alice: accounts.set_password(
        context, accounts.by_name(context, alice.person), "a new password"), "token-revoked"),
    Narrowing("revoke_token", lambda context, alice: tokens.revoke(
        context, clients.get(context, alice.client_id), alice.access), "token-revoked"),
    Narrowing("revoke_refresh_token", lambda context, alice: tokens.revoke(
        context, clients.get(context, alice.client_id), alice.refresh), "token-revoked"),
)  # fmt: skip
