"""Each safety test of the leased mode fails on the builds that it is there to catch."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from broker.enforcement.node import Node
from tests.broken import leases
from tests.broken.builds import Break
from tests.broken.test_broken_builds import caught
from tests.enforcement import test_answers as answers
from tests.enforcement import test_memory as memory
from tests.enforcement import test_node as node
from tests.operations import test_coordinator as coordinator
from tests.operations import test_nodes as nodes
from tests.operations.leased import test_endings as endings
from tests.operations.leased import test_order as order
from tests.operations.leased.worker import HASTY_US, at_work
from tests.world import World

OfNode = Callable[[Node, node.Broker], None]
OF_NODES: list[tuple[Break, OfNode]] = [
    (leases.without_draining, node.test_a_position_is_confirmed_when_nobody_is_left_who_was_judged_before_it),
    (leases.with_a_lease_from_the_receipt, node.test_a_lease_counts_from_before_the_question_and_ends_a_margin_early),
    (leases.with_the_cell_before_the_marks, node.test_who_is_admitted_while_changes_are_noted_is_waited_for),
    (leases.with_a_late_answer_believed, node.test_a_late_answer_on_first_sight_does_not_outlive_the_confirmation),
    (leases.without_looking_again, node.test_an_answer_that_takes_longer_than_the_lease_is_not_given),
    (leases.without_leaving, node.test_an_answer_that_comes_after_it_has_left_gives_no_lease),
    (leases.without_marks, node.test_what_has_changed_is_read_again_and_the_reading_says_why),
    (leases.without_a_floor_for_what_was_before, node.test_a_node_that_is_retired_says_yes_no_more_and_registers_anew),
]  # fmt: skip


def _asked(test: OfNode) -> None:
    broker = node.Broker()
    asked = Node(broker, lambda: broker.now)
    asked.renew()
    test(asked, broker)


@pytest.mark.parametrize(("broken", "test"), OF_NODES, ids=lambda each: each.__name__)
def test_a_node_that_is_broken_is_caught(monkeypatch: pytest.MonkeyPatch, broken: Break, test: OfNode) -> None:
    _asked(test)  # it passes on the sound build
    broken(monkeypatch)
    with caught():
        _asked(test)


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (leases.without_a_floor_for_what_is_forgotten,
         memory.test_forgetting_a_mark_makes_old_decisions_useless_and_never_a_yes),
        (leases.without_a_floor_for_what_was_before,
         memory.test_after_a_new_registration_nothing_older_is_used_whoever_brings_it),
        (leases.without_marks, memory.test_what_was_read_holds_until_a_mark_of_it_comes_by),
        (leases.without_looking_again,
         lambda: answers.test_a_lease_that_ends_while_the_view_works_gives_no_answer(answers.Leased())),
    ],
    ids=["forgotten", "before", "marks", "again"],
)  # fmt: skip
def test_a_memory_that_is_broken_is_caught(
    monkeypatch: pytest.MonkeyPatch, broken: Break, test: Callable[[], None]
) -> None:
    broken(monkeypatch)
    with caught():
        test()


@pytest.mark.parametrize(
    "broken",
    [leases.without_marks, leases.without_waiting, leases.with_a_late_answer_believed],
    ids=lambda each: each.__name__,
)
@pytest.mark.parametrize("ending", [each for each in endings.ENDINGS if each[0] in ("disconnect", "narrow")],
                         ids=lambda each: each[0])  # fmt: skip
def test_an_ending_that_returns_too_early_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: Break, ending: tuple[str, endings.Ending, str, str]
) -> None:
    broken(monkeypatch)
    with at_work(world) as worker, caught():
        endings.test_when_an_ending_has_returned_no_node_says_yes(world, worker, *ending[1:])


def test_a_shutdown_that_does_not_wait_for_answers_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    leases.without_draining(monkeypatch)
    with at_work(world, HASTY_US) as worker, caught():
        endings.test_an_ending_waits_for_the_answer_that_was_admitted_before_it(world, worker)


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (leases.with_the_nodes_of_before_the_commit,
         order.test_a_node_that_registers_while_an_ending_commits_is_waited_for),
        (leases.with_the_clock_of_before_the_commit,
         order.test_the_wait_counts_from_the_commit_and_not_from_before_it),
        (leases.without_waiting, order.test_the_wait_counts_from_the_commit_and_not_from_before_it),
    ],
    ids=["nodes", "clock", "waiting"],
)  # fmt: skip
def test_steps_in_another_order_are_caught(
    postgres_world: World, monkeypatch: pytest.MonkeyPatch, broken: Break, test: Callable[[World], None]
) -> None:
    broken(monkeypatch)
    with caught():
        test(postgres_world)


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (leases.without_the_rows_being_checked, nodes.test_a_retired_node_gets_nothing_more),
        (leases.without_the_rows_being_checked,
         order.test_a_node_that_was_waited_out_must_register_anew_before_it_says_anything),
        (leases.without_waiting, coordinator.test_a_narrowing_waits_out_a_node_that_is_silent_and_retires_it),
    ],
    ids=["retired", "waited out", "waiting"],
)  # fmt: skip
def test_a_node_that_outlives_its_retirement_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: Break, test: Callable[[World], None]
) -> None:
    broken(monkeypatch)
    with caught():
        test(world)
