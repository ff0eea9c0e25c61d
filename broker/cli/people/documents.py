"""What accounts and approvals look like as JSON."""

from __future__ import annotations

import json

from broker.domain.instants import rfc3339, rfc3339_or_none
from broker.store.accounts import Account
from broker.store.approvals import Approval

Shape = dict[str, object]


def of_account(account: Account) -> Shape:
    """An account, by what it is called and not by its number; never its password's hash."""
    return {"username": account.username, "display_name": account.display_name, "role": account.role,
            "partner": account.partner_id, "state": account.state}  # fmt: skip


def of_approval(approval: Approval) -> Shape:
    """What is or was asked for, with the exact parameters that are approved."""
    return {
        "id": approval.id, "state": approval.state, "summary": approval.summary, "operation": approval.operation,
        "parameters": json.loads(approval.parameters), "requested_by": approval.requested_by,
        "requested_at": rfc3339(approval.requested_at), "decided_by": approval.decided_by,
        "decided_at": rfc3339_or_none(approval.decided_at),
    }  # fmt: skip
