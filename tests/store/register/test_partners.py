"""Partners."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.errors import Conflict
from broker.store.register import partners
from broker.store.register.partners import Partner
from tests.world import START, World

ALMANAC = Partner("almanac", "Almanac ü", "https://almanac.example", "active", "operator")


def _add(world: World, partner: Partner = ALMANAC) -> None:
    with world.database.write() as transaction:
        partners.add(transaction, partner, START)


def test_a_partner_comes_back_as_it_was_written(world: World) -> None:
    _add(world)
    _add(world, replace(ALMANAC, id="zither", homepage=None))
    with world.database.read() as transaction:
        assert partners.get(transaction, "almanac") == ALMANAC
        assert partners.get(transaction, "zither") == replace(ALMANAC, id="zither", homepage=None)
        assert partners.get(transaction, "unknown") is None
        ids = [each.id for each in partners.all(transaction)]
    assert ids == ["almanac", "northbank", "reelwise", "tuneloop", "zither"]


def test_an_id_is_taken_once(world: World) -> None:
    with pytest.raises(Conflict):
        _add(world, replace(ALMANAC, id="tuneloop"))


def test_a_state_moves_from_where_it_is_said_to_be(world: World) -> None:
    _add(world)
    with world.database.write() as transaction:
        assert not partners.set_state(transaction, "almanac", "suspended", "active")
        assert partners.set_state(transaction, "almanac", "active", "suspended")
        assert not partners.set_state(transaction, "almanac", "active", "suspended")
        states = {each.id: each.state for each in partners.all(transaction)}
    assert {name for name, state in states.items() if state == "suspended"} == {"almanac"}


def test_what_people_read_is_replaced_for_one_partner(world: World) -> None:
    _add(world)
    with world.database.write() as transaction:
        partners.set_words(transaction, "almanac", "New", None)
        assert partners.get(transaction, "almanac") == replace(ALMANAC, name="New", homepage=None)
        assert [each.name for each in partners.all(transaction)].count("New") == 1
