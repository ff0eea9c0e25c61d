"""A crowd: as many grants as are wanted, each of a person of its own, with a family, an access and a refresh token.

Written by the database itself from a series of numbers, since a million grants through the broker would take an hour.
"""

from __future__ import annotations

from bench.broker.seed import CLIENT, FEATURE
from broker.operations.context import Runtime

_FIRST = 1 << 40  # far above what the broker numbers by itself

_YEAR_US = 365 * 86_400 * 1_000_000
_SERIES = {
    "sqlite": "WITH RECURSIVE series(n) AS (SELECT {low} UNION ALL SELECT n + 1 FROM series WHERE n < {high})",
    "postgresql": "WITH series AS (SELECT generate_series({low}, {high}) AS n)",
}
_HASH = {"sqlite": "randomblob(32)", "postgresql": "sha256((random()::text || n::text)::bytea)"}


def _statements(dialect: str, low: int, high: int, now: int) -> list[str]:
    series, hash = _SERIES[dialect].format(low=low, high=high), _HASH[dialect]
    id, end = f"{_FIRST} + n", now + _YEAR_US
    # Admitted at the first entry of the log, long before any closing.
    issued = f"'{CLIENT}', {id}, {id}, '{FEATURE}', 1, {id}, 'messages:read', {now}, {end}, 1"
    columns = "hash, client_id, grant_id, account_id, feature_id, feature_epoch, family_id, scopes, issued_at"
    times = "created_at, updated_at, present_at, presence_ends_at, expires_at, ended_at, end_cause"
    tables = {
        "account (id, username, display_name, password_hash, role, partner_id, state, created_at)": (
            f"{id}, 'crowd-' || n, 'crowd', '-', 'user', NULL, 'active', {now}"
        ),
        f"grant_ (id, account_id, client_id, feature_id, feature_epoch, position, all_conversations, {times},"
        " asked, consent_hash)": (
            f"{id}, {id}, '{CLIENT}', '{FEATURE}', 1, 1000, true, {now}, {now}, {now}, {end}, {end}, NULL, NULL,"
            " 'messages:read', '-'"
        ),
        "grant_scope (grant_id, scope, position, granted_at, last_used_at, uses, unused_ends_at)": (
            f"{id}, 'messages:read', 1000, {now}, NULL, 0, {end}"
        ),
        "token_family (id, grant_id, account_id, feature_id, feature_epoch, created_at, expires_at)": (
            f"{id}, {id}, {id}, '{FEATURE}', 1, {now}, {end}"
        ),
        f"access_token ({columns}, expires_at, position)": f"{hash}, {issued}",
        f"refresh_token ({columns}, expires_at, position)": f"{hash}, {issued}",
    }
    return [f"INSERT INTO {table} {series} SELECT {values} FROM series" for table, values in tables.items()]


def _run(running: Runtime, statements: list[str]) -> None:
    with running.database.engine.connect() as connection:
        if not running.database.is_sqlite:
            connection.exec_driver_sql("SET statement_timeout = 0")
        for statement in statements:
            connection.exec_driver_sql(statement)


def grow(running: Runtime, number: int) -> None:
    """Have this many in the crowd."""
    with running.read() as context:
        now = context.now
    with running.database.engine.connect() as connection:
        known = int(connection.exec_driver_sql(f"SELECT count(*) FROM grant_ WHERE id > {_FIRST}").scalar_one())
    dialect, step = running.database.engine.dialect.name, 50_000
    for low in range(known + 1, number + 1, step):
        _run(running, _statements(dialect, low, min(low + step - 1, number), now))
    # As a database stands that has not grown within the minute: what housekeeping of its own does, done now.
    _run(running, ["PRAGMA wal_checkpoint(TRUNCATE)", "ANALYZE"] if dialect == "sqlite" else ["VACUUM ANALYZE"])


def revive(running: Runtime) -> None:
    """Undo a shutdown in a way that no operation can, so that the same crowd can be shut down again."""
    _run(running, [
        f"UPDATE feature SET state = 'active', epoch = 1, shut_down_at = NULL WHERE id = '{FEATURE}'",
        f"DELETE FROM shutdown WHERE feature_id = '{FEATURE}'",
    ])  # fmt: skip


_GRANT_INDEXES = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'grant_'"
    " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
)


def grow_grants(running: Runtime, number: int) -> None:
    """Have this many grants in a PostgreSQL database, without the people and tokens of a crowd: a tenth of the time.

    For what reads neither. Indexes are left out while it grows, and the references of the rows are not checked.
    """
    with running.read() as context:
        now = context.now
    end = now + _YEAR_US
    with running.database.engine.connect() as connection:
        run = connection.exec_driver_sql
        known = int(run(f"SELECT count(*) FROM grant_ WHERE id > {_FIRST}").scalar_one())
        for setting in (
            "statement_timeout = 0",
            "session_replication_role = replica",
            "maintenance_work_mem = '512MB'",
        ):
            run(f"SET {setting}")
        indexes = run(_GRANT_INDEXES).all()
        for name, _ in indexes:
            run(f'DROP INDEX "{name}"')
        run(
            "INSERT INTO grant_ (id, account_id, client_id, feature_id, feature_epoch, position, all_conversations,"
            " created_at, updated_at, present_at, presence_ends_at, expires_at, asked, consent_hash)"
            f" SELECT {_FIRST} + n, {_FIRST} + n, '{CLIENT}', '{FEATURE}', 1, 1000, true, {now}, {now}, {now}, {end},"
            f" {end}, 'messages:read', '-' FROM generate_series({known + 1}, {number}) n"
        )
        for _, definition in indexes:
            run(definition)
        run("VACUUM ANALYZE grant_")
        run("CHECKPOINT")


def leave_uncounted(running: Runtime) -> None:
    """Have nobody count what a shutdown has ended, which the workers would do beside what is measured."""
    _run(running, [
        f"UPDATE shutdown SET counted_at = committed_at, counts = '{{}}' WHERE feature_id = '{FEATURE}'",
    ])  # fmt: skip
