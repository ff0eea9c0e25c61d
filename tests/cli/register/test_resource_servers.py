"""broker resource-servers."""

from __future__ import annotations

from broker.operations.register import resource_servers
from tests.cli.desk import Desk

_NEW = ("resource-servers", "register", "archive", "--name", "Message archive", "--scope", "messages:read")


def _proven(desk: Desk, secret: str) -> bool:
    with desk.world.database.read() as transaction:
        return resource_servers.authenticate(transaction, "archive", secret) is not None


def test_the_list_names_what_each_serves_and_no_secret(desk: Desk) -> None:
    assert desk.json("resource-servers", "list") == {
        "resource_servers": [
            {"id": "palaver-search", "name": "Palaver search", "state": "active",
             "scopes": ["messages:read", "messages:write"]}
        ]
    }  # fmt: skip


def test_registering_prints_a_secret_that_proves_it_until_it_is_disabled(each_desk: Desk) -> None:
    new = each_desk.json(*_NEW, "--scope", "posts:read", "--as", "ops")
    assert (new["id"], new["scopes"], new["state"]) == ("archive", ["messages:read", "posts:read"], "active")
    assert _proven(each_desk, new["secret"])
    assert each_desk.json("resource-servers", "disable", "archive", "--as", "ops")["state"] == "disabled"
    assert not _proven(each_desk, new["secret"])
    assert each_desk.refused("resource-servers", "disable", "archive") == "resource server archive is disabled already"


def test_what_may_not_be_registered_is_refused(desk: Desk) -> None:
    desk.json(*_NEW)
    assert desk.refused(*_NEW) == "resource server archive is registered already"
    unknown = ("resource-servers", "register", "other", "--name", "Other", "--scope", "all:things")
    assert desk.refused(*unknown) == "resource server other: unknown scopes: all:things"


def test_an_unknown_resource_server_is_refused_by_name(desk: Desk) -> None:
    assert desk.refused("resource-servers", "disable", "nothing") == "there is no resource server 'nothing'"


def test_a_server_of_no_scope_is_wrong_usage(desk: Desk) -> None:
    assert "--scope" in desk.misused(*_NEW[:5])
