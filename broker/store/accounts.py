"""Accounts of people, operators and partners, and their sessions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from broker.domain.instants import Instant
from broker.store import schema as s
from broker.store.engine.database import Row, Transaction
from broker.store.engine.statements import Statement, adding, greatest

_a = s.account.c
_COLUMNS = (_a.id, _a.username, _a.display_name, _a.role, _a.partner_id, _a.state, _a.password_hash)


@dataclass(frozen=True, slots=True)
class Account:
    """An account; ``role`` is user, operator or partner."""

    id: int
    username: str
    display_name: str
    role: str
    partner_id: str | None
    state: str
    password_hash: str


_GET = Statement(select(*_COLUMNS).where(_a.id == bindparam("id")))
_BY_NAME = Statement(select(*_COLUMNS).where(_a.username == bindparam("username")))
_ALL = Statement(select(*_COLUMNS).order_by(_a.username))
# An UPDATE that changes nothing: the row lock of a narrowing, known to both databases.
_LOCK = Statement(update(s.account).where(_a.id == bindparam("account_id")).values(state=_a.state))
_SHARE = Statement(select(*_COLUMNS).where(_a.id == bindparam("id")).with_for_update(read=True))
_ADD = Statement(adding(s.account).returning(_a.id))
_STATE = Statement(
    update(s.account).where(_a.id == bindparam("account_id"), _a.state == bindparam("before"))
    .values(state=bindparam("after"))
)  # fmt: skip
_PASSWORD = Statement(
    update(s.account).where(_a.id == bindparam("account_id")).values(password_hash=bindparam("new_hash"))
)


def get(transaction: Transaction, account_id: int) -> Account | None:
    """One account, or None."""
    return _account(transaction.row(_GET, id=account_id))


def by_name(transaction: Transaction, username: str) -> Account | None:
    """One account by its username (exact), or None."""
    return _account(transaction.row(_BY_NAME, username=username))


def shared(transaction: Transaction, account_id: int) -> Account | None:
    """One account that cannot be narrowed before this transaction ends."""
    return _account(transaction.row(_GET if transaction.database.is_sqlite else _SHARE, id=account_id))


def lock(transaction: Transaction, account_id: int) -> None:
    """Keep others from acting for this account until this transaction ends."""
    transaction.run(_LOCK, account_id=account_id)


def all(transaction: Transaction) -> list[Account]:
    """Every account, by username."""
    return [Account(*row) for row in transaction.rows(_ALL)]


def _account(row: Row | None) -> Account | None:
    return None if row is None else Account(*row)


def add(
    transaction: Transaction, *, username: str, display_name: str, password_hash: str, role: str,
    partner_id: str | None, at: Instant,
) -> int:  # fmt: skip
    """Add an active account; its id."""
    row = transaction.row(
        _ADD, username=username, display_name=display_name, password_hash=password_hash, role=role,
        partner_id=partner_id, state="active", created_at=at,
    )  # fmt: skip
    assert row is not None
    return int(row[0])


def set_state(transaction: Transaction, account_id: int, before: str, after: str) -> bool:
    """Move from one state to another; False if it was not in the first."""
    return transaction.run(_STATE, account_id=account_id, before=before, after=after) == 1


def set_password(transaction: Transaction, account_id: int, password_hash: str) -> None:
    """Replace the password's hash."""
    transaction.run(_PASSWORD, account_id=account_id, new_hash=password_hash)


# --- sessions -------------------------------------------------------------------------------------------------------

_s = s.session.c
_SESSION = Statement(
    select(*_COLUMNS, _s.seen_at)
    .select_from(s.session.join(s.account))
    .where(_s.hash == bindparam("hash"), _s.idle_ends_at > bindparam("now"), _s.expires_at > bindparam("now"),
           _a.state == "active")
)  # fmt: skip
_OPEN = Statement(insert(s.session))
_SEEN = Statement(
    update(s.session)
    .where(_s.hash == bindparam("session"), _s.idle_ends_at > bindparam("now"))
    .values(seen_at=bindparam("now"), idle_ends_at=greatest(_s.idle_ends_at, bindparam("idle_end")))
)
_CLOSE = Statement(delete(s.session).where(_s.hash == bindparam("session")))
_CLOSE_ALL = Statement(delete(s.session).where(_s.account_id == bindparam("account")))
_CLOSE_EXPIRED = Statement(delete(s.session).where(_s.expires_at <= bindparam("now")))


def of_session(transaction: Transaction, hash: bytes, now: Instant) -> tuple[Account, Instant] | None:
    """Whose session this is and when it was last seen; None if it is unknown, over, or its account disabled."""
    row = transaction.row(_SESSION, hash=hash, now=now)
    return None if row is None else (Account(*row[:-1]), row[-1])


def open_session(
    transaction: Transaction, hash: bytes, account_id: int, *, at: Instant, idle_ends_at: Instant, expires_at: Instant
) -> None:
    """Open a session by the hash of its identifier."""
    transaction.run(
        _OPEN, hash=hash, account_id=account_id, created_at=at, seen_at=at, idle_ends_at=idle_ends_at,
        expires_at=expires_at,
    )  # fmt: skip


def session_seen(transaction: Transaction, hash: bytes, at: Instant, idle_ends_at: Instant) -> None:
    """Move the idle end of a session that is not over yet."""
    transaction.run(_SEEN, session=hash, now=at, idle_end=idle_ends_at)


def close_session(transaction: Transaction, hash: bytes) -> None:
    """End one session."""
    transaction.run(_CLOSE, session=hash)


def close_sessions(transaction: Transaction, account_id: int) -> int:
    """End every session of an account; how many there were."""
    return transaction.run(_CLOSE_ALL, account=account_id)


def forget_expired_sessions(transaction: Transaction, now: Instant) -> int:
    """Delete sessions that are over anyway."""
    return transaction.run(_CLOSE_EXPIRED, now=now)


# --- failures, for backoff ------------------------------------------------------------------------------------------

_f = s.failure.c
_FAILURE = Statement(select(_f.failures, _f.blocked_until).where(_f.key == bindparam("key")))
_FIRST = {
    "sqlite": Statement(sqlite.insert(s.failure).on_conflict_do_nothing()),
    "postgresql": Statement(postgresql.insert(s.failure).on_conflict_do_nothing()),
}
_LOCKED = Statement(
    update(s.failure).where(_f.key == bindparam("what")).values(failures=_f.failures)
    .returning(_f.failures, _f.blocked_until)
)  # fmt: skip
_COUNT = Statement(
    update(s.failure).where(_f.key == bindparam("what"))
    .values(failures=bindparam("count"), blocked_until=bindparam("until"))
)  # fmt: skip
_FORGET = Statement(delete(s.failure).where(_f.blocked_until <= bindparam("before")))
_FORGIVE = Statement(delete(s.failure).where(_f.key == bindparam("what")))


def failures(transaction: Transaction, key: str) -> tuple[int, Instant]:
    """How many failures in a row under this key, and until when it has to wait."""
    row = transaction.row(_FAILURE, key=key)
    return (0, 0) if row is None else (row[0], row[1])


def failures_for_update(transaction: Transaction, key: str) -> tuple[int, Instant]:
    """The same, locked until this transaction ends: of guesses made at once none goes uncounted."""
    transaction.run(_FIRST[transaction.database.engine.dialect.name], key=key, failures=0, blocked_until=0)
    row = transaction.row(_LOCKED, what=key)
    assert row is not None
    return row[0], row[1]


def failed(transaction: Transaction, key: str, count: int, until: Instant) -> None:
    """Write down what ``failures_for_update`` has become."""
    transaction.run(_COUNT, what=key, count=count, until=until)


def forgive(transaction: Transaction, key: str) -> None:
    """Forget failures after a success."""
    transaction.run(_FORGIVE, what=key)


def forget_failures(transaction: Transaction, before: Instant) -> int:
    """Forget failures of which nobody has had to wait since; how many keys."""
    return transaction.run(_FORGET, before=before)
