"""Passwords: slow to try, the same answer whoever is asked for, and a backoff that locks nobody out."""

from __future__ import annotations

import re
from dataclasses import replace

import httpx2
import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from broker.domain.errors import Conflict
from broker.operations.people import accounts, passwords
from broker.store import accounts as stored
from tests.register import SETTINGS
from tests.visitors.person import Person
from tests.visitors.site import Site, in_process
from tests.visitors.watched import WatchedDatabase
from tests.world import World


def _tries(person: Person, password: str, username: str | None = None) -> httpx2.Response:
    page = person.open("/login")
    name = person.name if username is None else username
    return person.send(page, page.form("username"), username=name, password=password)


def _without_what_differs(answer: httpx2.Response, username: str) -> str:
    """A page without its CSRF token and the name that was typed."""
    return re.sub(r'name="csrf_token" value="[^"]*"', "", answer.text).replace(f'value="{username}"', "")


# --- how they are kept -----------------------------------------------------------------------------------------------


def test_a_password_is_kept_as_argon2id_at_19_mib_two_passes_and_one_lane(sqlite_world: World) -> None:
    with sqlite_world.read() as context:
        hashes = [account.password_hash for account in stored.all(context.transaction)]
    assert all(found.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for found in hashes)
    assert len(set(hashes)) == len(hashes), "each with a salt of its own"
    assert passwords.NOBODY.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("new", ["", "short", "x" * 7, "x" * 129, "x" * 60_000])
def test_a_new_password_has_a_least_and_a_greatest_length(alice: Person, new: str) -> None:
    answer = alice.submit(alice.open("/account"), "current", current="alice-demo", new=new)
    assert answer.status == 400
    assert alice.is_logged_in()
    assert _tries(Person(alice.site, "alice"), "alice-demo").status_code == 303


def test_changing_it_takes_the_one_before(alice: Person) -> None:
    answer = alice.submit(alice.open("/account"), "current", current="bob-demo", new="a longer one 2")
    assert answer.status == 403
    assert _tries(Person(alice.site, "alice"), "alice-demo").status_code == 303


def test_what_looks_the_same_is_the_same_password(alice: Person) -> None:
    """An accent typed as one character or as two (NFKC)."""
    alice.submit(alice.open("/account"), "current", current="alice-demo", new="caf\u00e9-caf\u00e9")
    assert _tries(alice, "cafe\u0301-cafe\u0301").status_code == 303


def test_a_password_that_is_changed_during_a_login_opens_nothing(world: World) -> None:
    """The check takes its time outside of any transaction; the session would come after all were closed."""
    with world.read() as context:
        proven = accounts.check_password(context.transaction, "alice", "alice-demo")
    assert proven is not None
    with world.write("user:alice") as context:
        accounts.set_password(context, proven, "a longer one 2")
    with world.write("user:alice") as context, pytest.raises(Conflict, match="has changed in the meantime"):
        accounts.log_in(context, proven, "127.0.0.1")


# --- the same answer for the same work -------------------------------------------------------------------------------


class _Counting:
    """Does the slow part, and counts it."""

    verified = 0

    @staticmethod
    def verify_phc_encoded(password: bytes, stored: str) -> None:
        _Counting.verified += 1
        Argon2id.verify_phc_encoded(password, stored)


def test_an_unknown_user_is_answered_and_costs_like_a_wrong_password(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashes and statements are counted rather than timed."""
    monkeypatch.setattr(passwords, "Argon2id", _Counting)
    with world.write() as context:
        accounts.disable(context, "carol")
    database = WatchedDatabase(world.url, clock=world.clock)
    seen = set()
    with in_process(replace(world.runtime, database=database)) as site:
        for name, password in (("alice", "wrong"), ("nobody", "wrong"), ("carol", "carol-demo"), ("carol", "wrong")):
            person = Person(site, name)
            page = person.open("/login")
            database.statements()
            before = _Counting.verified
            answer = person.send(page, page.form("username"), username=name, password=password)
            cost = (_Counting.verified - before, database.statements())
            seen.add((answer.status_code, _without_what_differs(answer, name), cost))
    database.close()
    assert len(seen) == 1
    ((status, _, (hashes, _)),) = seen
    assert (status, hashes) == (401, 1)


def test_a_very_long_password_costs_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "Argon2id", _Counting)
    before = _Counting.verified
    for length in (129, 60_000):
        assert _tries(Person(site, "alice"), "x" * length).status_code == 401
    assert _Counting.verified == before


@pytest.mark.parametrize(
    "username", ["", "x" * 10_000, "ALICE", "alice ", "%FF", "\u00e9\U0001f642", "alice'--", "nul\0"]
)
def test_a_strange_username_is_a_wrong_one(site: Site, username: str) -> None:
    assert _tries(Person(site, "x"), "alice-demo", username).status_code in (400, 401)


# --- backoff ---------------------------------------------------------------------------------------------------------


def test_after_five_failures_each_makes_the_next_wait_twice_as_long(sqlite_world: World, site: Site) -> None:
    guesser = Person(site, "alice", "192.0.2.7")
    assert [_tries(guesser, "wrong").status_code for _ in range(5)] == [401] * 5
    waits = []
    for _ in range(12):
        answer = _tries(guesser, "alice-demo")
        assert answer.status_code == 429, "not looked at, so the right one neither"
        waits.append(int(answer.headers["Retry-After"]))
        sqlite_world.clock.advance(seconds=waits[-1])
        assert _tries(guesser, "wrong").status_code == 401
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_who_fails_for_an_account_elsewhere_does_not_lock_its_owner_out(site: Site) -> None:
    attacker, owner = Person(site, "alice", "192.0.2.7"), Person(site, "alice", "192.0.2.8")
    for _ in range(8):
        _tries(attacker, "wrong")
    assert _tries(attacker, "alice-demo").status_code == 429
    assert _tries(owner, "alice-demo").status_code == 303


def test_one_address_that_tries_many_accounts_waits_too(sqlite_world: World, site: Site) -> None:
    for number in range(50):
        _tries(Person(site, f"user{number}", "192.0.2.7"), "wrong")
    assert _tries(Person(site, "alice", "192.0.2.7"), "alice-demo").status_code == 429
    assert _tries(Person(site, "alice", "192.0.2.8"), "alice-demo").status_code == 303


def test_a_success_forgives_and_so_does_a_quiet_quarter_of_an_hour(sqlite_world: World, site: Site) -> None:
    alice = Person(site, "alice", "192.0.2.7")
    for _ in range(2):
        assert [_tries(alice, "wrong").status_code for _ in range(4)] == [401] * 4
        assert _tries(alice, "alice-demo").status_code == 303
        alice.http.cookies.clear()
    for _ in range(3):
        assert [_tries(alice, "wrong").status_code for _ in range(4)] == [401] * 4
        sqlite_world.clock.advance(minutes=16)


def test_guessing_the_password_in_an_open_session_waits_as_well(alice: Person) -> None:
    guesses = [
        alice.submit(alice.open("/account"), "current", current=f"wrong {number}", new="a longer one 2").status
        for number in range(6)
    ]
    assert guesses == [403] * 5 + [429]


def test_behind_a_declared_proxy_the_address_is_the_callers(sqlite_world: World) -> None:
    settings = replace(
        SETTINGS, issuer="https://palaver.example", allowed_hosts=("palaver.example",), demo=None, behind_proxy=True
    )
    with in_process(replace(sqlite_world.runtime, settings=settings)) as site:
        behind = Site("https://palaver.example", site.app)
        attacker, owner = Person(behind, "alice", "10.0.0.1"), Person(behind, "alice", "10.0.0.1")
        attacker.http.headers["X-Forwarded-For"] = "203.0.113.7"
        owner.http.headers["X-Forwarded-For"] = "203.0.113.8"
        assert [_tries(attacker, "wrong").status_code for _ in range(6)] == [401] * 5 + [429]
        attacker.http.headers["X-Forwarded-For"] = "198.51.100.9, 203.0.113.7"
        assert _tries(attacker, "wrong").status_code == 429, "what a caller adds in front is not believed"
        assert _tries(owner, "alice-demo").status_code == 303


def test_without_one_the_header_is_not_believed(sqlite_world: World) -> None:
    settings = replace(SETTINGS, issuer="https://palaver.example", allowed_hosts=("palaver.example",), demo=None)
    with in_process(replace(sqlite_world.runtime, settings=settings)) as site:
        guesser = Person(Site("https://palaver.example", site.app), "alice", "192.0.2.7")
        answers = []
        for number in range(6):
            guesser.http.headers["X-Forwarded-For"] = f"203.0.113.{number}"
            answers.append(_tries(guesser, "wrong").status_code)
        assert answers == [401] * 5 + [429]
