"""The plain server's tables, and the session that all of it shares."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from authlib.integrations.sqla_oauth2 import OAuth2ClientMixin, OAuth2TokenMixin
from sqlalchemy import Engine, ForeignKey, Index, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, scoped_session, sessionmaker

session = scoped_session(sessionmaker())


class Base(DeclarativeBase):
    """What the plain server stores."""


class User(Base):
    """Somebody with an account."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)

    def get_user_id(self) -> int:
        """The id that Authlib stores with a token."""
        return self.id


class Client(Base, OAuth2ClientMixin):  # type: ignore[misc]
    """An OAuth client, or a resource server that may introspect."""

    __tablename__ = "oauth2_client"

    id: Mapped[int] = mapped_column(primary_key=True)


class Token(Base, OAuth2TokenMixin):  # type: ignore[misc]
    """An access token; the mixin brings the unique index that finds it."""

    __tablename__ = "oauth2_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    user: Mapped[User | None] = relationship()


class Member(Base):
    """Who takes part in which thread."""

    __tablename__ = "thread_member"

    thread_id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)


class Message(Base):
    """One message of a thread, and the client that posted it, if one did."""

    __tablename__ = "message"

    id: Mapped[int] = mapped_column(primary_key=True)
    thread_id: Mapped[int]
    author_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    text: Mapped[str]
    sent_at: Mapped[datetime]
    client_id: Mapped[int | None] = mapped_column(ForeignKey("oauth2_client.id"))
    client: Mapped[Client | None] = relationship()

    __table_args__ = (Index("ix_message_thread", "thread_id", "id"),)


def connect(url: str) -> Engine:
    """An engine on ``url``; on SQLite with the settings that the broker has as well."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
