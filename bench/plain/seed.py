"""The bench's world in the plain server's tables."""

from __future__ import annotations

import secrets
import time

from sqlalchemy.orm import Session

from bench import world
from bench.plain.models import Base, Client, Member, Message, Token, User, connect
from bench.sides import Credentials, Reader

_LIFETIME_SECONDS = 864_000


def seed(url: str) -> Credentials:
    """Create the tables and fill them; what a partner and a resource server need to call the server."""
    engine = connect(url)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        app, app_secret = _client(session, "TuneLoop", "standing:read messages:read")
        _, resource_server_secret = _client(session, "archive", "introspect")
        readers = tuple(_reader(session, number, app) for number in range(1, world.READERS + 1))
        session.commit()
    engine.dispose()
    return Credentials(
        client=("tuneloop", app_secret),
        client_scope="standing:read",
        resource_server=("archive", resource_server_secret),
        readers=readers,
    )


def _client(session: Session, name: str, scope: str) -> tuple[Client, str]:
    secret = secrets.token_urlsafe(32)
    client = Client(client_id=name.lower(), client_secret=secret)
    client.set_client_metadata(
        {
            "client_name": name,
            "grant_types": ["client_credentials"],
            "scope": scope,
            "token_endpoint_auth_method": "client_secret_basic",
        }
    )
    session.add(client)
    session.flush()
    return client, secret


def _reader(session: Session, number: int, app: Client) -> Reader:
    reader, friend = User(username=f"reader-{number}"), User(username=f"friend-{number}")
    session.add_all([reader, friend])
    session.flush()
    session.add_all([Member(thread_id=number, user_id=user.id) for user in (reader, friend)])
    session.add_all(
        Message(
            thread_id=number,
            author_id=reader.id if message.by_reader else friend.id,
            text=message.text,
            sent_at=message.sent_at.replace(tzinfo=None),
            client_id=app.id if message.by_app else None,
        )
        for message in world.messages(number)
    )
    token = secrets.token_urlsafe(32)
    session.add(
        Token(
            client_id=app.client_id,
            user_id=reader.id,
            token_type="Bearer",
            access_token=token,
            scope="messages:read",
            issued_at=int(time.time()),
            expires_in=_LIFETIME_SECONDS,
        )
    )
    return Reader(token=token, thread=str(number))
