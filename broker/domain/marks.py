"""Marks: the words in which the audit log says what it has changed, and a standing what it hangs on.

An entry's subject is its mark. Whoever remembers a standing of one position forgets it when any of its marks comes by
with a later one. So one comparison serves every way of ending; what it finds stale is read again, and the fresh reading
says why.
"""

from __future__ import annotations

from broker.domain.decisions import Standing

KINDS = ("partner", "feature", "client", "grant", "account")
"""What a standing can hang on."""


def of_standing(standing: Standing) -> tuple[str, ...]:
    """Everything whose change may change what this standing says."""
    register = (f"partner:{standing.partner_id}", f"feature:{standing.feature_id}", f"client:{standing.client_id}")
    if standing.grant_id is None:
        return register
    return (*register, f"grant:{standing.grant_id}", f"account:{standing.account_id}")


def concerns_standing(subject: str) -> bool:
    """Whether an entry with this subject may change any standing at all."""
    return subject.partition(":")[0] in KINDS
