"""The demo world: Palaver's people and what they wrote. Development only; it never meets a production database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["user", "operator", "partner"]


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody who can log in; ``partner`` names the partner whose pages a partner login sees."""

    username: str
    display_name: str
    password: str = field(repr=False)
    role: Role
    partner: str | None = None


@dataclass(frozen=True, slots=True)
class DemoThread:
    """A conversation: who takes part, and its messages, oldest first, as (author, text)."""

    title: str
    members: tuple[str, ...]
    messages: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DemoPost:
    """Something that a person wrote for all friends."""

    author: str
    text: str


@dataclass(frozen=True, slots=True)
class DemoContact:
    """An entry in a person's address book: somebody's contact details, who never consented to anything."""

    owner: str
    name: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """All of it; a friendship is a pair of usernames, in alphabetical order."""

    people: tuple[DemoPerson, ...]
    threads: tuple[DemoThread, ...] = ()
    friends: tuple[tuple[str, str], ...] = ()
    posts: tuple[DemoPost, ...] = ()
    contacts: tuple[DemoContact, ...] = ()
