"""The tests of backups that come back fail on the builds that they are there to catch."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from broker.domain.errors import Refused
from tests.broken import recovery_builds as builds
from tests.broken.builds import Break
from tests.operations.recovery import test_current as current
from tests.operations.recovery import test_recovering as recovering
from tests.store import test_ledger as kept
from tests.world import World


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (builds.with_the_ledger_after_the_commit, kept.order_of_steps),
        (builds.with_the_mark_before_the_commit, kept.order_of_steps),
        (builds.with_the_mark_raised_by_attempts, recovering.test_a_commit_that_was_lost_makes_no_database_look_old),
        (builds.without_a_new_generation, recovering.test_it_is_one_entry_of_the_log_and_the_mark_has_its_generation),
        (builds.without_a_new_generation, recovering.test_what_a_recovery_did_is_not_done_again_by_the_next),
        (builds.without_ending_what_was_issued,
         recovering.test_what_was_shut_down_since_is_shut_down_and_its_tokens_are_dead),
        (builds.without_a_mark, current.test_a_restored_backup_is_refused_and_named),
        (builds.with_lost_commits_believed,
         recovering.test_a_commit_that_was_lost_is_forgotten_when_another_has_its_place),
    ],
)  # fmt: skip
def test_a_build_that_forgets_or_believes_too_much_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: Break, test: Callable[[World], None]
) -> None:
    broken(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception, Refused)):
        test(world)
