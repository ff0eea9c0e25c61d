"""How often in a minute a client may fail, by where it calls from, and a person may be sent back unasked."""

from __future__ import annotations

from dataclasses import replace

from broker.operations.context import Runtime
from broker.operations.people import accounts, limits
from tests.register import SETTINGS
from tests.world import World

HERE, THERE = "192.0.2.1", "192.0.2.2"


def _fail(runtime: Runtime, times: int, address: str = HERE) -> None:
    for _ in range(times):
        with runtime.write("anonymous") as context:
            limits.client_failed(context, address)


def _wait_s(runtime: Runtime, address: str = HERE) -> int | None:
    return limits.client_must_wait(runtime, address)


def test_after_thirty_failures_in_a_minute_an_address_waits_for_its_end(world: World) -> None:
    _fail(world.runtime, 29)
    assert _wait_s(world.runtime) is None
    world.clock.advance(seconds=10)
    _fail(world.runtime, 1)
    assert _wait_s(world.runtime) == 50
    assert _wait_s(world.runtime, THERE) is None
    world.clock.advance(seconds=49.5)
    assert _wait_s(world.runtime) == 1
    world.clock.advance(seconds=0.5)
    assert _wait_s(world.runtime) is None


def test_a_new_minute_begins_with_the_next_failure(world: World) -> None:
    _fail(world.runtime, 30)
    world.clock.advance(seconds=60)
    _fail(world.runtime, 29)
    assert _wait_s(world.runtime) is None
    _fail(world.runtime, 1)
    assert _wait_s(world.runtime) == 60


def test_nothing_is_counted_where_limits_are_off(world: World) -> None:
    lax = world.configured(replace(SETTINGS, limits=replace(SETTINGS.limits, enabled=False)))
    _fail(lax, 40)
    assert _wait_s(lax) is None
    assert _wait_s(world.runtime) is None


def test_client_failures_and_login_failures_are_counted_apart(world: World) -> None:
    _fail(world.runtime, 40)
    with world.read() as context:
        assert accounts.must_wait(context, "alice", HERE) is None


def _sent_back(runtime: Runtime, account_id: int = 1) -> int | None:
    with runtime.write("user:alice") as context:
        return limits.sent_back(context, account_id)


def test_a_person_is_sent_back_sixty_times_in_a_minute_and_no_more(world: World) -> None:
    assert [_sent_back(world.runtime) for _ in range(60)] == [None] * 60
    world.clock.advance(seconds=20)
    assert _sent_back(world.runtime) == 40
    assert _sent_back(world.runtime, account_id=2) is None
    world.clock.advance(seconds=40)
    assert _sent_back(world.runtime) is None


def test_being_sent_back_is_not_counted_where_limits_are_off(world: World) -> None:
    lax = world.configured(replace(SETTINGS, limits=replace(SETTINGS.limits, enabled=False)))
    assert [_sent_back(lax) for _ in range(70)] == [None] * 70
