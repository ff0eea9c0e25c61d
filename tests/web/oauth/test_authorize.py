"""Between looking in a snapshot and sending a person back under the fence things may change: all is judged again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx2
import pytest

from broker.operations.people import accounts
from broker.store.engine.database import Database, Transaction
from tests.visitors.page import read_page
from tests.visitors.partner import Partner
from tests.visitors.person import Person, redirected_to
from tests.visitors.site import in_process
from tests.world import Connection, World


class InterruptedDatabase(Database):
    """A database in which something happens, once, just before the next transaction that writes."""

    meanwhile: Callable[[], object] | None = None

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        with super().write() as transaction:
            yield transaction


@pytest.fixture
def asks(world: World) -> Iterator[Callable[[Callable[[Connection], object]], httpx2.Response]]:
    """Ask once more for what alice has given to TuneLoop, while something happens in between."""
    database = InterruptedDatabase(world.url, clock=world.clock)
    with in_process(replace(world.runtime, database=database)) as site:
        alice, partner = Person(site, "alice"), Partner(site, "tuneloop-share")
        partner.connects(alice)
        connection = world.connect("alice", "tuneloop-share")
        asked = partner.asks()

        def asks_while(happens: Callable[[Connection], object]) -> httpx2.Response:
            database.meanwhile = lambda: happens(connection)
            return alice.http.get(asked)

        yield asks_while
    database.close()


Asks = Callable[[Callable[[Connection], object]], httpx2.Response]


def test_when_nothing_happens_the_person_is_sent_back_with_a_code(asks: Asks) -> None:
    _, given = redirected_to(read_page(asks(lambda _: None)))
    assert "code" in given


def test_a_grant_that_ends_in_between_is_asked_for(world: World, asks: Asks) -> None:
    where, given = redirected_to(read_page(asks(world.disconnect)))
    assert (where, "code" in given) == ("/oauth/authorize", False), "to the same request, which asks the person now"


def test_a_feature_that_is_shut_down_in_between_gives_no_code(world: World, asks: Asks) -> None:
    _, given = redirected_to(read_page(asks(lambda _: world.shut_down("share-a-track"))))
    assert (given["error"], "code" in given) == ("unauthorized_client", False)


def test_a_person_who_is_disabled_in_between_is_sent_nowhere(world: World, asks: Asks) -> None:
    def disables(_: Connection) -> None:
        with world.write() as context:
            accounts.disable(context, "alice")

    where, given = redirected_to(read_page(asks(disables)))
    assert (where, "code" in given) == ("/oauth/authorize", False)
