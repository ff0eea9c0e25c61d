"""broker nodes."""

from __future__ import annotations

import pytest

from broker.cli.output import awaiting
from broker.operations import nodes
from tests.cli.desk import Desk


def _registered(desk: Desk, server: str | None = None) -> str:
    with desk.world.write("broker") as context:
        return nodes.register(context, 300_000, server)[0]


def test_without_nodes_the_list_is_empty(desk: Desk) -> None:
    assert desk.json("nodes", "list") == {"nodes": []}


def test_the_list_says_whose_each_is_what_it_confirmed_and_how_long_it_may(each_desk: Desk) -> None:
    own, theirs = _registered(each_desk), _registered(each_desk, "palaver-search")
    listed = {each["id"]: each for each in each_desk.json("nodes", "list")["nodes"]}
    assert {name: each["of"] for name, each in listed.items()} == {own: "broker", theirs: "palaver-search"}
    assert all(each["state"] == "live" and each["confirmed"] == each["position"] for each in listed.values())
    assert all(each["lease_ms"] == 300 and 0 <= each["lease_left_ms"] <= 300 for each in listed.values())


def test_a_retired_node_gets_no_lease_and_an_unknown_one_is_named(each_desk: Desk) -> None:
    own = _registered(each_desk)
    retired = each_desk.json("nodes", "retire", own, "--as", "ops")
    assert (retired["state"], retired["lease_left_ms"]) == ("retiring", None)
    assert each_desk.refused("nodes", "retire", "n0") == "there is no node 'n0'"


def test_nothing_is_written_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with awaiting() as tell:
        tell(("n1", "n2"))
    assert capsys.readouterr() == ("", "")


def test_who_watches_sees_who_is_awaited(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with awaiting() as tell:
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        tell(("n1", "n2"))
        tell(("n1", "n2"))
        tell(("n2",))
    assert capsys.readouterr().err.count("waiting for n1, n2") == 1
