"""A broker's world for one test: a seeded database, a clock that moves only when told, a small language for stories.

A story reads ``alice = world.connect("alice", "tuneloop-share")``, then ``world.clock.advance(days=91)``, then
``world.says(alice.access) == "grant-ended"``. Every call is one transaction of the real operations.
"""

from __future__ import annotations

import itertools
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from broker.domain.access import encode, record_of
from broker.domain.audit import verify
from broker.domain.decisions import Decision, Denied, decide
from broker.domain.errors import OAuthError
from broker.domain.features import CeilingEntry, Feature
from broker.domain.grants import Grant
from broker.domain.instants import DAY, SECOND, Instant, parse_rfc3339
from broker.domain.tokens import digest
from broker.enforcement.spool import Spool
from broker.operations import access, consent, grants, issuing, messages, shutdowns, tokens
from broker.operations.context import Context, Randomness, Runtime
from broker.operations.register import approvals, clients, features, seeding
from broker.settings import Settings
from broker.store import accounts, conversations, migrations, standing
from broker.store import grants as stored_grants
from broker.store.conversations import Message
from broker.store.engine.database import Database
from broker.store.evidence import audit
from broker.store.register.clients import Client
from tests.register import SETTINGS

START = parse_rfc3339("2027-03-01T09:00:00Z")
VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123"
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Clock:
    """The database's clock in a test: it stands still until it is told to move, forward or back."""

    def __init__(self, now: Instant = START) -> None:
        self.now = now

    def __call__(self) -> Instant:
        return self.now

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Move it; negative amounts set it back."""
        self.now += round(days * DAY + (hours * 3600 + minutes * 60 + seconds) * SECOND)


def stream(seed: str) -> Randomness:
    """Randomness that is the same in every run and different in every call; safe to share between threads."""
    numbers = itertools.count()
    lock = threading.Lock()

    def random_bytes(length: int) -> bytes:
        with lock:
            number = next(numbers)
        return b"".join(sha256(f"{seed} {number} {part}".encode()).digest() for part in range(-(-length // 32)))[
            :length
        ]

    return random_bytes


def counts(receipt: shutdowns.Receipt) -> tuple[dict[str, int], dict[str, int]]:
    """What a receipt says has ended, and what it says is left."""
    ended, left = receipt["ended"], receipt["live_after"]
    assert isinstance(ended, dict)
    assert isinstance(left, dict)
    return ended, left


def prepare(url: str) -> None:
    """Bring an empty database to where every test starts: migrated, and seeded with the small register."""
    database = Database(url, clock=Clock())
    migrations.upgrade(database)
    seeding.seed(Runtime(database, SETTINGS, stream("seed"), lambda: 0, Path("/nonexistent")))
    database.close()


@dataclass(frozen=True)
class Connection:
    """What a partner holds after a person connected it: the code that it used, and its tokens."""

    person: str
    client_id: str
    grant_id: int
    code: str
    access: str
    refresh: str
    scopes: frozenset[str]


class World:
    """One broker on one database."""

    def __init__(self, url: str, directory: Path, *, clock: Clock | None = None, lock_timeout_ms: int = 5000) -> None:
        self.url, self.directory = url, directory
        self.clock = clock or Clock()
        self.database = Database(url, clock=self.clock, lock_timeout_ms=lock_timeout_ms)
        self._ticks = itertools.count(0, 1000)
        self.runtime = Runtime(self.database, SETTINGS, stream(url), lambda: next(self._ticks), directory / "spools")
        self.audit_is_broken = False  # set by a test that breaks the log on purpose

    def configured(self, settings: Settings) -> Runtime:
        """The same broker under other settings."""
        return replace(self.runtime, settings=settings)

    def other_node(self, *, lock_timeout_ms: int = 5000) -> World:
        """A second broker on the same database, with connections of its own and the same clock."""
        return World(self.url, self.directory, clock=self.clock, lock_timeout_ms=lock_timeout_ms)

    def write(self, actor: str = "operator:ops") -> AbstractContextManager[Context]:
        """A transaction of this actor's."""
        return self.runtime.write(actor)

    def read(self) -> AbstractContextManager[Context]:
        """A snapshot."""
        return self.runtime.read()

    @contextmanager
    def answering(self, actor: str) -> Iterator[Context]:
        """A transaction that commits although the answer is an OAuth error, as the token endpoint's does."""
        refused: OAuthError | None = None
        with self.runtime.write(actor) as context:
            try:
                yield context
            except OAuthError as error:
                refused = error
        if refused is not None:
            raise refused

    # --- people -----------------------------------------------------------------------------------------------------

    def account(self, person: str) -> int:
        """The id of a person's account."""
        with self.read() as context:
            found = accounts.by_name(context.transaction, person)
        assert found is not None
        return found.id

    def thread(self, title: str) -> int:
        """The id of a conversation, by its title."""
        with self.read() as context:
            people = accounts.all(context.transaction)
            threads = [each for person in people for each in conversations.threads(context.transaction, person.id)]
        return {name: number for number, name in threads}[title]

    def request(self, client_id: str, *scopes: str) -> consent.AuthorizationRequest:
        """An authorization request of a client; without scopes, for what its feature requires."""
        with self.read() as context:
            client, feature = consent.admitting(context, client_id)
        asked = consent.requested_scopes(feature, " ".join(scopes))
        return consent.AuthorizationRequest(client_id, client.redirect_uris[0], asked, CHALLENGE, None)

    def consent(
        self, person: str, client_id: str, *scopes: str, ticked: set[str] | None = None, threads: set[int] | None = None
    ) -> str:
        """A person approves a request on the consent page, ticking what was asked for unless it is said; the code."""
        account, request = self.account(person), self.request(client_id, *scopes)
        with self.read() as context:
            shown = consent.review(context, account, request)
        answer = consent.Answer(
            request.scopes if ticked is None else frozenset(ticked), None if threads is None else frozenset(threads)
        )
        with self.write(f"user:{person}") as context:
            return consent.approve(context, account, request, answer, shown.hash)

    def connect(
        self, person: str, client_id: str, *scopes: str, ticked: set[str] | None = None, threads: set[int] | None = None
    ) -> Connection:
        """A person connects an app, which redeems its code; the tokens."""
        return self.holding(person, client_id, self.consent(person, client_id, *scopes, ticked=ticked, threads=threads))

    def holding(self, person: str, client_id: str, code: str) -> Connection:
        """What a client holds once it has redeemed a code."""
        return self._connection(person, client_id, code, self.redeem(client_id, code))

    def _connection(self, person: str, client_id: str, code: str, answer: issuing.TokenAnswer) -> Connection:
        access_token = str(answer["access_token"])
        found = self.check(access_token).standing
        assert found is not None
        assert found.grant_id is not None
        return Connection(
            person, client_id, found.grant_id, code, access_token, str(answer["refresh_token"]),
            frozenset(str(answer["scope"]).split()),
        )  # fmt: skip

    def grant(self, person: str, client_id: str) -> Grant:
        """The grant of a person and a client that has no recorded end."""
        found = self.grant_or_none(person, client_id)
        assert found is not None
        return found

    def grant_or_none(self, person: str, client_id: str) -> Grant | None:
        """The same, or None where there is none."""
        account = self.account(person)
        with self.read() as context:
            return stored_grants.standing(context.transaction, account, client_id)

    def grant_by_id(self, grant_id: int) -> Grant:
        """A grant, however it stands."""
        with self.read() as context:
            found = stored_grants.get(context.transaction, grant_id)
        assert found is not None
        return found

    def disconnect(self, connection: Connection) -> bool:
        """The person disconnects the app."""
        account = self.account(connection.person)
        with self.write(f"user:{connection.person}") as context:
            return grants.disconnect(context, grants.own(context, account, connection.grant_id))

    # --- partners ---------------------------------------------------------------------------------------------------

    def client(self, client_id: str) -> Client:
        """A client as it is registered."""
        with self.read() as context:
            return clients.get(context, client_id)

    def redeem(self, client_id: str, code: str) -> issuing.TokenAnswer:
        """A client redeems a code as the protocol wants it."""
        with self.answering(f"client:{client_id}") as context:
            client = clients.get(context, client_id)
            return issuing.redeem_code(context, client, code, client.redirect_uris[0], VERIFIER)

    def refresh(self, connection: Connection, *scopes: str) -> Connection:
        """A client rotates its refresh token; what it holds then."""
        with self.answering(f"client:{connection.client_id}") as context:
            client = clients.get(context, connection.client_id)
            answer = issuing.refresh(context, client, connection.refresh, frozenset(scopes))
        return self._connection(connection.person, connection.client_id, connection.code, answer)

    def revoke(self, client_id: str, token: str) -> None:
        """A client revokes a token."""
        with self.write(f"client:{client_id}") as context:
            tokens.revoke(context, clients.get(context, client_id), token)

    def check(self, token: str, *scopes: str) -> Decision:
        """The decision on a read that needs one of these scopes (any at all, without them)."""
        with self.read() as context:
            return decide(standing.read(context.transaction, digest(token)), frozenset(scopes))

    def says(self, token: str, *scopes: str) -> str:
        """The decision in one word: ``allowed``, or the reason."""
        decision = self.check(token, *scopes)
        return decision.reason.value if isinstance(decision, Denied) else "allowed"

    def post(self, token: str, text: str = "hello", thread: str = "Saturday hike") -> Message | Denied:
        """An app posts a message, or learns why not."""
        number = self.thread(thread)
        with self.write("app") as context:
            decision = messages.admit(context, digest(token), "messages:write")
            if isinstance(decision, Denied):
                return decision
            return messages.post_through_app(context, decision, number, text)

    def use(self, token: str, scope: str = "messages:write") -> Decision:
        """An app reads, the guard leaves its access record, and it is taken in."""
        decision = self.check(token, scope)
        self.note(decision)
        access.take_in(self.runtime)
        return decision

    def note(self, decision: Decision) -> None:
        """A worker's guard leaves the access record of a decision in its spool; nothing is taken in."""
        assert decision.standing is not None
        self.spool.append(encode(record_of(decision, decision.standing, "GET /api/threads", None)))

    @cached_property
    def spool(self) -> Spool:
        """The spool of this node's one worker."""
        spool = Spool(self.runtime.spools)
        access.announce(self.runtime, spool.name)
        return spool

    # --- operators --------------------------------------------------------------------------------------------------

    def shut_down(self, feature_id: str, **options: object) -> shutdowns.Receipt:
        """An operator shuts a feature down; the receipt."""
        return shutdowns.shut_down(self.runtime, "operator:ops", feature_id, **options)  # type: ignore[arg-type]

    def two_people(self, ask: Callable[[Context], str]) -> None:
        """One operator asks for what widens, and another approves it."""
        with self.write("operator:ops") as context:
            number = ask(context)
        with self.write("operator:ops2") as context:
            approvals.approve(context, number, "ops2")

    def suspend(self, feature_id: str) -> None:
        """An operator suspends a feature."""
        with self.write() as context:
            features.suspend(context, feature_id)

    def resume(self, feature_id: str) -> None:
        """Two operators resume a feature."""
        self.two_people(lambda context: approvals.request_resuming(context, feature_id))

    def narrow(self, feature_id: str, *scopes: str) -> None:
        """An operator takes scopes out of a ceiling."""
        with self.write() as context:
            features.narrow(context, feature_id, frozenset(scopes))

    def widen(self, feature_id: str, *added: CeilingEntry) -> None:
        """Two operators let scopes into a ceiling."""
        self.two_people(lambda context: approvals.request_widening(context, feature_id, added))

    def reopen(self, feature_id: str) -> None:
        """Two operators reopen a feature at the epoch that they see."""
        epoch = self.feature(feature_id).epoch
        self.two_people(lambda context: approvals.request_reopening(context, feature_id, epoch))

    def feature(self, feature_id: str) -> Feature:
        """A feature as it stands."""
        with self.read() as context:
            return features.get(context, feature_id)

    def log(self) -> list[str]:
        """The actions in the audit log since the world began, oldest first."""
        with self.read() as context:
            return [entry.action for entry, _ in audit.entries(context.transaction)]

    def verify_audit(self) -> None:
        """Fail if the audit log's chain does not hold."""
        with self.database.read() as transaction:
            broken = verify(audit.entries(transaction), *audit.head(transaction))
        assert (broken is not None) == self.audit_is_broken, broken

    def close(self) -> None:
        """Close the connections, and the spool if there is one."""
        if "spool" in self.__dict__:
            self.spool.close()
        self.database.close()
