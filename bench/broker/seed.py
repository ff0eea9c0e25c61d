"""The bench's world in the broker's tables: readers who have granted, with tokens that outlive the run."""

from __future__ import annotations

import os
from pathlib import Path

from bench import world
from bench.sides import Credentials, Reader
from broker.domain.grants import Grant, GrantedScope
from broker.domain.instants import DAY, parse_rfc3339
from broker.domain.scopes import MESSAGES_READ
from broker.domain.tokens import TokenKind, compose, digest
from broker.operations.context import Context, Runtime
from broker.operations.identifiers import THREAD, identifiers
from broker.operations.register import seeding
from broker.settings import load
from broker.store import accounts, conversations, grants, migrations, tokens
from broker.web.runtime import open_runtime

CONFIG = Path(__file__).parent / "config" / "broker.toml"
LEASED = CONFIG.with_name("leased.toml")
FEATURE, CLIENT, SERVER = "archive-search", "tuneloop-search", "archive"
_YEAR = 365 * DAY


def opened(url: str) -> Runtime:
    """The broker's runtime on a database, which is set up if it is empty."""
    running = open_runtime(load(CONFIG), url)
    migrations.upgrade(running.database)
    seeding.seed(running)
    return running


def seed(url: str) -> Credentials:
    """Fill a database; what a partner and a resource server need to call the broker."""
    running = opened(url)
    with running.write("broker") as context:
        readers = tuple(_reader(context, number) for number in range(1, world.READERS + 1))
    register = running.settings.register
    running.database.close()
    client = register.features[0].clients[0]
    server = register.resource_servers[0]
    assert client.development_secret
    assert server.development_secret
    return Credentials((client.id, client.development_secret), "standing:read", (server.id, server.development_secret),
                       readers)  # fmt: skip


def _reader(context: Context, number: int) -> Reader:
    reader, friend = (_account(context, f"{name}-{number}") for name in ("reader", "friend"))
    thread = conversations.add_thread(context.transaction, f"Thread {number}", [reader, friend], context.now)
    for message in world.messages(number):
        conversations.post(
            context.transaction, thread_id=thread, author_id=reader if message.by_reader else friend,
            text=message.text, at=parse_rfc3339(message.sent_at.isoformat()),
            client_id=CLIENT if message.by_app else None,
        )  # fmt: skip
    secret = _token(context, reader)
    ids = identifiers(context.settings.secret_key, f"client:{CLIENT}")
    return Reader(secret, ids.write(THREAD, thread))


def _account(context: Context, username: str) -> int:
    """Nobody logs in here, and a real password hash costs 30 ms."""
    return accounts.add(context.transaction, username=username, display_name=username, password_hash="-", role="user",
                        partner_id=None, at=context.now)  # fmt: skip


def _token(context: Context, account_id: int) -> str:
    now, end = context.now, context.now + _YEAR
    grant = Grant(context.new_number(), account_id, CLIENT, FEATURE, 1, True, frozenset({MESSAGES_READ}), "-", now, now,
                  now, end, end)  # fmt: skip
    family = tokens.Family(context.new_number(), grant.id, account_id, FEATURE, 1, now, end)
    secret = compose(TokenKind.ACCESS, os.urandom(32))
    grants.add(context.transaction, grant, 1_000)
    grants.add_scopes(context.transaction, grant.id, [GrantedScope(MESSAGES_READ, 1_000, now, None, end)])
    tokens.add_family(context.transaction, family)
    tokens.add_access(context.transaction, tokens.Issued(
        digest(secret), CLIENT, grant.id, account_id, FEATURE, 1, family.id, MESSAGES_READ, now, end))  # fmt: skip
    return secret
