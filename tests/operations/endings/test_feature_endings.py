"""Every way in which a feature, its partner or its client ends access: at once, without a sweep, and for good or not."""

from __future__ import annotations

from tests.world import World


def test_a_shutdown_ends_every_grant_at_once(world: World) -> None:
    alice = world.connect("alice", "tuneloop-share")
    assert world.says(alice.access, "messages:write") == "allowed"
    world.shut_down("share-a-track")
    assert world.says(alice.access, "messages:write") == "feature-shut-down"
