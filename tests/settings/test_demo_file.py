"""demo.toml: the demo world."""

from __future__ import annotations

import pytest

from broker.settings import DemoContact, DemoPerson, DemoPost, DemoThread, DemoWorld
from tests.settings.conftest import Configuration


def test_the_world_is_read(configuration: Configuration) -> None:
    configuration.change(configuration.demo, '["alice", "bob"]]\n\n[[person]]', '["bob", "alice"]]\n\n[[person]]')
    configuration.add(
        configuration.demo,
        '[[person]]\nusername = "tuneloop"\ndisplay_name = "TuneLoop"\npassword = "tuneloop-demo"\n'
        'role = "partner"\npartner = "tuneloop"\n',
    )
    assert configuration.load().demo == DemoWorld(
        people=(
            DemoPerson("alice", "Alice", "alice-demo", "user"),
            DemoPerson("bob", "Bob", "bob-demo", "user"),
            DemoPerson("tuneloop", "TuneLoop", "tuneloop-demo", "partner", "tuneloop"),
        ),
        threads=(DemoThread("Saturday hike", ("alice", "bob"), (("alice", "Who is in?"),)),),
        friends=(("alice", "bob"),),
        posts=(DemoPost("alice", "First swim of the year."),),
        contacts=(DemoContact("alice", "Mum", "mum@family.example", "+1 555 0100"),),
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('username = "bob"', 'username = "alice"', "person: expected each username once"),
        ('username = "bob"', 'username = "bob-b"', "person[1].username: must be 1 to 31 lower-case letters and digits"),
        ('"bob-demo"', '"short"', "person[1].password: must have at least 8 characters"),
        ('"bob-demo"', '"bob-demo"\nrole = "king"', "person[1].role: expected one of user, operator, partner, found"),
        ('"bob-demo"', '"bob-demo"\nrole = "partner"', 'person[1].partner: expected for role = "partner", and for no'),
        ('"bob-demo"', '"bob-demo"\npartner = "tuneloop"', 'person[1].partner: expected for role = "partner"'),
        (
            '"bob-demo"',
            '"bob-demo"\nrole = "partner"\npartner = "nobody"',
            "person[1].partner: unknown partner 'nobody'; known are tuneloop",
        ),
        ('members = ["alice", "bob"]', 'members = ["alice", "zoe"]', "thread[0].members[1]: unknown user 'zoe'; known"),
        ('members = ["alice", "bob"]', 'members = ["alice"]', "thread[0].members: expected at least 2, found 1"),
        ('["alice", "Who', '["zoe", "Who', "thread[0].messages[0]: 'zoe' is not a member of this thread"),
        ('"Who is in?"', '" "', "thread[0].messages[0]: must not be blank"),
        ('[["alice", "bob"]]', '[["alice", "zoe"]]', "friends[0]: unknown user 'zoe'; known are alice, bob"),
        ('[["alice", "bob"]]', '[["alice", "alice"]]', "friends[0]: nobody is their own friend here"),
        ('[["alice", "bob"]]', '[["alice", "bob"], ["bob", "alice"]]', "friends[1]: repeats a pair"),
        ('author = "alice"', 'author = "zoe"', "post[0].author: unknown user 'zoe'"),
        ('owner = "alice"', 'owner = "zoe"', "contact[0].owner: unknown user 'zoe'"),
        ("[[post]]", "[[posts]]", "posts: unknown key; known are person, thread, friends, post, contact"),
        ("phone", "fax", "contact[0].fax: unknown key; known are owner, name, email, phone"),
    ],
)
def test_a_mistake_is_named(old: str, new: str, problem: str, configuration: Configuration) -> None:
    configuration.change(configuration.demo, old, new)
    problems = configuration.problems()
    assert [each for each in problems if each.startswith(f"demo.toml: {problem}")], problems


def test_an_operator_takes_part_in_no_conversation(configuration: Configuration) -> None:
    configuration.change(configuration.demo, '"bob-demo"', '"bob-demo"\nrole = "operator"')
    assert "demo.toml: thread[0].members[1]: unknown user 'bob'; known are alice" in configuration.problems()


def test_a_configuration_may_have_no_demo_world(configuration: Configuration) -> None:
    configuration.change(configuration.main, 'demo = "demo.toml"', "")
    assert configuration.load().demo is None


def test_the_demo_world_is_served_on_loopback_only(configuration: Configuration) -> None:
    configuration.change(configuration.main, "[files]", 'allowed_hosts = ["localhost", "palaver.example"]\n[files]')
    assert configuration.problems() == [
        "palaver.toml: allowed_hosts: the demo world is served on loopback only, not on palaver.example",
    ]
