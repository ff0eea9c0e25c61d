"""Endings while apps post, refresh and connect as fast as they can: after the return nothing is written or live."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import func, select

from broker.domain.errors import BrokerError, Undecided
from broker.operations import access, grants
from broker.store import schema as s
from broker.store.engine.statements import Statement
from tests.concurrency import LIMIT_S, together
from tests.operations.races.narrowings import FEATURE, NARROWINGS, WRITE, Narrowing
from tests.world import Connection, World, counts

_ROUNDS = 300  # of each writer at most; it stops soon after the ending has returned
_PROFILE = "profile:read"
_TABLES = (s.message, s.access_token, s.refresh_token, s.authorization_code, s.grant)
_WRITTEN = [
    Statement(select(func.count()).select_from(table).where(table.c.feature_id == FEATURE)) for table in _TABLES
]
_BY_NAME = {narrowing.name: narrowing for narrowing in NARROWINGS}
_FOR_EVERYBODY = ("shut_down", "suspend", "disable_client", "suspend_partner", "disable_user")
_FOR_ONE_GRANT = ("disconnect", "revoke_grant", "new_password")
_FOR_POSTING = ("narrow", "drop_scope", "revoke_token", "revoke_refresh_token")


def _written(world: World) -> list[int]:
    """How many rows there are under the feature: messages, tokens, refresh tokens, codes, grants."""
    with world.read() as context:
        return [int(context.transaction.rows(statement)[0][0]) for statement in _WRITTEN]


class Load:
    """Apps and people who go on until a while after an ending, and keep every token that they were given."""

    def __init__(self, world: World, alice: Connection, writers: int) -> None:
        self.world, self.alice, self.newest = world, alice, alice
        self.tokens = [alice.access]
        self.in_doubt: list[str] = []
        self._warm, self._over = threading.Barrier(writers + 1), threading.Event()

    def again_and_again(self, act: Callable[[], object]) -> None:
        """Do it whatever the answer, until it was done once more after the ending."""
        self.do(act)
        self._warm.wait(LIMIT_S)
        for _ in range(_ROUNDS):
            late = self._over.is_set()
            self.do(act)
            if late:
                return

    def do(self, act: Callable[[], object]) -> None:
        """Do it, and keep what the database could not say."""
        try:
            act()
        except Undecided as error:
            self.in_doubt.append(str(error))
        except BrokerError:
            pass  # refused, as it should be

    def end(self, narrowing: Callable[[World, Connection], object]) -> list[int]:
        """End access when everybody is at work; what was written at the return."""
        self._warm.wait(LIMIT_S)
        try:
            narrowing(self.world, self.alice)
            return _written(self.world)
        finally:
            self._over.set()

    def post(self) -> None:
        """An app posts."""
        self.world.post(self.alice.access)

    def refresh(self) -> None:
        """An app rotates its refresh token, and posts with the new token."""
        self.newest = self.world.refresh(self.newest)
        self.tokens.append(self.newest.access)
        self.world.post(self.newest.access)

    def connect(self) -> None:
        """Alice connects the app once more."""
        self.tokens.append(self.world.connect("alice", "tuneloop-share", WRITE, _PROFILE).access)


def ended_under_load(
    world: World, narrowing: Callable[[World, Connection], object], *kinds: str
) -> tuple[Load, list[int], list[int]]:
    """What was written at the return of an ending and in the end, while writers of these kinds were at work."""
    load = Load(world, world.connect("alice", "tuneloop-share", WRITE, _PROFILE), len(kinds))
    writers = [partial(load.again_and_again, getattr(load, kind)) for kind in kinds]
    at_return, *done = together(world, partial(load.end, narrowing), *writers)
    assert isinstance(at_return, list), at_return
    assert done == [None] * len(kinds), done
    assert [words for words in load.in_doubt if "suspended" not in words] == []
    return load, at_return, _written(world)


@pytest.mark.parametrize("name", _FOR_EVERYBODY)
def test_after_an_ending_for_everybody_nothing_is_written_and_nothing_is_live(world: World, name: str) -> None:
    narrowing = _BY_NAME[name]
    load, at_return, in_the_end = ended_under_load(world, narrowing, "post", "post", "refresh", "connect")
    assert in_the_end == at_return
    assert {world.says(token, WRITE) for token in load.tokens} <= {narrowing.reason, "token-revoked"}


@pytest.mark.parametrize("name", _FOR_ONE_GRANT)
def test_after_the_end_of_a_grant_nothing_is_written_and_nothing_is_live(world: World, name: str) -> None:
    narrowing = _BY_NAME[name]
    load, at_return, in_the_end = ended_under_load(world, narrowing, "post", "post", "refresh")
    assert in_the_end == at_return
    assert {world.says(token, WRITE) for token in load.tokens} == {narrowing.reason}


@pytest.mark.parametrize("name", _FOR_POSTING)
def test_after_a_token_or_scope_is_gone_nothing_is_posted_with_it(world: World, name: str) -> None:
    narrowing = _BY_NAME[name]
    load, at_return, in_the_end = ended_under_load(world, narrowing, "post", "post", "post")
    assert in_the_end == at_return
    assert world.says(load.alice.access, WRITE) == narrowing.reason


def test_a_shutdown_under_load_has_a_receipt_of_zeros_and_everything_ended_is_in_it(world: World) -> None:
    load, at_return, in_the_end = ended_under_load(
        world, lambda world, _: world.shut_down(FEATURE), "post", "refresh", "connect", "post"
    )
    assert in_the_end == at_return
    ended, left = counts(world.shut_down(FEATURE))
    assert left == {"grants": 0, "access_tokens": 0, "refresh_tokens": 0, "codes": 0, "admitted_after": 0}
    assert ended["grants"] == 1
    assert ended["access_tokens"] == in_the_end[1] > 1
    assert {world.says(token) for token in load.tokens} == {"feature-shut-down"}


def test_a_shutdown_comes_through_although_writers_never_cease(world: World) -> None:
    """A fence that fresh readers can overtake starves the shutdown; it must come to its turn."""
    _, at_return, in_the_end = ended_under_load(
        world, lambda world, _: world.shut_down(FEATURE, count=False), *["post"] * 6
    )
    assert in_the_end == at_return


def test_people_apps_and_workers_never_wait_for_each_other_in_a_circle(world: World) -> None:
    """Everything that takes several locks, at once; a circle would show as a doubt of the database's."""
    alice = world.connect("alice", "tuneloop-share", WRITE, _PROFILE)
    world.note(world.check(alice.access, WRITE))
    load = Load(world, alice, 0)

    def take_in() -> None:
        world.note(world.check(alice.access, WRITE))
        access.take_in(world.runtime)

    def drop() -> None:
        grant = world.grant_or_none("alice", "tuneloop-share")
        if grant is not None:
            with world.write("user:alice") as context:
                grants.drop_scope(context, grant, _PROFILE)
                grants.confirm_presence(context, grant)

    def disconnect() -> None:
        world.disconnect(world.connect("alice", "tuneloop-share"))

    acts: list[Callable[[], object]] = [load.connect, load.connect, take_in, drop, disconnect, load.post]
    done = together(world, *[partial(_times, 12, partial(load.do, act)) for act in acts])
    assert done == [None] * len(acts), done
    assert load.in_doubt == []


def _times(number: int, act: Callable[[], object]) -> None:
    for _ in range(number):
        act()


@pytest.mark.prove
@pytest.mark.parametrize("attempt", range(10))
@pytest.mark.parametrize("narrowing", NARROWINGS, ids=lambda each: each.name)
def test_no_ending_lets_anything_through_however_often_it_is_tried(
    world: World, narrowing: Narrowing, attempt: int
) -> None:
    kinds = ["post"] * (2 + attempt % 4)
    load, at_return, in_the_end = ended_under_load(world, narrowing, *kinds)
    assert in_the_end == at_return
    assert world.says(load.alice.access, WRITE) == narrowing.reason


@pytest.mark.prove
@pytest.mark.parametrize("attempt", range(20))
def test_there_is_no_circle_however_often_it_is_tried(world: World, attempt: int) -> None:
    assert attempt >= 0
    test_people_apps_and_workers_never_wait_for_each_other_in_a_circle(world)
