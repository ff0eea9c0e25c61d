"""palaver.toml: the broker itself, how long things last, how much is allowed, and where the other files are."""

from __future__ import annotations

from functools import partial
from typing import cast, get_args

from broker.domain.names import problem_with_id, problem_with_name
from broker.settings.reader import Table
from broker.settings.register import ResourceServerFile
from broker.settings.rules import MAX_GRANT_S, problem_with_development_secret
from broker.settings.scopes_file import unknown_scope
from broker.settings.settings import DAY, HOUR, MINUTE, DatabaseSettings, EnforcementSettings, Lifetimes, Limits, Mode

MIN_LEASE_MS, MAX_LEASE_MS = 200, 10_000


def read_lifetimes(table: Table) -> Lifetimes:
    """Read ``[lifetimes]``."""
    d = Lifetimes()
    lifetimes = Lifetimes(
        code_s=table.seconds("code", d.code_s, 10 * MINUTE),
        access_token_s=table.seconds("access_token", d.access_token_s, HOUR),
        client_token_s=table.seconds("client_token", d.client_token_s, HOUR),
        refresh_idle_s=table.seconds("refresh_idle", d.refresh_idle_s, MAX_GRANT_S),
        refresh_absolute_s=table.seconds("refresh_absolute", d.refresh_absolute_s, MAX_GRANT_S),
        grant_s=table.seconds("grant", d.grant_s, MAX_GRANT_S),
        scope_unused_s=table.seconds("scope_unused", d.scope_unused_s, MAX_GRANT_S),
        presence_s=table.seconds("presence", d.presence_s, MAX_GRANT_S),
        session_idle_s=table.seconds("session_idle", d.session_idle_s, 30 * DAY),
        session_absolute_s=table.seconds("session_absolute", d.session_absolute_s, 30 * DAY),
        consent_s=table.seconds("consent", d.consent_s, HOUR),
        operator_token_s=table.seconds("operator_token", d.operator_token_s, DAY),
    )
    for kind in ("refresh", "session"):
        if getattr(lifetimes, f"{kind}_idle_s") > getattr(lifetimes, f"{kind}_absolute_s"):
            table.problem(f"{kind}_idle", f"must not be longer than {kind}_absolute")
    table.refuse_unknown_keys()
    return lifetimes


def read_limits(table: Table) -> Limits:
    """Read ``[limits]``."""
    d = Limits()
    limits = Limits(
        enabled=table.flag("enabled", d.enabled),
        login_failures=table.number("login_failures", d.login_failures, 1, 1_000),
        login_wait_s=table.seconds("login_wait", d.login_wait_s, HOUR),
        login_wait_max_s=table.seconds("login_wait_max", d.login_wait_max_s, DAY),
        token_failures_per_minute=table.number("token_failures_per_minute", d.token_failures_per_minute, 1, 100_000),
        authorizations_per_minute=table.number("authorizations_per_minute", d.authorizations_per_minute, 1, 100_000),
        max_body_bytes=table.number("max_body_bytes", d.max_body_bytes, 1_024, 1_048_576),
    )
    table.refuse_unknown_keys()
    return limits


def read_database(table: Table, url: str | None) -> DatabaseSettings:
    """Read ``[database]`` but for the URL, which the environment may have given."""
    d = DatabaseSettings()
    database = DatabaseSettings(
        url=url,
        lock_timeout_ms=table.milliseconds("lock_timeout", d.lock_timeout_ms, MINUTE * 1_000),
        statement_timeout_ms=table.milliseconds("statement_timeout", d.statement_timeout_ms, 10 * MINUTE * 1_000),
        idle_in_transaction_timeout_ms=table.milliseconds(
            "idle_in_transaction_timeout", d.idle_in_transaction_timeout_ms, 10 * MINUTE * 1_000
        ),
        pool_size=table.number("pool_size", d.pool_size, 1, 200),
    )
    table.refuse_unknown_keys()
    return database


def read_enforcement(table: Table) -> EnforcementSettings:
    """Read ``[enforcement]``."""
    d = EnforcementSettings()
    mode = cast(Mode, table.choice("mode", get_args(Mode), d.mode))
    lease_ms = table.milliseconds("lease", d.lease_ms, MAX_LEASE_MS)
    if lease_ms < MIN_LEASE_MS:
        table.problem("lease", f"must be at least {MIN_LEASE_MS}ms")
    table.refuse_unknown_keys()
    return EnforcementSettings(mode, lease_ms)


def read_resource_server(table: Table, known: frozenset[str], reserved: frozenset[str]) -> ResourceServerFile:
    """Read one ``[[resource_server]]``."""
    server = ResourceServerFile(
        id=table.text("id", problem_with_id),
        name=table.text("name", partial(problem_with_name, reserved=reserved)),
        scopes=table.texts("scopes", partial(unknown_scope, known=known), least=1),
        development_secret=table.text_or_none("development_secret", problem_with_development_secret),
    )
    table.refuse_unknown_keys()
    return server
