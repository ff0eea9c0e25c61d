"""What changed files would do, and doing it: files never reopen, move what has passed, or end by absence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from broker.domain.errors import Refused
from broker.domain.features import FeatureState
from broker.domain.instants import DAY
from broker.operations import shutdowns
from broker.operations.people import accounts
from broker.operations.register import approvals, clients, configuration, features, partners
from broker.operations.register.configuration import Change, Outcome
from broker.settings import CeilingEntry, ClientFile, FeatureFile, PartnerFile, Settings
from broker.store import approvals as stored_approvals
from tests.register import (
    HTTPS,
    LOOPBACK,
    NOW_PLAYING,
    PARTNERS,
    RECOMMEND_A_SHOW,
    SETTINGS,
    SHARE_A_TRACK,
    proposing,
    with_partners,
)
from tests.world import START, World, counts

WRITE, PROFILE = "messages:write", "profile:read"
ENDS = START + 30 * DAY
_WRITE_ENTRY, _PROFILE_ENTRY = SHARE_A_TRACK.ceiling
_SHARE, _APP = SHARE_A_TRACK.clients
READ_ENTRY = CeilingEntry("messages:read", "We look for songs.", True, "We were asked to.")


def _plan(world: World, settings: Settings) -> list[Change]:
    with world.read() as context:
        return configuration.plan(context, settings)


def _apply(world: World, settings: Settings) -> Outcome:
    return configuration.apply(world.configured(settings), "operator:ops")


def _kinds(changes: list[Change]) -> list[tuple[str, str]]:
    return [(change.kind, change.subject) for change in changes]


def _approve(world: World, outcome: Outcome) -> None:
    for number in outcome.pending:
        with world.write("operator:ops2") as context:
            approvals.approve(context, number, "ops2")


def test_files_that_say_what_is_so_change_nothing(world: World) -> None:
    assert _plan(world, SETTINGS) == []
    log = world.log()
    assert _apply(world, SETTINGS) == Outcome((), (), ())
    assert world.log() == log


# Each proposal about share-a-track: the file, the change that it means, and its words.
_PROPOSALS: list[tuple[FeatureFile, str, str]] = [
    (replace(SHARE_A_TRACK, name="Share two tracks"), "changes", "changes name of share-a-track; people"),
    (replace(SHARE_A_TRACK, purpose="Send songs."), "changes", "changes purpose of share-a-track"),
    (replace(SHARE_A_TRACK, needs=("send", "identify")), "changes", "changes needs of share-a-track"),
    (replace(SHARE_A_TRACK, grant_lifetime_s=86_400), "changes", "changes grant_lifetime_s of share-a-track"),
    (replace(SHARE_A_TRACK, ceiling=(replace(_WRITE_ENTRY, reason="We post."), _PROFILE_ENTRY)), "changes",
     "changes reasons of share-a-track"),
    (replace(SHARE_A_TRACK, ceiling=(_WRITE_ENTRY,)), "narrows", "takes profile:read out of share-a-track"),
    (replace(SHARE_A_TRACK, ceiling=(*SHARE_A_TRACK.ceiling, READ_ENTRY)), "widens",
     "asks a second operator to let messages:read into share-a-track"),
    (replace(SHARE_A_TRACK, ceiling=(READ_ENTRY,)), "refused", "nothing would be left of share-a-track's ceiling"),
    (replace(SHARE_A_TRACK, ends_at=ENDS), "narrows", "ends share-a-track at 2027-03-31T09:00:00.000Z"),
    (replace(SHARE_A_TRACK, ends_at=START), "refused", "the new end 2027-03-01T09:00:00.000Z has passed"),
    (replace(SHARE_A_TRACK, state="suspended"), "narrows", "suspends share-a-track"),
    (replace(SHARE_A_TRACK, state="shut_down"), "ends", "shuts share-a-track down"),
    (replace(SHARE_A_TRACK, state="draft"), "refused", "share-a-track is active; it cannot become draft"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "kind", "words"), _PROPOSALS, ids=lambda each: each if isinstance(each, str) else "")
def test_a_plan_says_what_each_change_of_a_file_means(
    sqlite_world: World, file: FeatureFile, kind: str, words: str
) -> None:
    changes = _plan(sqlite_world, proposing(file))
    found = [change for change in changes if change.kind == kind]
    assert found, changes
    assert found[0].subject == "feature:share-a-track"
    assert found[0].text.startswith(words)


@pytest.mark.parametrize(
    "file", [file for file, kind, _ in _PROPOSALS if kind in ("changes", "narrows", "ends")], ids=lambda each: ""
)
def test_what_one_person_may_do_is_done_and_then_nothing_is_left_to_do(world: World, file: FeatureFile) -> None:
    outcome = _apply(world, proposing(file))
    assert outcome.pending == ()
    assert _plan(world, proposing(file)) == []
    feature = world.feature("share-a-track")
    assert (feature.name, feature.purpose, feature.needs) == (file.name, file.purpose, file.needs)
    assert (feature.state.value, feature.ends_at, feature.scopes) == (file.state, file.ends_at, file.scopes)


@pytest.mark.parametrize("file", [file for file, kind, _ in _PROPOSALS if kind == "refused"], ids=lambda each: "")
def test_what_is_refused_in_a_plan_is_refused_whole(world: World, file: FeatureFile) -> None:
    log = world.log()
    with pytest.raises(Refused):
        _apply(world, proposing(file, replace(NOW_PLAYING, name="Now sounding")))
    assert world.log() == log
    assert world.feature("now-playing").name == "Now playing"


# --- shutting down ----------------------------------------------------------------------------------------------------


def test_a_plan_counts_the_grants_and_people_that_it_would_end(world: World) -> None:
    world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    world.connect("alice", "tuneloop-app")
    world.connect("bob", "tuneloop-share")
    world.disconnect(world.connect("carol", "tuneloop-share"))
    (ends,) = _plan(world, proposing(replace(SHARE_A_TRACK, state="shut_down")))
    assert (ends.grants, ends.people) == (3, 2)
    (narrows,) = _plan(world, proposing(replace(SHARE_A_TRACK, ceiling=(_WRITE_ENTRY,))))
    assert (narrows.grants, narrows.people) == (1, 1)
    (suspends,) = _plan(world, proposing(replace(SHARE_A_TRACK, state="suspended")))
    assert (suspends.grants, suspends.people) == (3, 2)
    (dated,) = _plan(world, proposing(replace(SHARE_A_TRACK, ends_at=ENDS)))
    assert (dated.grants, dated.people) == (3, 2)
    with world.write() as context:
        clients.disable(context, "tuneloop-app")
        accounts.disable(context, "bob")
    (ends,) = _plan(world, proposing(replace(SHARE_A_TRACK, state="shut_down")))
    assert (ends.grants, ends.people) == (1, 1)
    world.clock.advance(days=90)
    (ends,) = _plan(world, proposing(replace(SHARE_A_TRACK, state="shut_down")))
    assert (ends.grants, ends.people) == (0, 0)


def test_a_file_that_says_shut_down_shuts_down_with_a_receipt(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    world.clock.advance(seconds=1)
    outcome = _apply(world, proposing(replace(SHARE_A_TRACK, state="shut_down")))
    assert outcome.shutdowns == ("share-a-track",)
    assert world.says(alice.access, WRITE) == "feature-shut-down"
    receipt = shutdowns.latest_receipt(world.runtime, "share-a-track")
    assert receipt is not None
    assert (receipt["cause"], receipt["by"], receipt["reason"]) == (
        "configuration", "operator:ops", "the configuration says shut_down",
    )  # fmt: skip
    assert counts(receipt)[0]["grants"] == 1
    assert set(counts(receipt)[1].values()) == {0}


def test_a_date_that_came_first_is_what_has_ended_a_feature_that_a_file_shuts_down(world: World) -> None:
    with world.write() as context:
        features.schedule(context, "share-a-track", START + DAY)
    world.clock.advance(days=2)
    _apply(world, proposing(replace(SHARE_A_TRACK, state="shut_down", ends_at=START + DAY)))
    receipt = shutdowns.latest_receipt(world.runtime, "share-a-track")
    assert receipt is not None
    assert (receipt["cause"], receipt["epoch"]) == ("end_date", 2)


def test_a_file_does_not_reopen(world: World) -> None:
    world.shut_down("share-a-track")
    (refused,) = _plan(world, SETTINGS)
    assert refused.kind == "refused"
    assert "files do not reopen: broker features reopen share-a-track --epoch 2" in refused.text
    with pytest.raises(Refused, match="files do not reopen"):
        _apply(world, SETTINGS)
    assert world.feature("share-a-track").state is FeatureState.SHUT_DOWN


def test_a_feature_that_is_shut_down_is_not_widened_and_its_date_is_not_asked_about(world: World) -> None:
    world.shut_down("share-a-track")
    shut = replace(SHARE_A_TRACK, state="shut_down", ends_at=ENDS, ceiling=(*SHARE_A_TRACK.ceiling, READ_ENTRY))
    (refused,) = _plan(world, proposing(shut))
    assert (refused.kind, refused.text) == ("refused", "share-a-track is shut down; it cannot be widened")


def test_a_date_that_has_passed_is_not_moved_by_a_file(world: World) -> None:
    with world.write() as context:
        features.schedule(context, "share-a-track", START + DAY)
    world.clock.advance(days=1)
    for ends_at in (None, ENDS):
        (refused,) = _plan(world, proposing(replace(SHARE_A_TRACK, ends_at=ends_at)))
        assert refused.kind == "refused"
        assert "has passed and cannot be moved; use: broker features reopen" in refused.text


# --- what takes two ---------------------------------------------------------------------------------------------------


def test_a_wider_ceiling_waits_for_another_operator(world: World) -> None:
    wider = proposing(replace(SHARE_A_TRACK, ceiling=(*SHARE_A_TRACK.ceiling, READ_ENTRY)))
    outcome = _apply(world, wider)
    assert len(outcome.pending) == 1
    assert world.feature("share-a-track").scopes == {WRITE, PROFILE}
    assert _apply(world, wider).pending == outcome.pending  # asked once
    _approve(world, outcome)
    assert world.feature("share-a-track").scopes == {WRITE, PROFILE, "messages:read"}
    assert _plan(world, wider) == []


def test_a_later_end_and_no_end_wait_for_another_operator(world: World) -> None:
    with world.write() as context:
        features.schedule(context, "share-a-track", START + DAY)
    for ends_at, words in ((ENDS, "2027-03-31T09:00:00.000Z"), (None, "never")):
        file = proposing(replace(SHARE_A_TRACK, ends_at=ends_at))
        (change,) = _plan(world, file)
        assert (change.kind, change.text) == (
            "widens", f"asks a second operator to move the end of share-a-track to {words}",
        )  # fmt: skip
        _approve(world, _apply(world, file))
        assert world.feature("share-a-track").ends_at == ends_at


def test_an_earlier_end_takes_one_person(world: World) -> None:
    with world.write() as context:
        features.schedule(context, "share-a-track", START + 40 * DAY)
    assert _apply(world, proposing(replace(SHARE_A_TRACK, ends_at=ENDS))).pending == ()
    assert world.feature("share-a-track").ends_at == ENDS


def test_resuming_waits_for_another_operator_and_launching_does_not(world: World) -> None:
    world.suspend("share-a-track")
    outcome = _apply(world, SETTINGS)
    assert world.feature("share-a-track").state is FeatureState.SUSPENDED
    _approve(world, outcome)
    assert world.feature("share-a-track").state is FeatureState.ACTIVE
    draft = replace(NOW_PLAYING, id="play-along", state="draft", clients=())
    _apply(world, proposing(draft))
    for state in ("suspended", "active"):
        settings = proposing(replace(draft, state=state))
        if state == "suspended":
            assert _kinds(_plan(world, settings)) == [("refused", "feature:play-along")]
        else:
            assert _apply(world, settings).pending == ()
    assert world.feature("play-along").state is FeatureState.ACTIVE


def test_a_wider_ceiling_that_nothing_explains_is_refused_before_anybody_is_asked(world: World) -> None:
    unexplained = replace(READ_ENTRY, beyond_need=None)
    with pytest.raises(Refused, match="messages:read is wider than its needs"):
        _apply(world, proposing(replace(SHARE_A_TRACK, ceiling=(*SHARE_A_TRACK.ceiling, unexplained))))
    with world.read() as context:
        assert stored_approvals.all(context.transaction) == []


# --- clients ----------------------------------------------------------------------------------------------------------


def _with_clients(*files: ClientFile) -> Settings:
    return proposing(replace(SHARE_A_TRACK, clients=files))


def test_a_new_redirect_uri_waits_for_another_operator(world: World) -> None:
    settings = _with_clients(replace(_SHARE, redirect_uris=(HTTPS, "https://tuneloop.example/new")), _APP)
    (change,) = _plan(world, settings)
    assert (change.kind, change.subject) == ("widens", "client:tuneloop-share")
    outcome = _apply(world, settings)
    assert world.client("tuneloop-share").redirect_uris == (HTTPS, LOOPBACK)
    _approve(world, outcome)
    assert world.client("tuneloop-share").redirect_uris == (HTTPS, "https://tuneloop.example/new")
    assert _plan(world, settings) == []


def test_a_name_or_fewer_redirect_uris_take_one_person(world: World) -> None:
    settings = _with_clients(replace(_SHARE, name="TuneLoop Two", redirect_uris=(LOOPBACK,)), _APP)
    outcome = _apply(world, settings)
    assert _kinds(list(outcome.changes)) == [("changes", "client:tuneloop-share")]
    client = world.client("tuneloop-share")
    assert (client.name, client.redirect_uris) == ("TuneLoop Two", (LOOPBACK,))


@pytest.mark.parametrize("change", [{"auth": "none", "development_secret": None}, {"auth": "client_secret_post"}])
def test_a_client_keeps_its_method(world: World, change: dict[str, str]) -> None:
    (refused,) = _plan(world, _with_clients(replace(_SHARE, **change), _APP))  # type: ignore[arg-type]
    assert "keeps its feature (share-a-track) and method (client_secret_basic)" in refused.text


def test_a_client_does_not_move_to_another_feature(world: World) -> None:
    moved = proposing(
        replace(SHARE_A_TRACK, clients=(_APP,)), replace(NOW_PLAYING, clients=(*NOW_PLAYING.clients, _SHARE))
    )
    assert _kinds(_plan(world, moved)) == [("refused", "client:tuneloop-share")]


# --- new things, and absence ------------------------------------------------------------------------------------------


def test_new_partners_features_and_clients_are_registered(world: World) -> None:
    album = replace(
        SHARE_A_TRACK, id="share-an-album", clients=(ClientFile("tuneloop-album", "TuneLoop", "none", (HTTPS,)),)
    )
    bus = PartnerFile("quickbus", "QuickBus", None, "quickbus.toml", (
        replace(SHARE_A_TRACK, id="say-when", partner="quickbus", clients=()),
    ))  # fmt: skip
    settings = proposing(album, replace(SHARE_A_TRACK, clients=(
        *SHARE_A_TRACK.clients, ClientFile("tuneloop-extra", "TuneLoop", "none", (HTTPS,)),
    )))  # fmt: skip
    settings = replace(settings, register=replace(settings.register, partners=(*settings.register.partners, bus)))
    assert _kinds(_plan(world, settings)) == [
        ("registers", "client:tuneloop-extra"), ("registers", "feature:share-an-album"),
        ("registers", "partner:quickbus"),
    ]  # fmt: skip
    _apply(world, settings)
    assert _plan(world, settings) == []
    assert world.says(world.connect("alice", "tuneloop-album").access, WRITE) == "allowed"


@pytest.mark.parametrize("state", ["suspended", "shut_down"])
def test_a_new_feature_is_registered_in_the_state_that_its_file_says(world: World, state: str) -> None:
    settings = proposing(replace(NOW_PLAYING, id="play-along", state=state, clients=()))  # type: ignore[arg-type]
    _apply(world, settings)
    assert world.feature("play-along").state.value == state
    assert _plan(world, settings) == []


def test_a_feature_does_not_move_to_another_partner(world: World) -> None:
    tuneloop, reelwise, northbank = PARTNERS
    stolen = replace(reelwise, features=(*reelwise.features, replace(NOW_PLAYING, partner="reelwise", clients=())))
    moved = with_partners(replace(tuneloop, features=(SHARE_A_TRACK,)), stolen, northbank)
    changes = _plan(world, moved)
    assert changes[0].text == "now-playing belongs to partner tuneloop; a feature does not move"


def test_a_partner_is_renamed_by_its_file(world: World) -> None:
    tuneloop, *others = PARTNERS
    settings = with_partners(replace(tuneloop, name="TuneLoop Records", homepage=None), *others)
    (change,) = _plan(world, settings)
    assert (change.kind, change.text) == ("changes", "renames partner tuneloop to 'TuneLoop Records'")
    _apply(world, settings)
    assert world.feature("share-a-track").partner_name == "TuneLoop Records"


def _without_a_partner() -> Settings:
    return with_partners(*PARTNERS[1:])


def _without_a_feature() -> Settings:
    return with_partners(replace(PARTNERS[0], features=(SHARE_A_TRACK,)), *PARTNERS[1:])


def _without_a_client() -> Settings:
    return _with_clients(_SHARE)


@pytest.mark.parametrize(
    ("settings", "commands"),
    [
        (_without_a_partner, ["broker partners suspend", "broker features shut-down now-playing",
                              "broker features shut-down share-a-track", "broker clients disable tuneloop-app",
                              "broker clients disable tuneloop-playing", "broker clients disable tuneloop-share"]),
        (_without_a_feature, ["broker features shut-down now-playing", "broker clients disable tuneloop-playing"]),
        (_without_a_client, ["broker clients disable tuneloop-app"]),
    ],
)  # fmt: skip
def test_absence_is_an_error_that_names_the_command(
    world: World, settings: Callable[[], Settings], commands: list[str]
) -> None:
    changes = _plan(world, settings())
    assert {change.kind for change in changes} == {"refused"}
    assert [change.text.partition("use: ")[2] for change in changes] == commands
    with pytest.raises(Refused, match="is in no file"):
        _apply(world, settings())


def test_what_is_over_or_was_registered_by_an_operator_may_be_absent(world: World) -> None:
    world.shut_down("now-playing")
    with world.write() as context:
        clients.disable(context, "tuneloop-playing")
        own = replace(clients.get(context, "tuneloop-app"), id="tuneloop-own", registered_by="operator")
        clients.register(context, own)
        partners.register(context, replace(partners.get(context, "tuneloop"), id="quickbus", name="QuickBus",
                                           registered_by="operator"))  # fmt: skip
    assert _plan(world, _without_a_feature()) == []


def test_several_features_change_in_one_go_or_not_at_all(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share", WRITE, PROFILE)
    settings = proposing(
        replace(SHARE_A_TRACK, ceiling=(_WRITE_ENTRY,), name="Share"), replace(NOW_PLAYING, state="suspended"),
        replace(RECOMMEND_A_SHOW, state="shut_down"),
    )  # fmt: skip
    outcome = _apply(world, settings)
    assert [change.kind for change in outcome.changes] == ["narrows", "changes", "narrows", "ends"]
    assert outcome.shutdowns == ("recommend-a-show",)
    assert world.says(alice.access, PROFILE) == "insufficient-scope"
    assert shutdowns.housekeeping(world.runtime) == 1
