"""partners/*.toml: a partner, its features, their ceilings and clients."""

from __future__ import annotations

import pytest

from broker.settings import CeilingEntry, ClientFile
from tests.settings.conftest import Configuration

_SECRET = "dev-only-0123456789abcdef0123456789abcdef"
_MORE = """
[[feature]]
id = "find-people"
name = "Find people"
purpose = "Find people you know."
needs = ["read"]
state = "draft"

[[feature.scopes]]
scope = "messages:read"
reason = "We look for names."
"""
_CONTACTS = """
[[feature]]
id = "ring-people"
name = "Ring people"
purpose = "Ring people you know."
needs = ["contacts"]
state = "draft"

[[feature.scopes]]
scope = "contacts:read"
reason = "We show the number."
"""


def test_a_partner_is_read_with_everything_that_is_its(configuration: Configuration) -> None:
    configuration.change(
        configuration.partner,
        'state = "active"',
        'state = "active"\nends_at = 2027-01-01T00:00:00Z\ngrant_lifetime = "30d"',
    )
    (partner,) = configuration.load().register.partners
    assert (partner.id, partner.name, partner.homepage) == ("tuneloop", "TuneLoop", "https://tuneloop.example")
    assert partner.file == str(configuration.partner)
    (feature,) = partner.features
    assert (feature.id, feature.partner, feature.name) == ("share-a-track", "tuneloop", "Share a track")
    assert (feature.needs, feature.state, feature.file) == (("send",), "active", partner.file)
    assert (feature.ends_at, feature.grant_lifetime_s) == (1_798_761_600_000_000, 30 * 86_400)
    assert feature.ceiling == (CeilingEntry("messages:write", "We post the song that you share."),)
    assert feature.clients == (
        ClientFile("tuneloop-share", "TuneLoop", "client_secret_basic", ("http://127.0.0.1:8101/callback",)),
    )


def test_end_and_lifetime_of_a_feature_may_be_open(configuration: Configuration) -> None:
    (feature,) = configuration.load().register.features
    assert feature.ends_at is None
    assert feature.grant_lifetime_s is None


def test_every_problem_of_a_file_is_listed(configuration: Configuration) -> None:
    for old, new in [
        ('id = "share-a-track"', 'id = "Share a track"'),
        ('"active"', '"live"'),
        ("client_secret_basic", "basic"),
        ("http://127.0.0.1:8101", "http://tuneloop.example"),
    ]:
        configuration.change(configuration.partner, old, new)
    assert configuration.problems() == [
        (
            "partners/tuneloop.toml: feature[0].id: "
            "must be 2 to 63 lower-case ASCII letters, digits and hyphens, a letter first"
        ),
        "partners/tuneloop.toml: feature[0].state: expected one of draft, active, suspended, shut_down, found 'live'",
        (
            "partners/tuneloop.toml: feature[0].clients[0].auth: "
            "expected one of client_secret_basic, client_secret_post, none, found 'basic'"
        ),
        (
            "partners/tuneloop.toml: feature[0].clients[0].redirect_uris[0]: "
            "uses http on a host that is not a loopback address"
        ),
    ]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('homepage = "https:', 'homepage = "http:', "homepage: must be an https:// address"),
        ("https://tuneloop.example", f"https://{'a' * 200}.example", "homepage: must have at most 200 characters"),
        ("Send a song", f"Send {'a' * 280}", "feature[0].purpose: must have at most 280 characters, has 306"),
        ("Send a song", "See http://x.example", "feature[0].purpose: must not have a link"),
        ("We post", f"We {'a' * 200} post", "feature[0].scopes[0].reason: must have at most 200 characters, has 233"),
        ("We post", "See www.x.example, we post", "feature[0].scopes[0].reason: must not have a link"),
        ('needs = ["send"]', 'needs = ["sned"]', "feature[0].needs[0]: unknown need 'sned'; known are send, read"),
        ('needs = ["send"]', "needs = []", "feature[0].needs: expected at least 1, found 0"),
        ('"messages:write"', '"operate"', "feature[0].scopes[0].scope: unknown scope 'operate'; known are"),
        ('state = "active"', "", "feature[0].state: is missing; expected one of draft"),
        (
            'state = "active"',
            'state = "active"\ngrant_lifetime = "2000d"',
            "feature[0].grant_lifetime: expected more than none and at most 366d, found '2000d'",
        ),
        ("redirect_uris", "redirect_url", "feature[0].clients[0].redirect_uris: is missing; expected an array"),
        ("redirect_uris", "redirect_url", "feature[0].clients[0].redirect_url: unknown key; known are id, name, auth"),
        ('id = "tuneloop-share"', 'id = "alice"', "feature[0].clients[0].id: must have a hyphen"),
        ('homepage =', 'home =', "home: unknown key; known are id, name, homepage, feature"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(old: str, new: str, problem: str, configuration: Configuration) -> None:
    configuration.change(configuration.partner, old, new)
    problems = configuration.problems()
    assert [each for each in problems if each.startswith(f"partners/tuneloop.toml: {problem}")], problems


@pytest.mark.parametrize("name", ["Palaver Support", "TuneLoop Official", "Tune\u200bLoop", "TuneL\u043eop"])
@pytest.mark.parametrize("place", ["", "feature[0].", "feature[0].clients[0]."])
def test_no_name_may_pass_for_another(name: str, place: str, configuration: Configuration) -> None:
    old = {
        "": 'id = "tuneloop"\nname = "TuneLoop"',
        "feature[0].": 'name = "Share a track"',
        "feature[0].clients[0].": 'id = "tuneloop-share"\nname = "TuneLoop"',
    }[place]
    new = f'{old.rpartition("name")[0]}name = "{name}"'
    configuration.change(configuration.partner, old, new)
    (problem,) = configuration.problems()
    assert problem.startswith(f"partners/tuneloop.toml: {place}name: must not ")


def test_the_name_of_the_network_is_reserved_whatever_it_is(configuration: Configuration) -> None:
    configuration.change(configuration.main, "[files]", 'name = "Agora"\n[files]')
    configuration.change(configuration.partner, '"Share a track"', '"Agora tracks"')
    assert configuration.problems() == [
        "palaver.toml: resource_server[0].name: must not have the reserved word 'palaver', or what looks like it",
        "partners/tuneloop.toml: feature[0].name: must not have the reserved word 'agora', or what looks like it",
    ]


def test_a_scope_beyond_the_need_says_why(configuration: Configuration) -> None:
    wider = '[[feature.scopes]]\nscope = "messages:read"\nreason = "We read."\nrequired = false\n\n[[feature.clients]]'
    configuration.change(configuration.partner, "[[feature.clients]]", wider)
    assert configuration.problems() == [
        (
            "partners/tuneloop.toml: feature[0].scopes[1].beyond_need: "
            "is missing; messages:read is wider than the need (send): say why it is asked for"
        ),
    ]
    configuration.change(configuration.partner, "required = false", 'required = false\nbeyond_need = "Answers too."')
    (feature,) = configuration.load().register.features
    assert feature.ceiling[1] == CeilingEntry("messages:read", "We read.", required=False, beyond_need="Answers too.")
    assert feature.scopes == frozenset({"messages:read", "messages:write"})


def test_a_scope_stands_once_in_a_ceiling(configuration: Configuration) -> None:
    again = '[[feature.scopes]]\nscope = "messages:write"\nreason = "Again."\n\n[[feature.clients]]'
    configuration.change(configuration.partner, "[[feature.clients]]", again)
    assert configuration.problems() == ["partners/tuneloop.toml: feature[0].scopes[1].scope: repeats 'messages:write'"]


def test_a_feature_without_a_scope_is_none(configuration: Configuration) -> None:
    entry = '[[feature.scopes]]\nscope = "messages:write"\nreason = "We post the song that you share."\n'
    configuration.change(configuration.partner, entry, "")
    assert configuration.problems() == [
        "partners/tuneloop.toml: feature[0].scopes: is missing; a feature asks for at least one scope",
    ]


def test_what_is_forbidden_together_is_forbidden_over_all_features_of_a_partner(configuration: Configuration) -> None:
    configuration.add(configuration.partner, _MORE + _CONTACTS)
    assert configuration.problems() == [
        (
            "partners/tuneloop.toml: feature: no partner may hold contacts:read and messages:read, "
            "in one feature or several: together they are a file on people"
        ),
    ]


def test_two_partners_may_hold_apart_what_one_may_not_hold_together(configuration: Configuration) -> None:
    configuration.add(configuration.partner, _MORE)
    other = configuration.partner.with_name("handset.toml")
    other.write_text('id = "handset"\nname = "HandSet"\n' + _CONTACTS, encoding="utf-8")
    assert [partner.id for partner in configuration.load().register.partners] == ["handset", "tuneloop"]


def test_a_feature_that_is_over_holds_nothing(configuration: Configuration) -> None:
    configuration.add(configuration.partner, _MORE + _CONTACTS.replace("draft", "shut_down"))
    assert len(configuration.load().register.features) == 3


def test_a_development_secret_says_that_it_is_one(configuration: Configuration) -> None:
    configuration.change(configuration.partner, "redirect_uris", 'development_secret = "canary"\nredirect_uris')
    assert configuration.problems() == [
        (
            "partners/tuneloop.toml: feature[0].clients[0].development_secret: "
            "must begin with dev-only- and have at least 32 ASCII characters"
        ),
    ]
    configuration.change(configuration.partner, "canary", _SECRET)
    assert configuration.load().register.features[0].clients[0].development_secret == _SECRET


def test_a_public_client_has_no_secret(configuration: Configuration) -> None:
    configuration.change(configuration.partner, "client_secret_basic", "none")
    configuration.load()
    configuration.change(configuration.partner, "redirect_uris", f'development_secret = "{_SECRET}"\nredirect_uris')
    assert configuration.problems() == [
        'partners/tuneloop.toml: feature[0].clients[0].development_secret: a client with auth = "none" has no secret',
    ]
