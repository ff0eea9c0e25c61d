"""Doing again what a restored database lacks: each kind of narrowing, from its line in the ledger.

Only what narrows is done again. What widened since (a feature reopened, a user enabled, an end moved to later) takes
its people again, as it did the first time. What a line does not say exactly ends wholly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from broker.domain.audit import Action
from broker.domain.features import FeatureState
from broker.domain.grants import EndCause
from broker.operations.context import Context
from broker.operations.people import passwords
from broker.store import accounts, grants, recovery
from broker.store.evidence.shutdowns import Shutdown
from broker.store.ledger import Narrowing
from broker.store.register import clients, features, partners, resource_servers


@dataclass(slots=True)
class Work:
    """What a recovery has done so far."""

    context: Context
    done: list[Narrowing] = field(default_factory=list)
    absent: list[Narrowing] = field(default_factory=list)
    shutdowns: list[Shutdown] = field(default_factory=list)
    passwords: list[str] = field(default_factory=list)


def again(work: Work, narrowing: Narrowing) -> None:
    """Do one narrowing again, as far as the database knows what it is about."""
    act = _ACTS.get(narrowing.action)
    if act is not None:
        (work.done if act(work, narrowing, narrowing.subject.partition(":")[2]) else work.absent).append(narrowing)


# Each takes what it is about by its id, and says whether the database knows it.


def _shut_down(work: Work, narrowing: Narrowing, feature_id: str) -> bool:
    context, feature = work.context, features.get(work.context.transaction, feature_id)
    if feature is None:
        return False
    closed = feature.state is FeatureState.SHUT_DOWN
    epoch = max(int(narrowing.details["epoch"]), feature.epoch if closed else feature.epoch + 1)
    recovery.shut_down(context.transaction, feature_id, epoch, narrowing.at)
    for each in range(feature.epoch + 1, epoch + 1):  # an epoch moves by a shutdown, and whoever asks when, finds it
        work.shutdowns.append(
            Shutdown(context.new_name(), feature_id, each, 0, str(narrowing.details["cause"]),
                     narrowing.details.get("reason"), narrowing.actor, narrowing.at)
        )  # fmt: skip
    return True


def _suspend(work: Work, narrowing: Narrowing, feature_id: str) -> bool:
    feature = features.get(work.context.transaction, feature_id)
    if feature is not None:
        features.set_state(work.context.transaction, feature_id, feature.epoch, FeatureState.ACTIVE,
                           FeatureState.SUSPENDED)  # fmt: skip
    return feature is not None


def _schedule(work: Work, narrowing: Narrowing, feature_id: str) -> bool:
    feature, ends_at = features.get(work.context.transaction, feature_id), narrowing.details["ends_at"]
    if feature is not None and ends_at is not None and (feature.ends_at is None or ends_at < feature.ends_at):
        features.schedule(work.context.transaction, feature_id, ends_at)
    return feature is not None


def _narrow(work: Work, narrowing: Narrowing, feature_id: str) -> bool:
    for scope in narrowing.details["scopes"]:
        features.drop_scope(work.context.transaction, feature_id, scope)
    return features.get(work.context.transaction, feature_id) is not None


def _suspend_partner(work: Work, narrowing: Narrowing, partner_id: str) -> bool:
    partners.set_state(work.context.transaction, partner_id, "active", "suspended")
    return partners.get(work.context.transaction, partner_id) is not None


def _disable_client(work: Work, narrowing: Narrowing, client_id: str) -> bool:
    clients.set_state(work.context.transaction, client_id, "active", "disabled")
    return clients.get(work.context.transaction, client_id) is not None


def _disable_server(work: Work, narrowing: Narrowing, server_id: str) -> bool:
    resource_servers.disable(work.context.transaction, server_id)
    return resource_servers.get(work.context.transaction, server_id) is not None


def _end_grant(work: Work, narrowing: Narrowing, grant_id: str) -> bool:
    transaction, scope = work.context.transaction, narrowing.details.get("scope")
    if scope is None:
        grants.end(transaction, int(grant_id), narrowing.at, narrowing.details["cause"])
    else:
        grants.drop_scope(transaction, int(grant_id), scope)
    return grants.get(transaction, int(grant_id)) is not None


def _renew_consent(work: Work, narrowing: Narrowing, grant_id: str) -> bool:
    """Keep of a grant what the later answer kept of it. Which conversations that named is not known: none is kept."""
    transaction, details = work.context.transaction, narrowing.details
    if details["conversations"] != "all":
        grants.end(transaction, int(grant_id), work.context.now, EndCause.REVOKED)
    for scope in recovery.scopes_of(transaction, int(grant_id)) - {*details["scopes"], *details["kept"]}:
        grants.drop_scope(transaction, int(grant_id), scope)
    return grants.get(transaction, int(grant_id)) is not None


def _disable_account(work: Work, narrowing: Narrowing, account_id: str) -> bool:
    accounts.set_state(work.context.transaction, int(account_id), "active", "disabled")
    return accounts.get(work.context.transaction, int(account_id)) is not None


def _forget_password(work: Work, narrowing: Narrowing, account_id: str) -> bool:
    """The restored password is one that was given up; the one after it is nowhere. So there is none."""
    account = accounts.get(work.context.transaction, int(account_id))
    if account is not None:
        accounts.set_password(work.context.transaction, account.id, passwords.NOBODY)
        if account.username not in work.passwords:
            work.passwords.append(account.username)
    return account is not None


def _all_tokens_end(work: Work, narrowing: Narrowing, _: str) -> bool:
    return True


_ACTS: dict[str, Callable[[Work, Narrowing, str], bool]] = {
    Action.FEATURE_SHUT_DOWN: _shut_down,
    Action.FEATURE_SUSPENDED: _suspend,
    Action.FEATURE_SCHEDULED: _schedule,
    Action.FEATURE_NARROWED: _narrow,
    Action.PARTNER_SUSPENDED: _suspend_partner,
    Action.CLIENT_DISABLED: _disable_client,
    Action.RESOURCE_SERVER_DISABLED: _disable_server,
    Action.GRANT_ENDED: _end_grant,
    Action.CONSENT_APPROVED: _renew_consent,
    Action.ACCOUNT_DISABLED: _disable_account,
    Action.PASSWORD_CHANGED: _forget_password,
    Action.TOKEN_REVOKED: _all_tokens_end,
    Action.FAMILY_ENDED: _all_tokens_end,
}
