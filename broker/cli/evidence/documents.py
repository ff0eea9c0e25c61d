"""What grants, access records and audit entries look like as JSON."""

from __future__ import annotations

from collections.abc import Mapping

from broker.domain.access import AccessRecord
from broker.domain.audit import Entry
from broker.domain.grants import GrantView
from broker.domain.instants import Instant, rfc3339, rfc3339_or_none
from broker.operations.identifiers import THREAD, grant_id, identifiers

Shape = dict[str, object]


def of_grant(view: GrantView, now: Instant, secret_key: bytes) -> Shape:
    """A grant under its public id; ``live`` holds while nothing has ended it, a suspension is ``paused``."""
    grant, end = view.grant, view.end(now)
    used = [each.last_used_at for each in grant.scopes if each.last_used_at is not None]
    return {
        "id": grant_id(secret_key, grant.id), "user": view.username, "client": grant.client_id,
        "feature": grant.feature_id, "partner": view.partner_id, "live": end is None, "paused": view.paused(),
        "scopes": [each.scope for each in grant.scopes],
        "conversations": "all" if grant.all_conversations else "chosen", "since": rfc3339(grant.created_at),
        "confirmed_at": rfc3339(grant.updated_at), "until": rfc3339(grant.expires_at),
        "present_at": rfc3339(grant.present_at), "presence_ends_at": rfc3339(grant.presence_ends_at),
        "last_used_at": rfc3339(max(used)) if used else None, "uses": sum(each.uses for each in grant.scopes),
        "ended_at": rfc3339_or_none(end[0]) if end is not None else None,
        "end_cause": end[1].value if end is not None else None,
    }  # fmt: skip


def of_access(record: AccessRecord, usernames: Mapping[int, str], secret_key: bytes) -> Shape:
    """One decision: who, through what, with which scope, on which thread, when, and the answer."""
    operators = identifiers(secret_key, "operators")
    grant, thread, account = record.grant_id, record.thread_id, record.account_id
    return {
        "at": rfc3339(record.at), "user": None if account is None else usernames.get(account),
        "client": record.client_id, "feature": record.feature_id, "epoch": record.feature_epoch,
        "grant": None if grant is None else grant_id(secret_key, grant), "scope": record.scope,
        "thread": None if thread is None else operators.write(THREAD, thread), "request": record.request,
        "decision": record.decision, "position": record.position,
    }  # fmt: skip


def of_entry(entry: Entry) -> Shape:
    """One entry of the log for people; its hashes are in an export."""
    return {"position": entry.position, "at": rfc3339(entry.at), "actor": entry.actor, "action": entry.action,
            "subject": entry.subject, "feature": entry.feature, "details": entry.details}  # fmt: skip


def of_stored_entry(entry: Entry, stored: bytes) -> Shape:
    """An entry with what it takes to verify the chain elsewhere: the microseconds that were hashed, and the hashes."""
    return of_entry(entry) | {"at_us": entry.at, "previous": entry.previous.hex(), "hash": stored.hex()}
