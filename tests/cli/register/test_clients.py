"""broker clients."""

from __future__ import annotations

from typing import Any

from broker.domain.tokens import TokenKind, well_formed
from broker.operations.register import clients
from tests.cli.desk import Desk

_NEW = ("clients", "register", "--feature", "share-a-track", "--name", "TuneLoop car", "--redirect-uri",
        "https://car.tuneloop.example/callback")  # fmt: skip


def _proven(desk: Desk, client_id: str, secret: str) -> bool:
    with desk.world.database.read() as transaction:
        return clients.authenticate(transaction, client_id, secret, "client_secret_basic") is not None


def test_the_list_has_every_client_and_no_secret(desk: Desk) -> None:
    listed: list[dict[str, Any]] = desk.json("clients", "list")["clients"]
    assert {each["id"] for each in listed} == {"tuneloop-share", "reelwise-recommend", "northbank-notice"}
    assert listed[2] == {
        "id": "tuneloop-share", "name": "TuneLoop", "feature": "share-a-track", "partner": "tuneloop",
        "state": "active", "auth": "client_secret_basic", "redirect_uris": ["http://127.0.0.1:8101/callback"],
        "registered_by": "config",
    }  # fmt: skip


def test_registering_prints_an_id_and_a_secret_that_proves_it(each_desk: Desk) -> None:
    new = each_desk.json(*_NEW, "--as", "ops")
    assert new["client_id"].startswith("share-a-track-")
    assert well_formed(TokenKind.CLIENT_SECRET, new["client_secret"])
    assert _proven(each_desk, new["client_id"], new["client_secret"])
    assert (new["partner"], new["auth"], new["registered_by"]) == ("tuneloop", "client_secret_basic", "operator:ops")
    assert new["client_secret"] not in str(each_desk.log(40))


def test_an_id_may_be_chosen_and_is_taken_once(desk: Desk) -> None:
    assert desk.json(*_NEW, "--id", "tuneloop-car")["client_id"] == "tuneloop-car"
    assert desk.refused(*_NEW, "--id", "tuneloop-car") == "client tuneloop-car is registered already"


def test_a_public_client_has_no_secret(desk: Desk) -> None:
    new = desk.json(*_NEW, "--auth", "none")
    assert new["client_secret"] is None
    line = desk.refused("clients", "rotate-secret", new["client_id"])
    assert line == f"client {new['client_id']} is public and has no secret"


def test_a_redirect_uri_may_be_given_more_than_once(desk: Desk) -> None:
    new = desk.json(*_NEW, "--redirect-uri", "http://127.0.0.1/callback")
    assert new["redirect_uris"] == ["https://car.tuneloop.example/callback", "http://127.0.0.1/callback"]


def test_what_may_not_be_registered_is_refused(desk: Desk) -> None:
    plain = (*_NEW, "--id", "tuneloop-car", "--redirect-uri", "http://evil.example/")
    assert "redirect URI 'http://evil.example/'" in desk.refused(*plain)
    assert desk.refused(*_NEW, "--id", "alice").startswith("client id 'alice' must have a hyphen")
    named = (*_NEW[:5], "Palaver Support", *_NEW[6:], "--id", "tuneloop-car")
    assert "reserved word" in desk.refused(*named)
    homeless = (*_NEW[:3], "no-such-thing", *_NEW[4:])
    assert desk.refused(*homeless) == "there is no feature 'no-such-thing'"
    assert len(desk.json("clients", "list")["clients"]) == 3


def test_a_missing_option_is_wrong_usage(desk: Desk) -> None:
    assert "--redirect-uri" in desk.misused(*_NEW[:6])
    assert "--auth" in desk.misused(*_NEW, "--auth", "password")


def test_disabling_ends_everything_with_it_at_once(each_desk: Desk) -> None:
    held = each_desk.world.connect("alice", "tuneloop-share")
    assert each_desk.json("clients", "disable", "tuneloop-share", "--as", "ops")["state"] == "disabled"
    assert each_desk.world.says(held.access) == "client-disabled"
    assert each_desk.refused("clients", "disable", "tuneloop-share") == "client tuneloop-share is disabled already"


def test_rotating_keeps_the_secret_before_until_the_next_rotation(each_desk: Desk) -> None:
    first = each_desk.json(*_NEW, "--id", "tuneloop-car")["client_secret"]
    second = each_desk.json("clients", "rotate-secret", "tuneloop-car", "--as", "ops")["client_secret"]
    assert [_proven(each_desk, "tuneloop-car", each) for each in (first, second)] == [True, True]
    third = each_desk.json("clients", "rotate-secret", "tuneloop-car")["client_secret"]
    assert [_proven(each_desk, "tuneloop-car", each) for each in (first, second, third)] == [False, True, True]


def test_an_unknown_client_is_refused_by_name(desk: Desk) -> None:
    for command in ("disable", "rotate-secret"):
        assert desk.refused("clients", command, "no-client") == "there is no client 'no-client'"


def test_people_are_told_that_a_secret_is_shown_once(desk: Desk) -> None:
    assert desk.says(*_NEW).startswith("registered; the secret is shown this once\n\n")
