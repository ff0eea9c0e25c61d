"""Any story that people, partners and operators can make: after each step every token is told what the model says."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from broker.domain.decisions import Denied
from broker.domain.errors import BrokerError, OAuthError
from broker.domain.features import CeilingEntry
from broker.domain.instants import DAY
from broker.operations import grants, shutdowns
from broker.operations.people import accounts
from broker.operations.register import approvals, clients, features, partners
from tests import databases
from tests.operations.stories.model import PROFILE, WRITE, Feature, Grant, Model, Token
from tests.world import START, Connection, World, prepare

_PROFILE_ENTRY = CeilingEntry(PROFILE, "We greet you by name.", False, 0, "A greeting is friendlier.")
_PEOPLE, _CLIENTS = ("alice", "bob"), ("tuneloop-share", "northbank-notice")
_people, _clients = st.sampled_from(_PEOPLE), st.sampled_from(_CLIENTS)
_features = st.sampled_from(("share-a-track", "transfer-notice"))
_scopes = st.sampled_from((WRITE, PROFILE))
_passing = st.sampled_from((1 / 1440, 1 / 288, 1 / 144, 1, 29, 45, 89, 90))

Held = tuple[Connection, Token, Token]  # with the model's access and refresh token


class AnyStory(RuleBasedStateMachine):
    """The broker and the model, side by side."""

    held: Bundle[Held] = Bundle("held")
    spent: Bundle[Held] = Bundle("spent")

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="broker-story-"))
        self.world = World(databases.fresh_sqlite_database(self.directory, prepare), self.directory)
        self.model = Model(START)
        self.seen: list[tuple[str, Token]] = []

    def teardown(self) -> None:
        """Whatever happened, its log verifies."""
        self.world.verify_audit()
        self.world.close()
        shutil.rmtree(self.directory)

    @invariant()
    def every_token_is_told_what_the_model_says(self) -> None:
        for secret, token in self.seen:
            for needed in ((WRITE,), (PROFILE,), ()):
                assert self.world.says(secret, *needed) == self.model.says(token, *needed)

    def _hold(self, connection: Connection, tokens: tuple[Token, Token]) -> Held:
        assert connection.scopes == tokens[0].scopes
        self.seen.append((connection.access, tokens[0]))
        return connection, *tokens

    def _done(self, act: Callable[[], object], expected: bool) -> bool:
        """Do something that must be done or refused; whether it was done."""
        try:
            act()
        except BrokerError:
            assert not expected
            return False
        assert expected
        return True

    def _stands(self, grant: Grant) -> bool:
        return not self.model.over(grant) and not self.model.due(self.model.feature(grant.client))

    @initialize(target=held)
    def begin(self) -> MultipleResults[Held]:
        """Two people have connected two apps, or there would be little to tell."""
        places = [(person, client) for person in _PEOPLE for client in _CLIENTS]
        connected = (self.connect(person, client, client == "tuneloop-share") for person, client in places)
        return multiple(*(each for each in connected if not isinstance(each, MultipleResults)))

    # --- people and their apps ----------------------------------------------------------------------------------------

    @rule(target=held, person=_people, client=_clients, wide=st.booleans())
    def connect(self, person: str, client: str, wide: bool) -> Held | MultipleResults[Held]:
        asked = frozenset({WRITE, PROFILE} if wide else {WRITE}) & set(self.model.feature(client).since)
        made: list[Connection] = []
        expected = self.model.admits(client, person)
        if not self._done(lambda: made.append(self.world.connect(person, client, *sorted(asked))), expected):
            return multiple()
        self.model.step += 1
        return self._hold(made[0], self.model.issued(self.model.consent(person, client, asked)))

    @rule(target=held, each=consumes(held))
    def refresh(self, each: Held) -> Held:
        connection, _, token = each
        made: list[Connection] = []
        expected = self.model.says(token) == "allowed"
        if not self._done(lambda: made.append(self.world.refresh(connection)), expected):
            return each
        return self._hold(made[0], self.model.issued(token.family))

    @rule(target=spent, each=held)
    def refresh_a_copy(self, each: Held) -> Held | MultipleResults[Held]:
        """What a thief does first; the rightful client's next refresh is the reuse."""
        if self.model.says(each[2]) != "allowed":
            return multiple()
        self._hold(self.world.refresh(each[0]), self.model.issued(each[2].family))
        each[2].family.ended = True
        with pytest.raises(OAuthError, match="used before"):
            self.world.refresh(each[0])
        return each

    @rule(each=held, scope=_scopes)
    def read(self, each: Held, scope: str) -> None:
        self.world.use(each[0].access, scope)
        self.model.use(each[1], scope)

    @rule(each=held)
    def post(self, each: Held) -> None:
        answer = self.world.post(each[0].access)
        assert isinstance(answer, Denied) == (self.model.says(each[1], WRITE) != "allowed")

    @rule(each=held)
    def confirm_presence(self, each: Held) -> None:
        grant, row = each[1].family.grant, self.world.grant_by_id(each[0].grant_id)
        with self.world.write() as context:
            assert grants.confirm_presence(context, row) == self._stands(grant)
        if self._stands(grant):
            grant.presence_ends = self.model.now + 90 * DAY

    @rule(each=held)
    def disconnect(self, each: Held) -> None:
        grant = each[1].family.grant
        assert self.world.disconnect(each[0]) == self._stands(grant)
        grant.ended = grant.ended or self._stands(grant)

    @rule(each=held, scope=_scopes)
    def take_a_scope_back(self, each: Held, scope: str) -> None:
        row = self.world.grant_by_id(each[0].grant_id)
        with self.world.write() as context:
            taken = grants.drop_scope(context, row, scope)
        assert taken == (each[1].family.grant.given.pop(scope, None) is not None)

    @rule(each=held, refresh_token=st.booleans())
    def revoke(self, each: Held, refresh_token: bool) -> None:
        connection, access, _ = each
        self.world.revoke(connection.client_id, connection.refresh if refresh_token else connection.access)
        if refresh_token:
            access.family.ended = True
        else:
            access.revoked = True

    @rule(person=_people)
    def change_the_password(self, person: str) -> None:
        with self.world.write() as context:
            accounts.set_password(context, accounts.by_name(context, person), "a new password")
        for _, token in self.seen:
            token.family.ended = token.family.ended or token.family.grant.person == person

    # --- operators ----------------------------------------------------------------------------------------------------

    @rule(person=_people)
    def disable_or_enable_somebody(self, person: str) -> None:
        with self.world.write() as context:
            (accounts.enable if person in self.model.disabled else accounts.disable)(context, person)
        self.model.disabled ^= {person}

    @rule(partner=st.sampled_from(("tuneloop", "northbank")))
    def suspend_or_resume_a_partner(self, partner: str) -> None:
        if partner in self.model.disabled:
            self.world.two_people(lambda context: approvals.request_resuming_partner(context, partner))
        else:
            with self.world.write() as context:
                partners.suspend(context, partner)
        self.model.disabled ^= {partner}

    @rule(client=_clients, sure=st.integers(0, 11))
    def disable_a_client(self, client: str, sure: int) -> None:
        if sure == 0 and client not in self.model.disabled:  # for ever, so not in every story
            with self.world.write() as context:
                clients.disable(context, client)
            self.model.disabled.add(client)

    @rule(name=_features)
    def suspend_or_resume(self, name: str) -> None:
        feature = self.model.features[name]
        act = self.world.resume if feature.state == "suspended" else self.world.suspend
        expected = feature.state != "shut_down" and not self.model.due(feature)
        if self._done(lambda: act(name), expected):
            feature.state = {"active": "suspended", "suspended": "active"}[feature.state]

    @rule(name=_features)
    def shut_down(self, name: str) -> None:
        receipt = self.world.shut_down(name)
        self.model.shut_down(self.model.features[name])
        assert receipt["epoch"] == self.model.features[name].epoch
        left = receipt["live_after"]
        assert isinstance(left, dict)
        assert set(left.values()) == {0}

    @rule(name=_features)
    def reopen(self, name: str) -> None:
        shutdowns.housekeeping(self.world.runtime)
        for each in self.model.features.values():
            if self.model.due(each):
                self.model.shut_down(each)
        feature = self.model.features[name]
        if self._done(lambda: self.world.reopen(name), feature.state == "shut_down"):
            self.model.reopen(feature)

    @rule()
    def narrow_or_widen(self) -> None:
        feature = self.model.features["share-a-track"]
        self.model.step += 1
        if PROFILE in feature.since:
            self.world.narrow("share-a-track", PROFILE)
            self._record_what_is_due(feature)
            del feature.since[PROFILE]
        else:
            expected = feature.state != "shut_down" and not self.model.due(feature)
            if self._done(lambda: self.world.widen("share-a-track", _PROFILE_ENTRY), expected):
                feature.since[PROFILE] = self.model.step

    def _record_what_is_due(self, feature: Feature) -> None:
        if self.model.due(feature):
            self.model.shut_down(feature)

    @rule(name=_features, days=st.sampled_from((1, 30)))
    def set_an_end_date(self, name: str, days: int) -> None:
        feature, ends_at = self.model.features[name], self.model.now + days * DAY

        def schedule() -> None:
            with self.world.write() as context:
                features.schedule(context, name, ends_at)

        if self._done(schedule, feature.state != "shut_down" and not self.model.due(feature)):
            feature.ends_at = ends_at

    @rule(days=_passing)
    def let_time_pass(self, days: float) -> None:
        self.world.clock.advance(days=days)
        self.model.now = self.world.clock.now


def tell(stories: int, steps: int, phases: Collection[Phase] = tuple(Phase)) -> None:
    """Make up stories and compare; the difference that was found is raised."""
    found = settings(max_examples=stories, stateful_step_count=steps, report_multiple_bugs=False, phases=phases)
    run_state_machine_as_test(AnyStory, settings=found)


def test_after_each_step_of_any_story_every_token_is_told_what_it_must_be() -> None:
    tell(stories=30, steps=30)


@pytest.mark.prove
def test_after_each_step_of_many_long_stories_every_token_is_told_what_it_must_be() -> None:
    tell(stories=1000, steps=60)
