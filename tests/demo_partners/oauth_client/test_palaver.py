"""Connecting and calling, against servers that err, lie, rush or hang up."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest

from demo_partners.oauth_client.authorization import ResponseRejected
from demo_partners.oauth_client.connection import Connection
from demo_partners.oauth_client.outcomes import Access, Outcome, Verdict
from demo_partners.oauth_client.palaver import Palaver
from demo_partners.oauth_client.settings import ClientSettings
from tests.demo_partners.scripted_server import METADATA, Answer, ScriptedServer, problem, token

THREADS = "/api/threads"
EXPIRED = problem(401, "token-expired")


def connect(palaver: Palaver, **changes: str) -> Connection | Outcome:
    begun = palaver.begin()
    assert not isinstance(begun, Outcome)
    pending, _ = begun
    given = {"code": "the-code", "state": pending.state, "iss": palaver.broker, **changes}
    return palaver.finish({name: [value] for name, value in given.items()}, pending)


def connected(palaver: Palaver) -> Connection:
    connection = connect(palaver)
    assert isinstance(connection, Connection)
    return connection


def test_the_authorization_request_asks_for_one_scope_with_a_challenge(palaver: Palaver) -> None:
    begun = palaver.begin()
    assert not isinstance(begun, Outcome)
    pending, url = begun
    digest = sha256(pending.code_verifier.encode()).digest()
    assert url.startswith(f"{palaver.broker}/oauth/authorize?")
    assert parse_qs(urlsplit(url).query) == {
        "response_type": ["code"],
        "client_id": ["tuneloop-share"],
        "redirect_uri": ["http://127.0.0.1:8101/callback"],
        "scope": ["messages:write"],
        "state": [pending.state],
        "code_challenge": [urlsafe_b64encode(digest).decode().rstrip("=")],
        "code_challenge_method": ["S256"],
    }
    assert pending.code_verifier not in url


def test_a_code_is_redeemed_with_its_verifier_and_the_secret_in_the_header(
    palaver: Palaver, server: ScriptedServer
) -> None:
    begun = palaver.begin()
    assert not isinstance(begun, Outcome)
    pending, _ = begun
    connection = palaver.finish({"code": ["the-code"], "state": [pending.state], "iss": [palaver.broker]}, pending)
    assert isinstance(connection, Connection)
    assert connection.tokens.access_token == "access-1"
    (request,) = server.requests("POST", "/oauth/token")
    assert request.form == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "code_verifier": pending.code_verifier,
        "redirect_uri": "http://127.0.0.1:8101/callback",
    }
    scheme, _, credentials = request.authorization.partition(" ")
    assert (scheme, b64decode(credentials)) == ("Basic", b"tuneloop-share:a-client-secret")


def test_a_response_of_another_issuer_never_reaches_the_token_endpoint(
    palaver: Palaver, server: ScriptedServer
) -> None:
    with pytest.raises(ResponseRejected):
        connect(palaver, iss="http://attacker.example")
    assert server.requests("POST", "/oauth/token") == []


def test_a_code_that_is_refused_connects_nothing(palaver: Palaver, server: ScriptedServer) -> None:
    server.script("POST", "/oauth/token", Answer({"error": "invalid_grant"}, 400))
    refused = connect(palaver)
    assert isinstance(refused, Outcome)
    assert (refused.verdict, refused.access) == (Verdict.NOT_CONNECTED, Access.NONE)


@pytest.mark.parametrize(
    "answer",
    [
        Answer({"token_type": "Bearer"}),
        Answer(token("1") | {"token_type": "mac"}),
        Answer(token("1") | {"access_token": None}),
        Answer(token("1") | {"expires_in": "soon"}),
        Answer({"type": "urn:palaver:problem:odd"}, 400),
        Answer(b"<html>"),
        Answer([1]),
        Answer({}, 500),
    ],
)
def test_a_token_answer_without_a_usable_token_connects_nothing(
    palaver: Palaver, server: ScriptedServer, answer: Answer
) -> None:
    server.script("POST", "/oauth/token", answer)
    unusable = connect(palaver)
    assert isinstance(unusable, Outcome)
    assert unusable.verdict is Verdict.UNEXPECTED


def test_an_expired_access_token_is_renewed_and_the_rotated_refresh_token_kept(
    palaver: Palaver, server: ScriptedServer
) -> None:
    connection = connected(palaver)
    server.script("GET", THREADS, EXPIRED, Answer({"threads": []}), EXPIRED, Answer({"threads": []}))
    server.script("POST", "/oauth/token", Answer(token("2")), Answer(token("3")))
    assert palaver.threads(connection).ok
    assert palaver.threads(connection).ok
    refreshes = [request.form for request in server.requests("POST", "/oauth/token")[1:]]
    assert refreshes == [
        {"grant_type": "refresh_token", "refresh_token": "refresh-1"},
        {"grant_type": "refresh_token", "refresh_token": "refresh-2"},
    ]
    used = [request.authorization for request in server.requests("GET", THREADS)]
    assert used == ["Bearer access-1", "Bearer access-2", "Bearer access-2", "Bearer access-3"]


def test_a_refused_renewal_ends_access_with_the_reason_of_the_api(palaver: Palaver, server: ScriptedServer) -> None:
    connection = connected(palaver)
    server.script("GET", THREADS, problem(401, "feature-shut-down", ended_at="2026-11-24T18:59:04Z"))
    server.script("POST", "/oauth/token", Answer({"error": "invalid_grant", "error_description": "It ended."}, 400))
    ended = palaver.threads(connection)
    assert (ended.verdict, ended.status) == (Verdict.ENDED, 401)
    assert ended.problem is not None
    assert ended.oauth_error is not None
    assert (ended.problem.kind, ended.oauth_error.error) == ("feature-shut-down", "invalid_grant")
    assert len(server.requests("GET", THREADS)) == 1


def test_a_new_token_that_fares_no_better_is_not_renewed_again(palaver: Palaver, server: ScriptedServer) -> None:
    connection = connected(palaver)
    server.script("GET", THREADS, problem(401, "token-revoked"))
    server.script("POST", "/oauth/token", Answer(token("2")))
    assert palaver.threads(connection).verdict is Verdict.ENDED
    assert len(server.requests("GET", THREADS)) == 2
    assert len(server.requests("POST", "/oauth/token")) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_renewal_that_has_to_wait_keeps_the_tokens_and_says_how_long(
    palaver: Palaver, server: ScriptedServer, status: int
) -> None:
    connection = connected(palaver)
    server.script("GET", THREADS, EXPIRED, EXPIRED, Answer({"threads": []}))
    busy = Answer({"error": "temporarily_unavailable"}, status, {"Retry-After": "7"})
    server.script("POST", "/oauth/token", busy, Answer(token("2")))
    waiting = palaver.threads(connection)
    assert (waiting.verdict, waiting.retry_after) == (Verdict.UNDECIDED, 7)
    assert palaver.threads(connection).ok
    assert server.requests("POST", "/oauth/token")[-1].form["refresh_token"] == "refresh-1"


def test_without_a_refresh_token_an_expired_access_is_an_ended_one(palaver: Palaver, server: ScriptedServer) -> None:
    without = {key: value for key, value in token("1").items() if key != "refresh_token"}
    server.script("POST", "/oauth/token", Answer(without))
    connection = connected(palaver)
    server.script("GET", THREADS, EXPIRED)
    assert palaver.threads(connection).verdict is Verdict.ENDED
    assert len(server.requests("POST", "/oauth/token")) == 1


def test_a_write_that_breaks_off_is_uncertain_and_is_not_repeated(palaver: Palaver, server: ScriptedServer) -> None:
    connection = connected(palaver)
    path = "/api/threads/t1/messages"
    server.script("POST", path, Answer(hang_up=True))
    broken = palaver.post(connection, "t1", "hello")
    assert (broken.verdict, broken.uncertain) == (Verdict.UNREACHABLE, True)
    assert [request.body for request in server.requests("POST", path)] == [b'{"text":"hello"}']


def test_a_server_that_is_not_there_is_unreachable_and_nothing_is_uncertain(palaver: Palaver) -> None:
    connection = connected(palaver)
    nowhere = ClientSettings(
        # Port 1 of the loopback address: nothing listens there.
        broker="http://127.0.0.1:1",
        client_id="tuneloop-share",
        client_secret="a-client-secret",
        redirect_uri="http://127.0.0.1:8101/callback",
    )
    with closing(Palaver(nowhere)) as lost:
        for outcome in (lost.begin(), lost.post(connection, "t1", "hello"), lost.standing()):
            assert outcome == Outcome(verdict=Verdict.UNREACHABLE)


def test_metadata_of_another_issuer_stop_everything_before_a_secret_is_sent(
    palaver: Palaver, server: ScriptedServer
) -> None:
    server.script("GET", METADATA, Answer(server.metadata() | {"issuer": "http://attacker.example"}))
    refused = palaver.standing()
    assert refused.verdict is Verdict.UNEXPECTED
    assert "attacker.example" in (refused.reason or "")
    assert server.requests("POST", "/oauth/token") == []


def test_metadata_are_fetched_again_until_they_are_there(palaver: Palaver, server: ScriptedServer) -> None:
    server.script("GET", METADATA, Answer(status=503), Answer(server.metadata()))
    first = palaver.begin()
    assert isinstance(first, Outcome)
    assert first.verdict is Verdict.UNDECIDED
    assert not isinstance(palaver.begin(), Outcome)
    assert not isinstance(palaver.begin(), Outcome)
    assert len(server.requests("GET", METADATA)) == 2


def test_standing_is_asked_with_the_partners_own_token_which_is_kept_and_renewed(
    palaver: Palaver, server: ScriptedServer
) -> None:
    server.script("GET", "/api/standing", Answer({"state": "active"}), EXPIRED, Answer({"state": "shut_down"}))
    assert palaver.standing().body == {"state": "active"}
    assert palaver.standing().body == {"state": "shut_down"}
    forms = [request.form for request in server.requests("POST", "/oauth/token")]
    assert forms == [{"grant_type": "client_credentials", "scope": "standing:read"}] * 2


def test_giving_back_revokes_the_refresh_token(palaver: Palaver, server: ScriptedServer) -> None:
    connection = connected(palaver)
    server.script("POST", "/oauth/revoke", Answer(b""))
    assert palaver.give_back(connection).ok
    (request,) = server.requests("POST", "/oauth/revoke")
    assert request.form == {"token": "refresh-1", "token_type_hint": "refresh_token"}
    assert request.authorization.startswith("Basic ")


def test_an_id_cannot_leave_its_place_in_the_path(palaver: Palaver, server: ScriptedServer) -> None:
    connection = connected(palaver)
    palaver.read(connection, "t1/../../oauth?x=1#y")
    assert server.received[-1].path == "/api/threads/t1/../../oauth?x=1#y/messages"


def test_tokens_and_secrets_do_not_show_in_a_repr(palaver: Palaver) -> None:
    shown = repr(connected(palaver).tokens) + repr(replace(palaver._settings))
    for secret in ("access-1", "refresh-1", "a-client-secret"):
        assert secret not in shown
