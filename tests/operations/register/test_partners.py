"""Partners: registered with an honest name, renamed, suspended and resumed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.errors import Conflict, NotFound, Refused
from broker.operations.register import features, partners
from broker.store.register.partners import Partner
from tests.concurrency import LIMIT_S, Step, in_thread, stopped, waits
from tests.world import World

NEW = Partner("quickbus", "QuickBus", "https://quickbus.example", "active", "operator")


def test_a_partner_is_registered_once_and_found(world: World) -> None:
    with world.write() as context:
        partners.register(context, NEW)
        with pytest.raises(Conflict, match="quickbus is registered already"):
            partners.register(context, NEW)
        assert partners.get(context, "quickbus") == NEW
        with pytest.raises(NotFound, match="no partner 'slowbus'"):
            partners.get(context, "slowbus")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "QuickBus"}, "partner id 'QuickBus' must be 2 to 63 lower-case"),
        ({"name": "Palaver Support"}, "the name of partner quickbus must not have the reserved word"),
        ({"name": ""}, "the name of partner quickbus must not be blank"),
    ],
)
def test_an_unsound_partner_is_refused(world: World, changes: dict[str, str], words: str) -> None:
    with pytest.raises(Refused, match=words), world.write() as context:
        partners.register(context, replace(NEW, **changes))


def test_a_new_name_is_judged_like_the_first(world: World) -> None:
    with world.write() as context:
        tuneloop = partners.get(context, "tuneloop")
        with pytest.raises(Refused, match="reserved word"):
            partners.rename(context, replace(tuneloop, name="Official Palaver"))
        partners.rename(context, replace(tuneloop, name="TuneLoop Records", homepage=None))
        assert partners.get(context, "tuneloop") == replace(tuneloop, name="TuneLoop Records", homepage=None)
    assert world.log()[-1] == "partner.changed"


def test_a_suspension_that_raced_with_a_new_feature_is_refused_and_then_holds_that_one_too(world: World) -> None:
    """The new feature's fence was not closed, so the suspension could have returned before a write under it."""

    def register(step: Step) -> None:
        with world.write() as context:
            known = features.get(context, "share-a-track")
            features.register(context, replace(known, id="share-an-album"))
            step()

    def suspend() -> None:
        with world.write() as context:
            partners.suspend(context, "tuneloop")

    with stopped(register) as (registering, step):
        suspending = in_thread(suspend)
        assert waits(world, suspending)
        step.released.set()
        registering.result(LIMIT_S)
        raced = suspending.exception(LIMIT_S)
    assert (raced is None) == world.database.is_sqlite  # there it waited before it looked
    if raced is not None:
        assert isinstance(raced, Conflict)
        suspend()
    assert world.feature("share-an-album").partner_state == "suspended"


def test_a_partner_is_suspended_and_resumed_in_turn(world: World) -> None:
    with world.write() as context:
        with pytest.raises(Conflict, match="tuneloop is not suspended"):
            partners.resume(context, "tuneloop")
        partners.suspend(context, "tuneloop")
        with pytest.raises(Conflict, match="tuneloop is not active"):
            partners.suspend(context, "tuneloop")
        partners.resume(context, "tuneloop")
        with pytest.raises(NotFound):
            partners.suspend(context, "slowbus")
    assert world.log()[-2:] == ["partner.suspended", "partner.resumed"]
