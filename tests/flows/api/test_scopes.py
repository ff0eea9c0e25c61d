"""What is asked for, what is ticked, what is given: scopes from the request to the answer."""

from __future__ import annotations

import pytest
from authlib.integrations.base_client import OAuthError

from tests.visitors.partner import Partner
from tests.visitors.person import Person, redirected_to
from tests.visitors.site import Site


@pytest.fixture
def reelwise(site: Site) -> Partner:
    """A partner with two required scopes and an optional one."""
    return Partner(site, "reelwise-recommend")


REQUIRED = "messages:read messages:write"
ALL = f"{REQUIRED} participants:read"


def test_an_omitted_scope_means_what_the_feature_requires(alice: Person, reelwise: Partner) -> None:
    page = alice.open(reelwise.asks())
    assert page.form("decision").choices("scope") == []
    assert "Title of participants:read" not in page.text
    assert reelwise.connects(alice)["scope"] == REQUIRED


def test_an_optional_scope_stands_unticked_and_is_not_given_unless_it_is_ticked(
    alice: Person, reelwise: Partner
) -> None:
    page = alice.open(reelwise.asks(ALL))
    form = page.form("decision")
    assert form.choices("scope") == ["participants:read"]
    assert form.ticked() == []
    assert reelwise.receives(alice.answer(page))["scope"] == REQUIRED


def test_an_optional_scope_that_is_ticked_is_given_and_said_in_the_answer(alice: Person, reelwise: Partner) -> None:
    assert reelwise.connects(alice, ALL, scopes=["participants:read"])["scope"] == ALL


def test_ticking_what_was_not_asked_for_gives_nothing_more(alice: Person, reelwise: Partner) -> None:
    page = alice.open(reelwise.asks(REQUIRED))
    assert reelwise.receives(alice.answer(page, scopes=["participants:read", "contacts:read"]))["scope"] == REQUIRED


def test_required_scopes_cannot_be_left_out_by_the_form(alice: Person, reelwise: Partner) -> None:
    page = alice.open(reelwise.asks("messages:read"))
    assert reelwise.receives(alice.answer(page, scopes=[]))["scope"] == "messages:read"


def test_a_scope_above_the_ceiling_is_an_error_and_never_dropped_in_silence(alice: Person, reelwise: Partner) -> None:
    page = alice.open(reelwise.asks(f"{REQUIRED} contacts:read"))
    _, given = redirected_to(page)
    assert (given["error"], given["state"]) == ("invalid_scope", reelwise.state)
    assert "contacts:read" in given["error_description"]


@pytest.mark.parametrize("scope", ["operate", "standing:read", "messages:read  messages:write", 'a"b', "read"])
def test_a_scope_that_no_ceiling_holds_is_an_error(alice: Person, reelwise: Partner, scope: str) -> None:
    _, given = redirected_to(alice.open(reelwise.asks(scope)))
    assert given["error"] == "invalid_scope"


def test_a_refresh_may_ask_for_less_and_never_for_more(alice: Person, reelwise: Partner) -> None:
    token = reelwise.connects(alice)
    less = reelwise.refreshes(token, scope="messages:read")
    assert less["scope"] == "messages:read"
    threads = reelwise.calls("GET", "/api/threads", less).json()["threads"]
    path = f"/api/threads/{threads[0]['id']}/messages"
    refused = reelwise.calls("POST", path, less, json={"text": "no"})
    assert refused.json()["type"] == "urn:palaver:problem:insufficient-scope"
    with pytest.raises(OAuthError) as wider:
        reelwise.refreshes(less, scope=ALL)
    assert wider.value.error == "invalid_scope"
    # A refusal of that kind has consumed nothing, and what was granted is still there to ask for.
    assert reelwise.refreshes(less)["scope"] == REQUIRED


def test_scopes_are_disjoint_and_writing_does_not_include_reading(alice: Person, tuneloop: Partner) -> None:
    token = tuneloop.connects(alice)
    threads = tuneloop.calls("GET", "/api/threads", token).json()["threads"]
    refused = tuneloop.calls("GET", f"/api/threads/{threads[0]['id']}/messages", token)
    assert refused.status_code == 403
    assert refused.json()["scope"] == "messages:read"
