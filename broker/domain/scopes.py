"""The scopes: what each is called. What they say to people stands in config/scopes.toml."""

from __future__ import annotations

import re
from collections.abc import Iterable

PROFILE_READ = "profile:read"
MESSAGES_READ = "messages:read"
MESSAGES_WRITE = "messages:write"
MESSAGES_DELETE = "messages:delete"
PARTICIPANTS_READ = "participants:read"
FRIENDS_READ = "friends:read"
POSTS_READ = "posts:read"
CONTACTS_READ = "contacts:read"
STANDING_READ = "standing:read"  # a client reading its own standing; reaches no user
OPERATE = "operate"  # an operator's scope; never in a ceiling

MESSAGES = frozenset({MESSAGES_READ, MESSAGES_WRITE, MESSAGES_DELETE})
BY_CONVERSATION = MESSAGES | {PARTICIPANTS_READ}  # the user chooses for which conversations these hold
USER_SCOPES = BY_CONVERSATION | {PROFILE_READ, FRIENDS_READ, POSTS_READ, CONTACTS_READ}

MAX_SCOPES = 32
_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # scope-token, RFC 6749 section 3.3


def parse(text: str) -> frozenset[str]:
    """Read a scope parameter (RFC 6749 section 3.3); ValueError says what is wrong with it."""
    if len(text) > 1000:
        raise ValueError("the scope parameter is longer than 1000 characters")
    names = text.split(" ") if text else []
    if len(names) > MAX_SCOPES:
        raise ValueError(f"more than {MAX_SCOPES} scopes")
    if not all(_TOKEN.fullmatch(name) for name in names):
        raise ValueError("a scope has a character that RFC 6749 does not allow")
    return frozenset(names)


def format(names: Iterable[str]) -> str:
    """Write scopes as one parameter, sorted, so that equal sets are equal strings."""
    return " ".join(sorted(names))
