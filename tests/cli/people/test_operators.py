"""broker operators."""

from __future__ import annotations

from broker.domain.instants import SECOND, parse_rfc3339
from broker.domain.tokens import TokenKind, well_formed
from tests.cli.desk import Desk


def test_the_list_has_operators_alone(desk: Desk) -> None:
    assert [each["username"] for each in desk.json("operators", "list")["operators"]] == ["ops", "ops2"]


def test_a_token_is_the_operators_own_and_shown_once(each_desk: Desk) -> None:
    issued = each_desk.json("operators", "token", "--scope", "operate", "--as", "ops")
    assert well_formed(TokenKind.OPERATOR, issued["token"])
    assert (issued["operator"], issued["scope"]) == ("ops", "operate")
    lifetime = parse_rfc3339(issued["expires_at"]) - each_desk.world.clock()
    assert 3590 * SECOND < lifetime <= 3600 * SECOND
    entry = each_desk.log()[0]
    assert (entry["action"], entry["actor"]) == ("operator.token_issued", "operator:ops")
    assert issued["token"] not in str(entry)


def test_nobody_but_an_active_operator_gets_a_token(desk: Desk) -> None:
    for name in ("alice", "nobody", ""):
        line = desk.refused("operators", "token", "--scope", "operate", "--as", name)
        assert line == f"{name!r} is not an active operator"


def test_a_token_without_an_operator_or_of_another_scope_is_wrong_usage(desk: Desk) -> None:
    assert "--scope" in desk.misused("operators", "token", "--scope", "messages:read", "--as", "ops")


def test_without_a_name_the_token_is_the_first_operators(desk: Desk) -> None:
    assert desk.json("operators", "token", "--scope", "operate")["operator"] == "ops"
