"""Loading: which file, which environment, and what ships."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.domain.scopes import USER_SCOPES
from broker.settings import DEVELOPMENT, ConfigError, load
from tests.settings.conftest import Configuration


def test_the_development_configuration_is_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = load()
    assert found.environment == "development"
    assert found.config_file == DEVELOPMENT


def test_broker_config_names_another(configuration: Configuration) -> None:
    assert load(environ={"BROKER_CONFIG": str(configuration.main)}).config_file == configuration.main


def test_a_file_that_is_given_stands_above_broker_config(configuration: Configuration) -> None:
    assert load(configuration.main, {"BROKER_CONFIG": "/nowhere.toml"}).config_file == configuration.main


def test_the_environment_stands_above_the_file(configuration: Configuration) -> None:
    url = "postgresql://broker@db/broker"
    configuration.change(configuration.main, "[database]", '[database]\nurl = "sqlite:///broker.db"')
    changed = configuration.load(BROKER_DATABASE_URL=url, BROKER_SECRET_KEY="k" * 32)
    assert changed.database.url == url
    assert changed.secret_key == b"k" * 32


def test_an_empty_variable_is_none(configuration: Configuration) -> None:
    plain = configuration.load()
    assert configuration.load(BROKER_CONFIG="", BROKER_DATABASE_URL="", BROKER_SECRET_KEY="") == plain


def test_a_wrong_variable_is_named_and_not_shown(configuration: Configuration) -> None:
    assert configuration.problems(BROKER_DATABASE_URL="mysql://u:canary@h/d", BROKER_SECRET_KEY="canary") == [
        "environment: BROKER_SECRET_KEY: must have at least 32 bytes, has 6",
        "environment: BROKER_DATABASE_URL: must be sqlite:///FILE or postgresql://...",
    ]


def test_the_other_files_are_found_beside_the_main_one(configuration: Configuration) -> None:
    configuration.scopes.rename(configuration.directory / "words.toml")
    configuration.demo.rename(configuration.directory.parent / "world.toml")
    configuration.change(configuration.main, 'demo = "demo.toml"', 'demo = "../world.toml"\nscopes = "words.toml"')
    loaded = configuration.load()
    assert loaded.demo is not None
    assert len(loaded.register.scopes) == 3


def test_the_partners_are_read_in_the_order_of_their_files(configuration: Configuration) -> None:
    for name in ("zeta", "alpha"):
        configuration.partner.with_name(f"{name}.toml").write_text(f'id = "{name}"\nname = "{name}"\n')
    assert [partner.id for partner in configuration.load().register.partners] == ["alpha", "tuneloop", "zeta"]


def test_a_pattern_that_matches_nothing_is_a_mistake(configuration: Configuration) -> None:
    configuration.change(configuration.main, "partners/*.toml", "partner/*.toml")
    assert configuration.problems() == ["palaver.toml: files.partners: 'partner/*.toml' matches no file"]


def test_a_register_may_be_empty_when_no_pattern_is_given(configuration: Configuration) -> None:
    configuration.change(configuration.main, 'partners = "partners/*.toml"', "")
    assert configuration.load().register.partners == ()


def test_an_id_names_one_thing_over_all_files(configuration: Configuration) -> None:
    again = configuration.partner.with_name("zeta.toml")
    again.write_text(configuration.partner.read_text())
    prefix = str(configuration.partner)
    assert configuration.problems() == [
        f"partners/zeta.toml: id: repeats 'tuneloop', which {prefix} has",
        f"partners/zeta.toml: feature[0].id: repeats 'share-a-track', which {prefix} has",
        f"partners/zeta.toml: feature[0].clients[0].id: repeats 'tuneloop-share', which {prefix} has",
    ]


def test_no_client_has_the_id_of_a_resource_server(configuration: Configuration) -> None:
    configuration.change(configuration.partner, "tuneloop-share", "palaver-search")
    assert configuration.problems() == [
        f"partners/tuneloop.toml: feature[0].clients[0].id: repeats 'palaver-search', which {configuration.main} has",
    ]


def test_the_problems_of_several_files_are_told_together(configuration: Configuration) -> None:
    configuration.change(configuration.partner, 'state = "active"', 'state = "live"')
    configuration.change(configuration.demo, '"bob-demo"', '"short"')
    assert [problem.split(":")[0] for problem in configuration.problems()] == ["partners/tuneloop.toml", "demo.toml"]


@pytest.mark.parametrize("name", ["palaver.toml", "scopes.toml", "partners/tuneloop.toml", "demo.toml"])
def test_a_file_with_a_syntax_error_is_one_problem_with_its_line(name: str, configuration: Configuration) -> None:
    configuration.add(configuration.directory / name, "\n= 1\n")
    line = len((configuration.directory / name).read_text().splitlines())
    (problem,) = [each for each in configuration.problems() if each.startswith(f"{name}: ")]
    assert problem.startswith(f"{name}: is not TOML: ")
    assert f"line {line}," in problem


def _refusal(configuration: Configuration) -> str:
    """What is said of a broken configuration, nothing of one that is still valid; anything else fails the test."""
    try:
        configuration.load()
    except ConfigError as error:
        return str(error)
    return ""


# A broken file costs a clear error, never a traceback: what nobody thought of is tried by machine.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["main", "scopes", "partner", "demo"]), at=st.floats(0, 1), junk=st.binary(max_size=12))
def test_junk_in_a_file_is_refused_in_one_line(name: str, at: float, junk: bytes, configuration: Configuration) -> None:
    file: Path = getattr(configuration, name)
    whole = file.read_bytes()
    place = int(at * len(whole))
    file.write_bytes(whole[:place] + junk + whole[place + len(junk) :])
    said = _refusal(configuration)
    file.write_bytes(whole)
    assert said.isprintable()


_VALUES = st.recursive(
    st.one_of(
        st.booleans().map(lambda value: str(value).lower()),
        st.integers(-(2**63), 2**63 - 1).map(str),
        st.sampled_from(['""', '"x"', '"60s"', '"\\u0000"', "1.5", "nan", "2026-12-31T00:00:00Z", "12:00:00", "{}"]),
    ),
    lambda inner: st.lists(inner, max_size=3).map(lambda values: f"[{', '.join(values)}]"),
    max_leaves=6,
)
_LINES = [(name, index) for name in ("main", "scopes", "partner", "demo") for index in range(40)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.sampled_from(_LINES), value=_VALUES)
def test_any_value_of_the_wrong_kind_is_refused_in_one_line(
    where: tuple[str, int], value: str, configuration: Configuration
) -> None:
    file: Path = getattr(configuration, where[0])
    whole = file.read_text()
    lines = whole.splitlines()
    index = where[1] % len(lines)
    key, separator, _ = lines[index].partition(" = ")
    if separator:
        lines[index] = f"{key} = {value}"
    file.write_text("\n".join(lines))
    said = _refusal(configuration)
    file.write_text(whole)
    assert said.isprintable()


def test_what_ships_is_the_world_of_the_story() -> None:
    register = load().register
    assert {partner.id for partner in register.partners} == {
        "tuneloop", "reelwise", "northbank", "folderbay", "querio", "portalhub", "shopriver", "handset",
    }  # fmt: skip
    assert {feature.id: feature.state for feature in register.features} == {
        "share-a-track": "active", "recommend-a-show": "active", "transfer-notice": "active",
        "share-folder": "draft", "friend-search": "draft", "news-bar": "draft", "gift-ideas": "draft",
        "device-sync": "draft",
    }  # fmt: skip
    clients = {client.id: client for feature in register.features for client in feature.clients}
    assert sorted(clients) == ["northbank-notice", "reelwise-recommend", "tuneloop-share"]
    assert {client.auth for client in clients.values()} == {"client_secret_basic"}
    assert len({client.development_secret for client in clients.values()} - {None}) == 3
    assert {server.id for server in register.resource_servers} == {"palaver-search"}


def test_what_ships_has_words_for_every_scope_of_the_api() -> None:
    register = load().register
    assert frozenset(register.scopes) == USER_SCOPES
    assert frozenset().union(*register.baseline.values()) == USER_SCOPES


def test_what_ships_requires_no_more_than_the_purpose_needs() -> None:
    register = load().register
    for feature in register.features:
        needed = frozenset().union(*(register.baseline[need] for need in feature.needs))
        assert {entry.scope for entry in feature.ceiling if entry.required} == needed, feature.id


def test_the_people_who_ship_have_something_to_read() -> None:
    shipped = load()
    world = shipped.demo
    assert world is not None
    roles = {person.username: person.role for person in world.people}
    users = {name for name, role in roles.items() if role == "user"}
    assert users == {"alice", "bob", "carol", "dave", "erin"}
    assert {name for name, role in roles.items() if role == "operator"} == {"ops", "ops2"}
    assert {name for name, role in roles.items() if role == "partner"} == {"tuneloop", "reelwise", "northbank"}
    assert all(person.password == f"{person.username}-demo" for person in world.people)
    for user in users:
        assert sum(user in thread.members for thread in world.threads) >= 2
        assert user in {name for pair in world.friends for name in pair}
        assert user in {post.author for post in world.posts}
        assert user in {contact.owner for contact in world.contacts}
    assert sum(len(thread.messages) > 20 for thread in world.threads) >= 2
    assert not shipped.limits.enabled
