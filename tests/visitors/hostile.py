"""Texts that others chose, put past the checks that would have refused them: what a page must bear all the same."""

from __future__ import annotations

from sqlalchemy import update

from broker.store import schema as s
from broker.store.engine.database import Database
from broker.store.engine.statements import Statement

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>\"' {{ 7 * 7 }}"
TURNED = "\u202egnidaer"
LONG = "W" * 10_000


def put_everywhere(database: Database, text: str) -> None:
    """Write a text wherever a partner or a person writes one; messages keep to their own limit."""
    changes = (
        update(s.partner).values(name=text), update(s.feature).values(name=text, purpose=text),
        update(s.feature_scope).values(reason=text, beyond_need=text), update(s.client).values(name=text),
        update(s.thread).values(title=text), update(s.account).values(display_name=text),
        update(s.message).values(text=text[:4000]),
    )  # fmt: skip
    with database.write() as transaction:
        for change in changes:
            transaction.run(Statement(change))
