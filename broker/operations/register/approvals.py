"""What widens takes two: one operator asks, another approves exactly that, and it is done in the approving transaction.

Whoever holds the database can do without; that is detected by the audit chain, not prevented.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from broker.domain.audit import Action
from broker.domain.errors import Conflict, NotFound, Refused
from broker.domain.features import CeilingEntry
from broker.operations.context import Context
from broker.operations.register import clients, features, partners
from broker.store import accounts, approvals
from broker.store.approvals import Approval

Parameters = dict[str, Any]


def _reopen(context: Context, given: Parameters) -> None:
    features.reopen(context, given["feature"], given["epoch"])


def _resume(context: Context, given: Parameters) -> None:
    features.resume(context, given["feature"])


def _resume_partner(context: Context, given: Parameters) -> None:
    partners.resume(context, given["partner"])


def _extend(context: Context, given: Parameters) -> None:
    features.schedule(context, given["feature"], given["ends_at"])


def _widen(context: Context, given: Parameters) -> None:
    added = tuple(CeilingEntry(**entry) for entry in given["added"])
    features.widen(context, given["feature"], added)


def _change_client(context: Context, given: Parameters) -> None:
    clients.change(context, given["client"], given["name"], tuple(given["redirect_uris"]))


_OPERATIONS: dict[str, Callable[[Context, Parameters], None]] = {
    "reopen": _reopen, "resume": _resume, "resume_partner": _resume_partner, "extend": _extend, "widen": _widen,
    "change_client": _change_client,
}  # fmt: skip


def _request(context: Context, operation: str, summary: str, **parameters: object) -> str:
    """Ask for an approval; the id. Asking again for exactly the same gives the pending one."""
    text = json.dumps(parameters, sort_keys=True)
    same = approvals.pending_same(context.transaction, operation, text)
    if same is not None:
        return same.id
    approval = Approval(context.new_name(), operation, text, summary, "pending", context.actor, context.now)
    approvals.add(context.transaction, approval)
    context.record(Action.APPROVAL_REQUESTED, f"approval:{approval.id}", operation=operation, parameters=parameters)
    return approval.id


def request_reopening(context: Context, feature_id: str, epoch: int) -> str:
    """Ask to reopen a feature at the epoch that is seen now."""
    feature = features.get(context, feature_id)
    if feature.state.value != "shut_down" or feature.epoch != epoch:
        raise Conflict(f"feature {feature_id} is {feature.state.value} at epoch {feature.epoch}")
    return _request(context, "reopen", f"reopen {feature_id} at epoch {epoch}; old grants stay dead",
                    feature=feature_id, epoch=epoch)  # fmt: skip


def request_resuming(context: Context, feature_id: str) -> str:
    """Ask to resume a suspended feature."""
    feature = features.get(context, feature_id)
    if feature.state.value != "suspended":
        raise Conflict(f"feature {feature_id} is {feature.state.value}, not suspended")
    return _request(context, "resume", f"resume {feature_id}; its grants are live again", feature=feature_id)


def request_resuming_partner(context: Context, partner_id: str) -> str:
    """Ask to resume a suspended partner."""
    if partners.get(context, partner_id).state != "suspended":
        raise Conflict(f"partner {partner_id} is not suspended")
    return _request(context, "resume_partner", f"resume partner {partner_id}", partner=partner_id)


def request_extending(context: Context, feature_id: str, ends_at: int | None) -> str:
    """Ask to move a feature's end date later, or to take it away."""
    feature = features.get(context, feature_id)
    if feature.ended(context.now):
        raise Conflict(f"feature {feature_id} has ended; its end cannot be moved (reopen it)")
    return _request(context, "extend", f"move the end of {feature_id} later", feature=feature_id, ends_at=ends_at)


def request_widening(context: Context, feature_id: str, added: tuple[CeilingEntry, ...]) -> str:
    """Ask to let scopes into a ceiling."""
    features.get(context, feature_id)
    names = ", ".join(sorted(entry.scope for entry in added))
    return _request(context, "widen", f"widen {feature_id} by {names}; grants that stand do not get it",
                    feature=feature_id, added=[asdict(entry) for entry in added])  # fmt: skip


def request_client_change(context: Context, client_id: str, name: str, redirect_uris: tuple[str, ...]) -> str:
    """Ask to give a client a new redirect URI."""
    clients.get(context, client_id)
    return _request(context, "change_client", f"redirect {client_id} to {', '.join(redirect_uris)}",
                    client=client_id, name=name, redirect_uris=list(redirect_uris))  # fmt: skip


def approve(context: Context, approval_id: str, operator: str) -> Approval:
    """Approve as another operator than the one who asked, and do it; what is approved is exactly what was asked."""
    found = approvals.get(context.transaction, approval_id)
    if found is None:
        raise NotFound(f"there is no approval {approval_id!r}")
    account = accounts.by_name(context.transaction, operator)
    if account is None or account.role != "operator" or account.state != "active":
        raise Refused(f"{operator!r} is not an operator")
    if found.requested_by == f"operator:{operator}":
        raise Refused("who asked cannot approve; another operator must")
    if not approvals.decide(context.transaction, approval_id, outcome="approved", by=operator, at=context.now):
        raise Conflict(f"approval {approval_id} is {found.state} already")
    _OPERATIONS[found.operation](context, json.loads(found.parameters))
    context.record(Action.APPROVAL_GIVEN, f"approval:{approval_id}", operation=found.operation, by=operator)
    return found
