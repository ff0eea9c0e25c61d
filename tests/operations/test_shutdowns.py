"""The coordinator of a shutdown: the effect, the counting, and a receipt that never changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from broker.domain.errors import Conflict, NotFound, Undecided
from broker.domain.instants import DAY, rfc3339
from broker.operations import issuing, shutdowns
from broker.operations.people import accounts
from broker.operations.register import clients, ending, features
from broker.store import conversations
from broker.store.engine.database import Database, Transaction
from broker.store.evidence import access
from tests.world import START, World, counts

WRITE = "messages:write"
NOTHING_LEFT = {"grants": 0, "access_tokens": 0, "refresh_tokens": 0, "codes": 0, "admitted_after": 0}


def test_a_receipt_says_what_was_done_by_whom_when_and_what_is_left(world: World) -> None:
    world.connect("alice", "tuneloop-share")
    world.connect("bob", "tuneloop-share")
    world.connect("bob", "tuneloop-app")
    world.consent("carol", "tuneloop-share")
    world.clock.advance(seconds=1)
    receipt = world.shut_down("share-a-track", reason="the contract has ended", op_id="op-1")
    at = rfc3339(START + 1_000_000)
    assert receipt == {
        "feature": "share-a-track", "state": "shut_down", "epoch": 2, "op_id": "op-1",
        "reason": "the contract has ended", "cause": "operator", "by": "operator:ops",
        "committed_at": at, "effective_at": at, "elapsed_ms": 2.0, "nodes": [], "counted_at": at,
        "ended": {"grants": 4, "users": 3, "access_tokens": 3, "refresh_tokens": 3, "codes": 1},
        "live_after": NOTHING_LEFT, "last_access_at": None, "last_access_complete": True,
    }  # fmt: skip


def test_only_what_stood_is_counted_as_ended(world: World) -> None:
    alice, bob = world.connect("alice", "tuneloop-share"), world.connect("bob", "tuneloop-share")
    world.refresh(alice)  # two access tokens, and one refresh token that is spent
    world.revoke("tuneloop-share", alice.access)
    world.disconnect(bob)
    world.connect("bob", "tuneloop-app")
    world.connect("carol", "tuneloop-share")
    world.connect("alice", "northbank-notice")
    with world.write() as context:
        clients.disable(context, "tuneloop-app")
        accounts.disable(context, "carol")
    world.clock.advance(seconds=1)
    ended, left = counts(world.shut_down("share-a-track"))
    assert ended == {"grants": 1, "users": 1, "access_tokens": 1, "refresh_tokens": 1, "codes": 0}
    assert left == NOTHING_LEFT


def test_what_time_has_ended_is_not_counted_as_ended_by_the_shutdown(world: World) -> None:
    world.connect("alice", "tuneloop-share")
    world.clock.advance(days=31)
    world.connect("bob", "tuneloop-share")
    world.clock.advance(minutes=11)
    ended, _ = counts(world.shut_down("share-a-track"))
    assert ended == {"grants": 2, "users": 2, "access_tokens": 0, "refresh_tokens": 1, "codes": 0}
    world.reopen("share-a-track")
    world.connect("alice", "tuneloop-share")
    world.clock.advance(days=91)
    ended, _ = counts(world.shut_down("share-a-track"))
    assert ended == {"grants": 0, "users": 0, "access_tokens": 0, "refresh_tokens": 0, "codes": 0}


def test_a_client_s_own_token_is_no_user_access_and_works_after_the_end(world: World) -> None:
    with world.answering("client:tuneloop-share") as context:
        own = str(issuing.client_token(context, clients.get(context, "tuneloop-share"), frozenset())["access_token"])
    ended, left = counts(world.shut_down("share-a-track"))
    assert set(ended.values()) == set(left.values()) == {0}
    assert world.says(own, "standing:read") == "allowed"


def test_asking_again_gives_the_same_receipt(world: World) -> None:
    world.connect("alice", "tuneloop-share")
    first = world.shut_down("share-a-track", op_id="op-1", reason="first")
    world.clock.advance(days=1)
    assert world.shut_down("share-a-track") == first
    assert world.shut_down("share-a-track", op_id="op-1", reason="second") == first
    assert world.shut_down("share-a-track", op_id="op-2") == first
    assert shutdowns.latest_receipt(world.runtime, "share-a-track") == first
    assert shutdowns.housekeeping(world.runtime) == 0
    assert shutdowns.finish(world.runtime, "op-1") == first


def test_an_operation_s_name_is_for_one_shutdown_of_one_feature(world: World) -> None:
    world.shut_down("share-a-track", op_id="op-1")
    with pytest.raises(Conflict, match="op-1 was for another feature"):
        world.shut_down("transfer-notice", op_id="op-1")
    assert world.feature("transfer-notice").epoch == 1
    world.reopen("share-a-track")
    with pytest.raises(Conflict, match="it was reopened since"):
        world.shut_down("share-a-track", op_id="op-1")
    world.shut_down("share-a-track", op_id="op-2")
    with pytest.raises(Conflict, match="it was reopened since"):
        world.shut_down("share-a-track", op_id="op-1")
    assert world.feature("share-a-track").epoch == 3


def test_what_does_not_exist_is_not_shut_down_and_has_no_receipt(world: World) -> None:
    with pytest.raises(NotFound, match="no feature 'share-nothing'"):
        world.shut_down("share-nothing")
    with pytest.raises(NotFound, match="no operation 'op-9'"):
        shutdowns.finish(world.runtime, "op-9")
    assert shutdowns.latest_receipt(world.runtime, "share-a-track") is None


# --- the effect first -------------------------------------------------------------------------------------------------


def test_the_answer_can_come_at_the_effect_and_the_counting_later(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.clock.advance(seconds=1)
    early = world.shut_down("share-a-track", count=False)
    assert world.says(alice.access) == "feature-shut-down"
    assert early["effective_at"] == rfc3339(START + 1_000_000)
    uncounted = ("counted_at", "ended", "live_after", "last_access_at", "last_access_complete")
    assert {key: early[key] for key in uncounted} == dict.fromkeys(uncounted)
    world.clock.advance(seconds=1)
    complete = shutdowns.latest_receipt(world.runtime, "share-a-track")
    assert complete is not None
    assert {key: complete[key] for key in early if key not in uncounted} == {
        key: early[key] for key in early if key not in uncounted
    }
    assert complete["counted_at"] == rfc3339(START + 2_000_000)
    assert counts(complete)[0]["grants"] == 1


def test_a_feature_is_not_reopened_before_its_receipt_is_complete(world: World) -> None:
    world.shut_down("share-a-track", count=False)
    with pytest.raises(Conflict, match="receipt of share-a-track's shutdown is not complete"):
        world.reopen("share-a-track")
    assert shutdowns.housekeeping(world.runtime) == 1
    world.reopen("share-a-track")


def test_a_shutdown_whose_node_died_is_completed_by_another(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    with world.write() as context:  # the commit, and then nothing more
        ending.end(context, features.closed_for(context, "share-a-track"), cause="operator", reason=None, op_id="op-1")
    assert world.says(alice.access) == "feature-shut-down"
    other = world.other_node()
    assert shutdowns.housekeeping(other.runtime) == 1
    receipt = shutdowns.latest_receipt(other.runtime, "share-a-track")
    assert receipt is not None
    assert (receipt["op_id"], receipt["elapsed_ms"]) == ("op-1", None)
    assert counts(receipt)[1] == NOTHING_LEFT
    other.close()


def test_whoever_asks_again_after_a_crash_completes_the_receipt(world: World) -> None:
    with world.write() as context:
        ending.end(context, features.closed_for(context, "share-a-track"), cause="operator", reason=None, op_id="op-1")
    receipt = world.shut_down("share-a-track")
    assert receipt["op_id"] == "op-1"
    assert counts(receipt)[1] == NOTHING_LEFT


class LosingAnswers(Database):
    """A database whose first commits are done, but nobody hears of it."""

    to_lose = 1

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        with super().write() as transaction:
            yield transaction
        if self.to_lose:
            self.to_lose -= 1
            raise Undecided("the answer was lost")


def test_a_commit_whose_answer_was_lost_is_found_and_not_done_twice(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    database = LosingAnswers(world.url, clock=world.clock)
    receipt = shutdowns.shut_down(replace(world.runtime, database=database), "operator:ops", "share-a-track")
    database.close()
    assert receipt["epoch"] == world.feature("share-a-track").epoch == 2
    assert world.log().count("feature.shut_down") == 1
    assert world.says(alice.access) == "feature-shut-down"


def test_when_nobody_can_say_whether_it_is_done_nobody_says_so(world: World) -> None:
    database = LosingAnswers(world.url, clock=world.clock)
    database.to_lose = 2
    with pytest.raises(Undecided, match="the answer was lost"):
        shutdowns.shut_down(replace(world.runtime, database=database), "operator:ops", "share-a-track")
    database.close()
    assert shutdowns.housekeeping(world.runtime) == 1  # it is done, and another completes it


# --- what is left, and what came after --------------------------------------------------------------------------------


def _late_message(world: World) -> None:
    """What a build without a fence leaves: a message of the old epoch, written after the closing."""
    thread, author = world.thread("Saturday hike"), world.account("alice")
    with world.database.write() as transaction:
        conversations.post(
            transaction, thread_id=thread, author_id=author, text="too late", at=world.clock.now,
            client_id="tuneloop-share", feature_id="share-a-track", feature_epoch=1, grant_id=1,
        )  # fmt: skip


def test_a_row_that_was_written_after_the_closing_is_reported(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.post(alice.access)
    world.shut_down("share-a-track", count=False)
    _late_message(world)
    receipt = shutdowns.latest_receipt(world.runtime, "share-a-track")
    assert receipt is not None
    assert counts(receipt)[1] == {**NOTHING_LEFT, "admitted_after": 1}


def test_a_read_that_was_allowed_after_the_closing_is_reported(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    allowed = world.check(alice.access, WRITE)
    world.note(allowed)
    world.shut_down("share-a-track", count=False)
    assert allowed.standing is not None
    world.note(world.check(alice.access, WRITE))  # denied, and so not counted
    world.note(replace(allowed, standing=allowed.standing._replace(position=allowed.standing.position + 1)))
    receipt = shutdowns.latest_receipt(world.runtime, "share-a-track")
    assert receipt is not None
    assert counts(receipt)[1] == {**NOTHING_LEFT, "admitted_after": 1}


def test_what_other_features_do_after_the_closing_is_not_in_the_receipt(world: World) -> None:
    notice = world.connect("alice", "northbank-notice")
    world.shut_down("share-a-track", count=False)
    world.post(notice.access)
    world.use(notice.access)
    receipt = shutdowns.latest_receipt(world.runtime, "share-a-track")
    assert receipt is not None
    assert counts(receipt)[1] == NOTHING_LEFT


# --- last access ------------------------------------------------------------------------------------------------------


def test_a_receipt_names_the_last_access_that_was_allowed(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.clock.advance(minutes=3)
    world.note(world.check(alice.access, WRITE))
    world.clock.advance(minutes=3)
    world.note(world.check(alice.access, "messages:read"))  # refused
    world.clock.advance(minutes=3)
    receipt = world.shut_down("share-a-track")
    assert (receipt["last_access_at"], receipt["last_access_complete"]) == (rfc3339(START + 180_000_000), True)


def test_a_receipt_says_when_records_on_another_machine_are_out_of_reach(world: World) -> None:
    with world.database.write() as transaction:
        access.announce(transaction, "elsewhere.spool")
    assert world.shut_down("share-a-track")["last_access_complete"] is False


def test_housekeeping_takes_each_feature_whose_date_has_come(world: World) -> None:
    with world.write() as context:
        for feature in ("share-a-track", "transfer-notice"):
            features.schedule(context, feature, START + DAY)
    world.clock.advance(days=1)
    assert shutdowns.housekeeping(world.runtime) == 2
    assert [world.feature(name).epoch for name in ("now-playing", "share-a-track", "transfer-notice")] == [1, 2, 2]
    assert shutdowns.housekeeping(world.runtime) == 0
