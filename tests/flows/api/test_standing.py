"""A partner reads its own standing: what it holds, and after the end the receipt."""

from __future__ import annotations

from broker.operations.register import clients
from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import Site
from tests.world import World


def test_it_tells_feature_state_and_ceiling(site: Site, tuneloop: Partner) -> None:
    found = tuneloop.calls("GET", "/api/standing", tuneloop.of_its_own()).json()
    assert (found["client_id"], found["partner"], found["feature"]) == ("tuneloop-share", "tuneloop", "share-a-track")
    assert (found["state"], found["epoch"], found["receipt"]) == ("active", 1, None)
    assert {entry["scope"]: entry["required"] for entry in found["ceiling"]} == {
        "messages:write": True, "profile:read": False,
    }  # fmt: skip


def test_it_works_after_the_end_and_gives_the_receipt(world: World, alice: Person, tuneloop: Partner) -> None:
    before = tuneloop.of_its_own()
    tuneloop.connects(alice)
    receipt = world.shut_down("share-a-track", reason="the feature is over")
    for token in (before, tuneloop.of_its_own()):
        found = tuneloop.calls("GET", "/api/standing", token).json()
        assert (found["state"], found["epoch"]) == ("shut_down", 2)
        assert found["receipt"]["op_id"] == receipt["op_id"]
        assert found["receipt"]["ended"]["grants"] == 1
        assert "ops" not in str(found), "who did it is the network's business"


def test_a_clients_own_token_is_counted_in_no_receipt(world: World, alice: Person, tuneloop: Partner) -> None:
    tuneloop.of_its_own()
    receipt = world.shut_down("share-a-track")
    assert receipt["ended"] == {"grants": 0, "users": 0, "access_tokens": 0, "refresh_tokens": 0, "codes": 0}
    assert set(receipt["live_after"].values()) == {0}  # type: ignore[attr-defined]


def test_a_suspended_feature_is_told_as_such(world: World, tuneloop: Partner) -> None:
    world.suspend("share-a-track")
    assert tuneloop.calls("GET", "/api/standing", tuneloop.of_its_own()).json()["state"] == "suspended"


def test_a_persons_token_does_not_read_it(alice: Person, tuneloop: Partner) -> None:
    answer = tuneloop.calls("GET", "/api/standing", tuneloop.connects(alice))
    assert (answer.status_code, answer.json()["scope"]) == (403, "standing:read")


def test_a_disabled_client_reads_nothing(world: World, tuneloop: Partner) -> None:
    token = tuneloop.of_its_own()
    with world.write() as context:
        clients.disable(context, "tuneloop-share")
    answer = tuneloop.calls("GET", "/api/standing", token)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:palaver:problem:client-disabled")
