"""A feature's life: which verb is for which state, what a ceiling needs to be sound, and what is not found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from broker.domain.errors import BrokerError, Conflict, NotFound, Refused
from broker.domain.features import CeilingEntry, Feature, FeatureState
from broker.domain.instants import DAY
from broker.operations.context import Context
from broker.operations.register import features
from broker.store.register import features as stored
from tests.world import START, World

DRAFT, ACTIVE, SUSPENDED, SHUT_DOWN = FeatureState
ID = "share-a-track"
READ = CeilingEntry("messages:read", "We look for songs.", True, 0, "We were asked to.")
Verb = Callable[[Context], object]

VERBS: dict[str, Verb] = {
    "launch": lambda context: features.launch(context, ID),
    "suspend": lambda context: features.suspend(context, ID),
    "resume": lambda context: features.resume(context, ID),
    "reopen": lambda context: features.reopen(context, ID, features.get(context, ID).epoch),
    "schedule": lambda context: features.schedule(context, ID, START + DAY),
    "narrow": lambda context: features.narrow(context, ID, frozenset({"profile:read"})),
    "widen": lambda context: features.widen(context, ID, (READ,)),
}
POSSIBLE = {
    DRAFT: {"launch": ACTIVE, "schedule": DRAFT, "narrow": DRAFT, "widen": DRAFT},
    ACTIVE: {"suspend": SUSPENDED, "schedule": ACTIVE, "narrow": ACTIVE, "widen": ACTIVE},
    SUSPENDED: {"resume": ACTIVE, "schedule": SUSPENDED, "narrow": SUSPENDED, "widen": SUSPENDED},
    SHUT_DOWN: {"reopen": ACTIVE, "narrow": SHUT_DOWN},
}


def _bring_to(world: World, state: FeatureState) -> None:
    if state is SUSPENDED:
        world.suspend(ID)
    elif state is SHUT_DOWN:
        world.shut_down(ID)
    elif state is DRAFT:
        with world.write() as context:
            stored.set_state(context.transaction, ID, 1, ACTIVE, DRAFT)


@pytest.mark.parametrize("state", FeatureState)
@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_is_possible_in_these_states_and_in_no_other(world: World, state: FeatureState, verb: str) -> None:
    _bring_to(world, state)
    log = world.log()
    if verb in POSSIBLE[state]:
        with world.write() as context:
            VERBS[verb](context)
        assert world.feature(ID).state is POSSIBLE[state][verb]
        assert len(world.log()) == len(log) + 1
    else:
        with pytest.raises(Conflict), world.write() as context:
            VERBS[verb](context)
        assert world.feature(ID).state is state
        assert world.log() == log


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_done_to_a_feature_that_does_not_exist(sqlite_world: World, verb: str) -> None:
    nothing = "share-nothing"
    calls: dict[str, Verb] = {
        "launch": lambda context: features.launch(context, nothing),
        "suspend": lambda context: features.suspend(context, nothing),
        "resume": lambda context: features.resume(context, nothing),
        "reopen": lambda context: features.reopen(context, nothing, 1),
        "schedule": lambda context: features.schedule(context, nothing, None),
        "narrow": lambda context: features.narrow(context, nothing, frozenset()),
        "widen": lambda context: features.widen(context, nothing, ()),
    }
    with sqlite_world.write() as context, pytest.raises(NotFound, match="no feature 'share-nothing'"):
        calls[verb](context)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("reopen",)])
def test_an_end_that_is_due_comes_before_whatever_is_asked(world: World, verb: str) -> None:
    with world.write() as context:
        features.schedule(context, ID, START + DAY)
    world.clock.advance(days=2)
    try:
        with world.write() as context:
            VERBS[verb](context)
    except BrokerError:
        assert world.feature(ID).state is ACTIVE  # refused, and so nothing was recorded either; it is over all the same
    else:
        assert verb == "narrow"
        assert world.feature(ID).state is SHUT_DOWN
    assert world.feature(ID).ended(world.clock.now)


def test_a_ceiling_that_is_narrowed_says_what_it_does_not_hold_and_is_never_empty(world: World) -> None:
    with world.write() as context:
        with pytest.raises(Conflict, match="does not hold messages:read, posts:read"):
            features.narrow(context, ID, frozenset({"profile:read", "posts:read", "messages:read"}))
        with pytest.raises(Refused, match="a ceiling is not empty; to end the feature, shut it down"):
            features.narrow(context, ID, frozenset({"profile:read", "messages:write"}))
    assert world.feature(ID).scopes == {"profile:read", "messages:write"}


def test_a_scope_enters_a_ceiling_once(world: World) -> None:
    with world.write() as context, pytest.raises(Conflict, match="holds some of these scopes already"):
        features.widen(context, ID, (replace(READ, scope="profile:read"),))


def _new(world: World, **changes: object) -> Feature:
    return replace(world.feature(ID), id="share-an-album", **changes)  # type: ignore[arg-type]


def test_a_new_feature_is_registered_with_its_ceiling_from_then_on(world: World) -> None:
    new = _new(world, state=DRAFT)
    with world.write() as context:
        features.register(context, new)
        with pytest.raises(Conflict, match="share-an-album is registered already"):
            features.register(context, new)
    found = world.feature("share-an-album")
    assert {entry.since for entry in found.ceiling} == {len(world.log())}
    assert replace(found, ceiling=()) == replace(new, ceiling=())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": SUSPENDED}, "a new feature is draft or active"),
        ({"state": SHUT_DOWN}, "a new feature is draft or active"),
        ({"ceiling": ()}, "a ceiling is not empty"),
        ({"ceiling": (replace(READ, scope="messages:shout"),)}, r"unknown scopes \['messages:shout'\]"),
        ({"ceiling": (replace(READ, beyond_need=None),)}, r"messages:read is wider than its needs \(send\)"),
        ({"ceiling": (replace(READ, beyond_need=""),)}, "beyond_need must say why"),
        (
            {"ceiling": (READ, replace(READ, scope="contacts:read"))},
            "forbidden combination: contacts:read, messages:read",
        ),
    ],
)
def test_an_unsound_feature_is_refused(world: World, changes: dict[str, object], words: str) -> None:
    new = _new(world, **changes)
    with pytest.raises(Refused, match=words), world.write() as context:
        features.register(context, new)


def test_a_forbidden_combination_is_counted_over_all_of_a_partner_s_features(world: World) -> None:
    contacts = _new(world, ceiling=(replace(READ, scope="contacts:read"),))
    with world.write() as context:
        features.register(context, contacts)
    with pytest.raises(Refused, match="partner tuneloop would hold a forbidden combination"):
        world.widen(ID, READ)
    world.shut_down("share-an-album")  # of a feature that has ended nothing is held
    world.widen(ID, READ)
    assert "messages:read" in world.feature(ID).scopes


def test_words_change_and_since_when_a_scope_is_held_does_not(world: World) -> None:
    known = world.feature(ID)
    write, profile = known.ceiling
    with world.write() as context:
        features.change_words(context, ID, replace(
            known, name="Share two tracks", needs=("send", "identify"),
            ceiling=(replace(write, reason="We post."), replace(profile, required=True, beyond_need=None)),
        ))  # fmt: skip
    changed = world.feature(ID)
    assert (changed.name, changed.needs) == ("Share two tracks", ("send", "identify"))
    assert [(entry.reason, entry.required, entry.since) for entry in changed.ceiling] == [
        ("We post.", True, write.since), ("We greet you by name.", True, profile.since),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "later"),
    [(None, None, False), (None, 5, False), (5, None, True), (5, 6, True), (5, 5, False), (5, 4, False)],
)
def test_a_later_end_is_one_that_lets_a_feature_run_longer(
    sqlite_world: World, before: int | None, after: int | None, later: bool
) -> None:
    feature = replace(sqlite_world.feature(ID), ends_at=before)
    assert features.is_later(feature, after) is later


def test_a_reopening_is_for_the_epoch_that_it_names(world: World) -> None:
    world.shut_down(ID)
    with pytest.raises(Conflict, match="is at epoch 2, not 1"), world.write() as context:
        features.reopen(context, ID, 1)
