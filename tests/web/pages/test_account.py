"""The account page: changing the password, and what that ends."""

from __future__ import annotations

import pytest

from tests.visitors.person import Person
from tests.visitors.reading import said
from tests.visitors.site import Site
from tests.world import World


def test_it_says_beforehand_what_changing_the_password_ends(alice: Person, ops: Person) -> None:
    text = said(alice.open("/account"))
    assert "You will be logged out everywhere, here too." in text
    assert "keep their permission, but every token that they hold stops working" in text
    assert "token" not in said(ops.open("/account"))  # an operator has connected no app


def test_a_changed_password_ends_sessions_and_tokens_and_leaves_permissions(
    sqlite_world: World, site: Site, alice: Person
) -> None:
    connection = sqlite_world.connect("alice", "tuneloop-share")
    other = Person(site, "alice")
    other.log_in()
    page = alice.submit(alice.open("/account"), "new", current="alice-demo", new="a new one entirely")
    assert page.path == "/login"
    assert "Your password is changed, and you are logged out everywhere." in said(page)
    assert not other.is_logged_in()
    assert sqlite_world.says(connection.access) == "token-revoked"
    assert alice.log_in("a new one entirely").path == "/inbox"
    assert "Share a track" in said(alice.open("/connected-apps"))


@pytest.mark.parametrize(
    ("current", "new", "status", "problem"),
    [
        ("wrong", "a new one entirely", 403, "That is not your current password."),
        ("alice-demo", "short", 400, "A password has 8 to 128 characters."),
        ("alice-demo", "x" * 129, 400, "A password has 8 to 128 characters."),
    ],
)
def test_a_refused_change_says_why_and_changes_nothing(
    alice: Person, current: str, new: str, status: int, problem: str
) -> None:
    page = alice.submit(alice.open("/account"), "new", current=current, new=new)
    assert page.status == status
    assert problem in said(page)
    assert alice.is_logged_in()
    assert "x" * 129 not in page.answer.text
