"""Each safety test fails on the builds that it is there to catch, and the receipt says what they let in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest
from hypothesis import Phase

from broker.operations import shutdowns
from tests.broken import builds
from tests.broken.builds import Break
from tests.concurrency import LIMIT_S, in_thread, stopped, waits
from tests.operations.endings import test_feature_endings as endings
from tests.operations.races import test_fence as fence
from tests.operations.races import test_parallel as parallel
from tests.operations.races import test_under_load as load
from tests.operations.races.narrowings import FEATURE, NARROWINGS, Narrowing
from tests.operations.stories.test_any_story import tell
from tests.world import World, counts

_NARROWING = {narrowing.name: narrowing for narrowing in NARROWINGS}


def caught() -> AbstractContextManager[Any]:
    """The safety test inside fails."""
    return pytest.raises((AssertionError, pytest.fail.Exception))


def _named(*pairs: tuple[Break, str]) -> list[Any]:
    return [pytest.param(broken, _NARROWING[name], id=f"{broken.__name__}-{name}") for broken, name in pairs]


# --- the fence --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "narrowing"),
    _named(
        *((builds.without_fence, narrowing.name) for narrowing in NARROWINGS),
        *((builds.without_closing, name) for name in ("shut_down", "suspend", "narrow", "disable_client")),
        (builds.without_closing, "suspend_partner"),
        *((builds.with_the_features_lock_alone, name) for name in ("disconnect", "disable_user", "new_password")),
        *((builds.with_the_features_lock_alone, name) for name in ("revoke_token", "revoke_refresh_token")),
        (builds.with_scopes_taken_back_unlocked, "drop_scope"),
        (builds.without_begin, "shut_down"),
    ),
)
def test_an_ending_that_does_not_wait_for_an_admitted_write_is_caught(
    postgres_world: World, monkeypatch: pytest.MonkeyPatch, broken: Break, narrowing: Narrowing
) -> None:
    broken(monkeypatch)
    with caught():
        fence.test_an_ending_waits_for_a_write_that_was_admitted(postgres_world, narrowing)


@pytest.mark.parametrize(
    ("broken", "narrowing"),
    _named(
        (builds.without_fence, "shut_down"),
        (builds.with_lock_and_read_in_one, "shut_down"),
        (builds.with_lock_and_read_in_one, "narrow"),
        (builds.with_repeatable_read, "shut_down"),
        (builds.with_repeatable_read, "suspend"),
        (builds.with_rows_locked_by_the_read, "drop_scope"),
        (builds.without_begin, "shut_down"),
    ),
)
def test_a_write_that_gets_past_an_ending_as_it_commits_is_caught(
    postgres_world: World, monkeypatch: pytest.MonkeyPatch, broken: Break, narrowing: Narrowing
) -> None:
    broken(monkeypatch)
    with caught():
        fence.test_a_write_that_comes_while_an_ending_commits_waits_and_is_refused(postgres_world, narrowing)


@pytest.mark.parametrize("write", fence.WRITERS, ids=lambda writer: writer.__name__.removeprefix("_"))
def test_issuing_without_a_fence_is_caught(
    postgres_world: World, monkeypatch: pytest.MonkeyPatch, write: fence.Writer
) -> None:
    builds.without_fence(monkeypatch)
    with caught():
        fence.test_a_shutdown_waits_for_what_is_being_issued_and_ends_it(postgres_world, write)


def test_writing_without_begin_is_caught_on_sqlite(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    builds.without_begin(monkeypatch)
    with caught():
        fence.test_an_ending_waits_for_a_write_that_was_admitted(sqlite_world, _NARROWING["shut_down"])


def test_reading_without_begin_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    builds.without_begin(monkeypatch)
    with caught():
        fence.test_a_read_s_check_and_its_data_see_one_snapshot(world)


def test_a_snapshot_that_a_leaked_cursor_pins_is_caught(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    builds.with_a_leaked_cursor(monkeypatch)
    with caught():
        fence.test_a_shutdown_on_another_node_is_seen_by_the_next_read(sqlite_world)


@pytest.mark.prove
def test_waiting_in_a_circle_is_caught(postgres_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    builds.with_consent_that_locks_after_the_log(monkeypatch)
    with caught():
        load.test_people_apps_and_workers_never_wait_for_each_other_in_a_circle(postgres_world)


# --- claims -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "race",
    [parallel.test_a_redemption_that_waits_for_another_is_refused,
     parallel.test_a_refresh_that_waits_for_another_is_refused],
    ids=lambda each: each.__name__,
)  # fmt: skip
def test_claiming_unconditionally_is_caught(
    postgres_world: World, monkeypatch: pytest.MonkeyPatch, race: Callable[[World], None]
) -> None:
    builds.without_conditional_claims(monkeypatch)
    with caught():
        race(postgres_world)


def test_claims_hold_without_the_fence_too(postgres_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    builds.without_fence(monkeypatch)
    given, _ = parallel.redeemed_in_parallel(postgres_world)
    assert len(given) == 1


# --- decisions --------------------------------------------------------------------------------------------------------

_STORIES: tuple[tuple[Break, Callable[[World], None]], ...] = (
    (builds.without_epochs_compared, endings.test_a_reopened_feature_leaves_old_grants_dead_and_takes_consent_afresh),
    (builds.without_moving_the_epoch, endings.test_a_reopened_feature_leaves_old_grants_dead_and_takes_consent_afresh),
    (builds.without_the_state_tested, endings.test_a_shutdown_ends_tokens_refresh_tokens_and_codes_at_once),
    (builds.without_setting_the_state, endings.test_a_shutdown_ends_tokens_refresh_tokens_and_codes_at_once),
)


@pytest.mark.parametrize(("broken", "story"), _STORIES, ids=lambda each: each.__name__)
def test_a_decision_that_forgets_a_barrier_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: Break, story: Callable[[World], None]
) -> None:
    broken(monkeypatch)
    with caught():
        story(world)


@pytest.mark.parametrize("broken", [broken for broken, _ in _STORIES], ids=lambda each: each.__name__)
def test_a_barrier_that_is_missing_is_found_by_made_up_stories_too(
    monkeypatch: pytest.MonkeyPatch, broken: Break
) -> None:
    broken(monkeypatch)
    with caught():
        tell(stories=30, steps=30, phases=(Phase.generate,))  # the first difference will do, it need not be small


# --- the receipt ------------------------------------------------------------------------------------------------------


def _left(world: World) -> dict[str, int]:
    receipt = shutdowns.latest_receipt(world.runtime, FEATURE)
    assert receipt is not None
    return counts(receipt)[1]


def _write_around_a_shutdown(world: World) -> dict[str, int]:
    """A writer is between check and insert when the feature is shut down; what the receipt says is left."""
    alice = fence.connected(world)
    with stopped(partial(fence.post_in_steps, world, alice)) as (writer, step):
        shutting = in_thread(partial(world.shut_down, FEATURE, count=False))
        if waits(world, shutting):
            step.released.set()
        shutting.result(LIMIT_S)
        step.released.set()
        writer.result(LIMIT_S)
    return _left(world)


def _write_while_a_shutdown_commits(world: World) -> dict[str, int]:
    """A writer comes when a shutdown is about to commit; what the receipt says is left."""
    alice = fence.connected(world)
    with stopped(lambda step: _NARROWING["shut_down"](world, alice, step)) as (ending, step):
        writer = in_thread(partial(world.post, alice.access))
        assert waits(world, writer)
        step.released.set()
        ending.result(LIMIT_S)
        writer.result(LIMIT_S)
    return _left(world)


def test_on_a_sound_build_the_receipt_reports_nothing(world: World) -> None:
    assert set(_write_around_a_shutdown(world).values()) == {0}
    world.reopen(FEATURE)
    assert set(_write_while_a_shutdown_commits(world).values()) == {0}


@pytest.mark.parametrize("broken", [builds.without_fence, builds.without_closing], ids=lambda each: each.__name__)
def test_the_receipt_reports_what_a_missing_fence_let_in(
    postgres_world: World, monkeypatch: pytest.MonkeyPatch, broken: Break
) -> None:
    broken(monkeypatch)
    assert _write_around_a_shutdown(postgres_world)["admitted_after"] == 1


def test_the_receipt_reports_what_a_stale_read_let_in(postgres_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of REPEATABLE READ it cannot: there the row's own witness, the log's position, is of the old snapshot too."""
    builds.with_lock_and_read_in_one(monkeypatch)
    assert _write_while_a_shutdown_commits(postgres_world)["admitted_after"] == 1


def test_the_receipt_reports_what_a_missing_begin_let_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    builds.without_begin(monkeypatch)
    assert _write_around_a_shutdown(world)["admitted_after"] == 1


@pytest.mark.parametrize(
    "broken",
    [builds.without_epochs_compared, builds.without_the_state_tested],
    ids=lambda each: each.__name__,
)
def test_the_receipt_reports_a_decision_that_has_one_barrier_left(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: Break
) -> None:
    world.connect("alice", "tuneloop-share")
    broken(monkeypatch)
    _, left = counts(world.shut_down(FEATURE))
    assert left["access_tokens"] == 1


@pytest.mark.parametrize(
    "broken",
    [builds.without_moving_the_epoch, builds.without_setting_the_state],
    ids=lambda each: each.__name__,
)
def test_the_receipt_reports_a_shutdown_that_closed_one_barrier(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: Break
) -> None:
    world.connect("alice", "tuneloop-share")
    world.consent("bob", "tuneloop-share")
    broken(monkeypatch)
    world.clock.advance(seconds=1)
    _, left = counts(world.shut_down(FEATURE))
    assert min(left[kind] for kind in ("grants", "access_tokens", "refresh_tokens", "codes")) > 0
