"""demo.toml: Palaver's people, their conversations, friends, posts and contacts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import cast, get_args

from broker.domain.names import problem_with_text
from broker.settings.demo import DemoContact, DemoPerson, DemoPost, DemoThread, DemoWorld, Role
from broker.settings.reader import Rule, Table

_USERNAME = re.compile(r"[a-z][a-z0-9]{0,30}")  # without hyphens, so that no client id can look like one
_TITLE_MAX = 80
_MESSAGE_MAX = 2000
_PASSWORD_LEAST = 8


def read_demo(file: Table, partner_ids: frozenset[str]) -> DemoWorld:
    """Read the demo world; whoever is named in it must be one of its people."""
    people = tuple(_person(table, partner_ids) for table in file.tables("person"))
    users = frozenset(person.username for person in people if person.role == "user")
    if len({person.username for person in people}) < len(people):
        file.problem("person", "expected each username once")
    is_user = partial(_unknown_user, users=users)
    world = DemoWorld(
        people=people,
        threads=tuple(_thread(table, is_user) for table in file.tables("thread")),
        friends=_friends(file, is_user),
        posts=tuple(_post(table, is_user) for table in file.tables("post")),
        contacts=tuple(_contact(table, is_user) for table in file.tables("contact")),
    )
    file.refuse_unknown_keys()
    return world


def _person(table: Table, partner_ids: frozenset[str]) -> DemoPerson:
    person = DemoPerson(
        username=table.text("username", _problem_with_username),
        display_name=table.text("display_name", partial(problem_with_text, limit=60)),
        password=table.text("password", _problem_with_password),
        role=cast(Role, table.choice("role", get_args(Role), "user")),
        partner=table.text_or_none("partner"),
    )
    table.refuse_unknown_keys()
    if (person.role == "partner") != (person.partner is not None):
        table.problem("partner", 'expected for role = "partner", and for no other')
    elif person.partner is not None and person.partner not in partner_ids:
        table.problem("partner", f"unknown partner {person.partner!r}; known are {', '.join(sorted(partner_ids))}")
    return person


def _thread(table: Table, is_user: Rule) -> DemoThread:
    thread = DemoThread(
        title=table.text("title", partial(problem_with_text, limit=_TITLE_MAX)),
        members=table.texts("members", is_user, least=2),
        messages=table.pairs("messages"),
    )
    table.refuse_unknown_keys()
    for index, (author, text) in enumerate(thread.messages):
        if author not in thread.members:
            table.problem(f"messages[{index}]", f"{author!r} is not a member of this thread")
        _note(table, f"messages[{index}]", [problem_with_text(text, _MESSAGE_MAX)])
    return thread


def _friends(file: Table, is_user: Rule) -> tuple[tuple[str, str], ...]:
    pairs = file.pairs("friends")
    for index, (one, other) in enumerate(pairs):
        _note(file, f"friends[{index}]", [is_user(one), is_user(other)])
        if one == other:
            file.problem(f"friends[{index}]", "nobody is their own friend here")
        elif (one, other) in pairs[:index] or (other, one) in pairs[:index]:
            file.problem(f"friends[{index}]", "repeats a pair")
    return tuple((min(pair), max(pair)) for pair in pairs)


def _post(table: Table, is_user: Rule) -> DemoPost:
    rule = partial(problem_with_text, limit=_MESSAGE_MAX)
    post = DemoPost(author=table.text("author", is_user), text=table.text("text", rule))
    table.refuse_unknown_keys()
    return post


def _contact(table: Table, is_user: Rule) -> DemoContact:
    rule = partial(problem_with_text, limit=100)
    contact = DemoContact(
        owner=table.text("owner", is_user),
        name=table.text("name", rule),
        email=table.text("email", rule),
        phone=table.text("phone", rule),
    )
    table.refuse_unknown_keys()
    return contact


def _note(table: Table, key: str, problems: Iterable[str | None]) -> None:
    for problem in problems:
        if problem is not None:
            table.problem(key, problem)


def _unknown_user(name: str, users: frozenset[str]) -> str | None:
    return None if name in users else f"unknown user {name!r}; known are {', '.join(sorted(users))}"


def _problem_with_username(name: str) -> str | None:
    return None if _USERNAME.fullmatch(name) else "must be 1 to 31 lower-case letters and digits, a letter first"


def _problem_with_password(password: str) -> str | None:
    return None if len(password) >= _PASSWORD_LEAST else f"must have at least {_PASSWORD_LEAST} characters"
