"""What widens takes two people, and the second approves exactly what the first asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from broker.domain.errors import Conflict, NotFound, Refused
from broker.domain.features import CeilingEntry, FeatureState
from broker.domain.instants import DAY
from broker.operations.context import Context
from broker.operations.people import accounts
from broker.operations.register import approvals, features, partners
from broker.store import approvals as stored
from broker.store.approvals import Approval
from broker.store.evidence import audit
from tests.concurrency import together
from tests.register import HTTPS
from tests.world import START, World

Ask = Callable[[Context], str]
NEW_URI = "https://tuneloop.example/new"
READ = CeilingEntry("messages:read", "We look for songs.", True, 0, "We were asked to.")


def _asked(world: World, ask: Ask, operator: str = "ops") -> str:
    with world.write(f"operator:{operator}") as context:
        return ask(context)


def _approve(world: World, number: str, operator: str = "ops2") -> Approval:
    with world.write(f"operator:{operator}") as context:
        return approvals.approve(context, number, operator)


def _extend(world: World) -> Ask:
    with world.write() as context:
        features.schedule(context, "share-a-track", START + DAY)
    return lambda context: approvals.request_extending(context, "share-a-track", START + 9 * DAY)


def _resume(world: World) -> Ask:
    world.suspend("share-a-track")
    return lambda context: approvals.request_resuming(context, "share-a-track")


def _resume_partner(world: World) -> Ask:
    with world.write() as context:
        partners.suspend(context, "tuneloop")
    return lambda context: approvals.request_resuming_partner(context, "tuneloop")


def _reopen(world: World) -> Ask:
    world.shut_down("share-a-track")
    return lambda context: approvals.request_reopening(context, "share-a-track", 2)


def _widen(_: World) -> Ask:
    return lambda context: approvals.request_widening(context, "share-a-track", (READ,))


def _change_client(_: World) -> Ask:
    return lambda context: approvals.request_client_change(context, "tuneloop-share", "TuneLoop", (HTTPS, NEW_URI))


# How each is prepared, the entry that doing it writes, and what is so afterwards.
WIDENINGS: list[tuple[Callable[[World], Ask], str, Callable[[World], bool]]] = [
    (_extend, "feature.scheduled", lambda world: world.feature("share-a-track").ends_at == START + 9 * DAY),
    (_resume, "feature.resumed", lambda world: world.feature("share-a-track").state is FeatureState.ACTIVE),
    (_resume_partner, "partner.resumed", lambda world: world.feature("share-a-track").partner_state == "active"),
    (_reopen, "feature.reopened", lambda world: world.feature("share-a-track").state is FeatureState.ACTIVE),
    (_widen, "feature.widened", lambda world: "messages:read" in world.feature("share-a-track").scopes),
    (_change_client, "client.changed", lambda world: NEW_URI in world.client("tuneloop-share").redirect_uris),
]
each_widening = pytest.mark.parametrize(
    ("prepare", "entry", "done"), WIDENINGS, ids=[prepare.__name__.removeprefix("_") for prepare, _, _ in WIDENINGS]
)


@each_widening
def test_one_asks_another_approves_and_then_it_is_done(
    world: World, prepare: Callable[[World], Ask], entry: str, done: Callable[[World], bool]
) -> None:
    ask = prepare(world)
    number = _asked(world, ask)
    assert world.log()[-1] == "approval.requested"
    assert not done(world)
    assert _asked(world, ask) == number  # the same again is the same request
    with pytest.raises(Refused, match="who asked cannot approve; another operator must"):
        _approve(world, number, "ops")
    assert not done(world)
    _approve(world, number)
    assert done(world)
    assert world.log()[-2:] == [entry, "approval.given"]
    with pytest.raises(Conflict, match="is approved already"):
        _approve(world, number)


@pytest.mark.parametrize("prepare", [_extend, _resume, _widen])
def test_what_a_shutdown_has_made_impossible_is_not_approved_either(
    world: World, prepare: Callable[[World], Ask]
) -> None:
    number = _asked(world, prepare(world))
    world.shut_down("share-a-track")
    with pytest.raises(Refused, match=r"is shut.down"):
        _approve(world, number)
    with world.read() as context:
        found = stored.get(context.transaction, number)
    assert found is not None
    assert found.state == "pending"
    assert world.log()[-1] == "feature.shut_down"


def test_what_is_approved_is_exactly_what_was_asked(world: World) -> None:
    number = _asked(world, _widen(world))
    with world.read() as context:
        (asked,) = stored.all(context.transaction)
        (entry,) = audit.latest(context.transaction, 1)
    parameters = json.loads(asked.parameters)
    assert parameters == {"feature": "share-a-track", "added": [{
        "scope": "messages:read", "reason": "We look for songs.", "required": True, "since": 0,
        "beyond_need": "We were asked to.",
    }]}  # fmt: skip
    assert (entry.details["operation"], entry.details["parameters"]) == ("widen", parameters)
    assert (asked.id, asked.state, asked.requested_by, asked.requested_at) == (number, "pending", "operator:ops", START)
    world.clock.advance(minutes=5)
    _approve(world, number)
    with world.read() as context:
        (given,) = stored.all(context.transaction)
    assert (given.state, given.decided_by, given.decided_at) == ("approved", "ops2", START + 300_000_000)
    (held,) = (each for each in world.feature("share-a-track").ceiling if each.scope == "messages:read")
    assert replace(held, since=0) == READ
    assert held.since > 0


def test_another_proposal_is_another_request(world: World) -> None:
    one = _asked(world, _widen(world))
    other = _asked(
        world,
        lambda context: approvals.request_widening(context, "share-a-track", (replace(READ, reason="Other words."),)),
    )
    assert one != other
    _approve(world, one)
    with pytest.raises(Conflict, match="holds some of these scopes already"):
        _approve(world, other)


def test_an_approval_is_for_the_epoch_that_was_seen(world: World) -> None:
    number = _asked(world, _reopen(world))
    world.reopen("share-a-track")
    world.shut_down("share-a-track")
    second = _asked(world, lambda context: approvals.request_reopening(context, "share-a-track", 3))
    assert second != number
    with pytest.raises(Conflict, match="is approved already"):  # the first was for epoch 2, and is spent
        _approve(world, number)
    for epoch in (1, 2, 4):
        with pytest.raises(Conflict, match="is shut_down at epoch 3"), world.write() as context:
            approvals.request_reopening(context, "share-a-track", epoch)


@pytest.mark.parametrize("name", ["alice", "tuneloop", "nobody", ""])
def test_only_an_operator_approves(world: World, name: str) -> None:
    number = _asked(world, _widen(world))
    with pytest.raises(Refused, match="is not an operator"):
        _approve(world, number, name)


def test_a_disabled_operator_approves_nothing(world: World) -> None:
    number = _asked(world, _widen(world))
    with world.write() as context:
        accounts.disable(context, "ops2")
    with pytest.raises(Refused, match="'ops2' is not an operator"):
        _approve(world, number)


def test_an_approval_that_does_not_exist_is_not_found(world: World) -> None:
    with pytest.raises(NotFound, match="no approval '0000'"):
        _approve(world, "0000")


def test_of_two_who_approve_at_once_one_does_it(world: World) -> None:
    number = _asked(world, _widen(world))
    with world.write() as context:
        accounts.register(context, username="ops3", display_name="Third", password="ops3-demo", role="operator")
    done = together(world, lambda: _approve(world, number), lambda: _approve(world, number, "ops3"))
    assert sorted(type(each).__name__ for each in done) == ["Approval", "Conflict"], done
    assert world.log().count("feature.widened") == 1


def test_what_is_not_so_cannot_be_asked_for(world: World) -> None:
    impossible: list[tuple[Ask, str]] = [
        (lambda context: approvals.request_reopening(context, "share-a-track", 1), "is active at epoch 1"),
        (lambda context: approvals.request_resuming(context, "share-a-track"), "is active, not suspended"),
        (lambda context: approvals.request_resuming_partner(context, "tuneloop"), "is not suspended"),
        (lambda context: approvals.request_resuming(context, "share-nothing"), "no feature"),
        (lambda context: approvals.request_widening(context, "share-nothing", (READ,)), "no feature"),
        (lambda context: approvals.request_client_change(context, "no-client", "X", (HTTPS,)), "no client"),
    ]
    for ask, words in impossible:
        with pytest.raises((Conflict, NotFound), match=words):
            _asked(world, ask)
    with world.read() as context:
        assert stored.all(context.transaction) == []
