"""The pages as a browser and as a script meet them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.demo_partners.scripted_server import METADATA, Answer, ScriptedServer, problem, token

JSON = {"Accept": "application/json"}
THREADS = Answer({"threads": [{"id": "t1", "title": "Weekend plans"}]})
MESSAGE = {"id": "m1", "author": "self", "text": "a track", "sent_at": "2026-11-24T18:00:00Z", "via": "TuneLoop"}
SHUT_DOWN = problem(
    401, "feature-shut-down", feature="share-a-track", ended_at="2026-11-24T18:59:04Z", detail="It was shut down."
)


def document(answered: TestResponse) -> dict[str, Any]:
    """The JSON object of an answer."""
    value = answered.get_json()
    assert isinstance(value, dict)
    return value


def csrf_token(browser: FlaskClient) -> str:
    return str(document(browser.get("/status"))["csrf_token"])


def post(browser: FlaskClient, path: str, **form: str) -> TestResponse:
    return browser.post(path, data={"csrf_token": csrf_token(browser), **form}, headers=JSON)


def callback_query(browser: FlaskClient, server: ScriptedServer, **changes: str) -> dict[str, str]:
    url = document(post(browser, "/connect"))["authorization_url"]
    return {"code": "the-code", "state": parse_qs(urlsplit(url).query)["state"][0], "iss": server.origin, **changes}


def connect(browser: FlaskClient, server: ScriptedServer) -> None:
    server.script("GET", "/api/threads", THREADS)
    answered = browser.get("/callback", query_string=callback_query(browser, server), headers=JSON)
    assert answered.json == {"ok": True, "access": "live", "scope": "messages:write"}


def test_the_first_page_says_what_the_app_may_and_may_not_do(browser: FlaskClient) -> None:
    page = browser.get("/").text
    assert "TuneLoop may not" in page
    for said in ("post a track", "read your messages", "delete a message", "see who is in a conversation"):
        assert said in page


def test_connecting_leads_to_the_authorization_endpoint_and_back_to_a_connected_page(
    browser: FlaskClient, server: ScriptedServer
) -> None:
    server.script("GET", "/api/threads", THREADS)
    begun = browser.post("/connect", data={"csrf_token": csrf_token(browser)})
    assert begun.status_code == 303
    state = parse_qs(urlsplit(begun.location).query)["state"][0]
    ended = browser.get("/callback", query_string={"code": "c", "state": state, "iss": server.origin})
    assert (ended.status_code, ended.location) == (303, "/")
    assert "Weekend plans" in browser.get("/").text


@pytest.mark.parametrize("path", ["/connect", "/share", "/try", "/disconnect"])
def test_a_post_without_our_csrf_token_is_refused(browser: FlaskClient, server: ScriptedServer, path: str) -> None:
    connect(browser, server)
    before = len(server.received)
    assert browser.post(path, data={"thread": "t1", "item": "night-ferry", "what": "read"}).status_code == 400
    assert len(server.received) == before


def test_the_cookie_holds_no_token_and_changes_when_somebody_connects(
    browser: FlaskClient, server: ScriptedServer
) -> None:
    query = callback_query(browser, server)
    before = browser.get_cookie("tuneloop_session", domain="127.0.0.1")
    answered = browser.get("/callback", query_string=query)
    after = browser.get_cookie("tuneloop_session", domain="127.0.0.1")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert "HttpOnly" in answered.headers["Set-Cookie"]
    assert "SameSite=Lax" in answered.headers["Set-Cookie"]
    browser.set_cookie("tuneloop_session", before.value, domain="127.0.0.1")
    assert document(browser.get("/status"))["connected"] is False
    assert "access-1" not in str(answered.headers) + answered.text


def test_an_answer_can_be_used_once_and_only_by_the_browser_that_asked(
    browser: FlaskClient, server: ScriptedServer
) -> None:
    query = callback_query(browser, server)
    stranger = browser.application.test_client()
    assert stranger.get("/callback", query_string=query).status_code == 400
    assert browser.get("/callback", query_string=query, headers=JSON).status_code == 200
    assert browser.get("/callback", query_string=query, headers=JSON).status_code == 400
    assert len(server.requests("POST", "/oauth/token")) == 1


def test_an_answer_that_came_to_nothing_cannot_be_used_again_either(
    browser: FlaskClient, server: ScriptedServer
) -> None:
    server.script("POST", "/oauth/token", Answer({"error": "invalid_grant"}, 400))
    query = callback_query(browser, server)
    assert browser.get("/callback", query_string=query, headers=JSON).status_code == 409
    assert browser.get("/callback", query_string=query, headers=JSON).status_code == 400
    assert len(server.requests("POST", "/oauth/token")) == 1


def test_connecting_makes_worthless_whatever_the_browser_had_before(
    browser: FlaskClient, server: ScriptedServer
) -> None:
    unanswered = callback_query(browser, server)
    old_token, old_cookie = csrf_token(browser), browser.get_cookie("tuneloop_session", domain="127.0.0.1")
    connect(browser, server)
    assert browser.post("/disconnect", data={"csrf_token": old_token}, headers=JSON).status_code == 400
    assert old_cookie is not None
    browser.set_cookie("tuneloop_session", old_cookie.value, domain="127.0.0.1")
    assert browser.get("/callback", query_string=unanswered).status_code == 400


def test_sharing_posts_the_text_of_the_item_and_answers_with_the_message(
    browser: FlaskClient, server: ScriptedServer
) -> None:
    connect(browser, server)
    server.script("POST", "/api/threads/t1/messages", Answer(MESSAGE, 201))
    answered = post(browser, "/share", thread="t1", item="night-ferry")
    told = document(answered)
    assert (told["ok"], told["access"], told["message"]) == (True, "live", MESSAGE)
    (request,) = server.requests("POST", "/api/threads/t1/messages")
    assert "Night Ferry by The Harbour Lights" in request.body.decode("unicode_escape")


def test_a_person_who_reloads_after_sharing_sends_nothing_twice(browser: FlaskClient, server: ScriptedServer) -> None:
    connect(browser, server)
    server.script("POST", "/api/threads/t1/messages", Answer(MESSAGE, 201))
    form = {"csrf_token": csrf_token(browser), "thread": "t1", "item": "night-ferry"}
    answered = browser.post("/share", data=form)
    assert (answered.status_code, answered.location) == (303, "/result")
    assert "Sent" in browser.get("/result").text
    assert "Sent" in browser.get("/result").text
    assert len(server.requests("POST", "/api/threads/t1/messages")) == 1


def test_sharing_after_the_end_answers_that_access_has_ended_and_why(
    browser: FlaskClient, server: ScriptedServer
) -> None:
    connect(browser, server)
    server.script("POST", "/api/threads/t1/messages", SHUT_DOWN)
    server.script("POST", "/oauth/token", Answer({"error": "invalid_grant"}, 400))
    told = document(post(browser, "/share", thread="t1", item="night-ferry"))
    assert (told["ok"], told["outcome"], told["access"], told["status"]) == (False, "ended", "ended", 401)
    assert told["problem"]["type"] == "urn:palaver:problem:feature-shut-down"
    assert document(browser.get("/status"))["access"] == "ended"


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"thread": "t1"},
        {"thread": "t1", "item": "no-such-track"},
        {"thread": "../me", "item": "night-ferry"},
        {"thread": "t" * 101, "item": "night-ferry"},
    ],
)
def test_a_form_that_cannot_be_used_is_refused_without_asking_palaver(
    browser: FlaskClient, server: ScriptedServer, form: dict[str, str]
) -> None:
    connect(browser, server)
    before = len(server.received)
    assert post(browser, "/share", **form).status_code == 400
    assert len(server.received) == before


def test_somebody_who_is_not_connected_is_told_so(browser: FlaskClient) -> None:
    assert post(browser, "/try", what="read", thread="t1").status_code == 409
    answered = post(browser, "/share", thread="t1", item="night-ferry")
    assert answered.status_code == 409
    told = document(answered)
    assert (told["outcome"], told["access"]) == ("not-connected", "none")


@pytest.mark.parametrize(
    ("what", "method", "path", "scope"),
    [
        ("read", "GET", "/api/threads/t1/messages", "messages:read"),
        ("participants", "GET", "/api/threads/t1/participants", "participants:read"),
        ("delete", "DELETE", "/api/messages/m1", "messages:delete"),
    ],
)
def test_trying_what_is_not_allowed_shows_the_refusal_as_it_is(
    browser: FlaskClient, server: ScriptedServer, what: str, method: str, path: str, scope: str
) -> None:
    connect(browser, server)
    server.script(method, path, problem(403, "insufficient-scope", scope=scope))
    form = {"csrf_token": csrf_token(browser), "what": what, "thread": "t1", "message": "m1"}
    page = browser.post("/try", data=form, follow_redirects=True).text
    for said in ("Refused", "403", "urn:palaver:problem:insufficient-scope", scope):
        assert said in page
    assert len(server.requests(method, path)) == 1


def test_being_let_where_it_should_not_be_is_said_aloud(browser: FlaskClient, server: ScriptedServer) -> None:
    connect(browser, server)
    server.script("GET", "/api/threads/t1/messages", Answer({"messages": [MESSAGE]}))
    answered = document(post(browser, "/try", what="read", thread="t1"))
    assert (answered["ok"], answered["headline"]) == (True, "Palaver said yes")
    assert "should not" in answered["words"]


def test_deleting_is_tried_on_the_last_message_sent_if_none_is_named(
    browser: FlaskClient, server: ScriptedServer
) -> None:
    connect(browser, server)
    assert post(browser, "/try", what="delete").status_code == 400
    server.script("POST", "/api/threads/t1/messages", Answer(MESSAGE, 201))
    post(browser, "/share", thread="t1", item="night-ferry")
    post(browser, "/try", what="delete")
    assert len(server.requests("DELETE", "/api/messages/m1")) == 1


def test_an_ended_access_is_told_with_its_reason_and_a_way_to_connect_again(
    browser: FlaskClient, server: ScriptedServer
) -> None:
    connect(browser, server)
    server.script("GET", "/api/threads", SHUT_DOWN)
    server.script("POST", "/oauth/token", Answer({"error": "invalid_grant"}, 400))
    page = browser.get("/").text
    for said in ("Access ended", "24 November 2026 at 18:59:04 UTC", "It was shut down.", "Connect Palaver again"):
        assert said in page
    shown = document(browser.get("/", headers=JSON))
    assert (shown["ok"], shown["access"], shown["threads"]) == (False, "ended", None)
    assert shown["problem"]["type"] == "urn:palaver:problem:feature-shut-down"
    assert shown["oauth_error"]["error"] == "invalid_grant"


def test_a_feature_that_is_not_active_is_told_at_the_return(browser: FlaskClient, server: ScriptedServer) -> None:
    query = callback_query(browser, server, error="unauthorized_client", error_description="It was shut down.")
    page = browser.get("/callback", query_string=query, follow_redirects=True).text
    assert "Access ended" in page
    assert "It was shut down." in page


def test_waiting_is_passed_on_to_whoever_asked(browser: FlaskClient, server: ScriptedServer) -> None:
    connect(browser, server)
    server.script("GET", "/api/threads", Answer({}, 503, {"Retry-After": "7"}))
    page = browser.get("/")
    assert page.status_code == 200
    assert page.headers["Retry-After"] == "7"
    assert "Try again in 7 seconds." in page.text


def test_a_broker_that_lies_about_its_issuer_is_told_and_no_crash(browser: FlaskClient, server: ScriptedServer) -> None:
    server.script("GET", METADATA, Answer(server.metadata() | {"issuer": "http://attacker.example"}))
    answered = document(post(browser, "/connect"))
    assert (answered["ok"], answered["outcome"]) == (False, "unexpected")


def test_what_others_wrote_is_shown_as_text(browser: FlaskClient, server: ScriptedServer) -> None:
    hostile = "<script>alert(1)</script>"
    connect(browser, server)
    server.script("GET", "/api/threads", Answer({"threads": [{"id": "t1", "title": hostile}]}))
    server.script("GET", "/api/threads/t1/messages", problem(403, "insufficient-scope", detail=hostile))
    pages = [browser.get("/").text]
    form = {"csrf_token": csrf_token(browser), "what": "read", "thread": "t1"}
    pages.append(browser.post("/try", data=form, follow_redirects=True).text)
    for page in pages:
        assert hostile not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize("threads", [None, 7, [None], [{"id": None}], [{"id": "../x", "title": "y"}], [{"title": "y"}]])
def test_a_list_of_threads_that_makes_no_sense_is_an_empty_one(
    browser: FlaskClient, server: ScriptedServer, threads: object
) -> None:
    connect(browser, server)
    server.script("GET", "/api/threads", Answer({"threads": threads}))
    shown = document(browser.get("/", headers=JSON))
    assert shown["threads"] == []


def test_disconnecting_gives_the_tokens_back_and_forgets_them(browser: FlaskClient, server: ScriptedServer) -> None:
    connect(browser, server)
    server.script("POST", "/oauth/revoke", Answer(b""))
    assert post(browser, "/disconnect").json == {"ok": True, "access": "none"}
    assert len(server.requests("POST", "/oauth/revoke")) == 1
    assert document(browser.get("/status"))["connected"] is False


def test_a_person_who_disconnects_is_back_at_the_first_page(browser: FlaskClient, server: ScriptedServer) -> None:
    connect(browser, server)
    server.script("POST", "/oauth/revoke", Answer(b""))
    page = browser.post("/disconnect", data={"csrf_token": csrf_token(browser)}, follow_redirects=True)
    assert "Connect Palaver" in page.text
    assert post(browser, "/disconnect").status_code == 200
    assert len(server.requests("POST", "/oauth/revoke")) == 1


def test_tokens_that_could_not_be_given_back_are_not_forgotten(browser: FlaskClient, server: ScriptedServer) -> None:
    connect(browser, server)
    server.script("POST", "/oauth/revoke", Answer({}, 503, {"Retry-After": "7"}))
    answered = document(post(browser, "/disconnect"))
    assert (answered["ok"], answered["outcome"]) == (False, "undecided")
    assert document(browser.get("/status"))["connected"] is True


def test_what_the_partner_holds_is_shown_to_anybody(browser: FlaskClient, server: ScriptedServer) -> None:
    standing = {"feature": "share-a-track", "state": "active", "ceiling": ["messages:write"], "receipt": None}
    server.script("GET", "/api/standing", Answer(standing))
    assert "Active: people can give permission" in browser.get("/standing").text
    shown = document(browser.get("/standing", headers=JSON))
    assert shown["standing"] == standing


@pytest.mark.parametrize("path", ["/", "/standing", "/no-such-page", "/callback"])
def test_every_page_carries_the_headers(browser: FlaskClient, path: str) -> None:
    headers = browser.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_no_page_has_script_or_inline_style(browser: FlaskClient, server: ScriptedServer) -> None:
    connect(browser, server)
    for path in ("/", "/standing", "/no-such-page"):
        assert re.search(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:", browser.get(path).text) is None


def test_the_policy_lets_the_connect_form_reach_the_broker(browser: FlaskClient, server: ScriptedServer) -> None:
    assert f"form-action 'self' {server.origin};" in browser.get("/").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/no-such-page", 404), ("GET", "/connect", 405), ("POST", "/", 405)],
)
def test_a_mistaken_request_is_answered_in_kind(browser: FlaskClient, method: str, path: str, status: int) -> None:
    page = browser.open(path, method=method)
    assert (page.status_code, page.mimetype) == (status, "text/html")
    script = browser.open(path, method=method, headers=JSON)
    assert (script.status_code, script.mimetype) == (status, "application/json")


def test_a_body_that_is_too_large_is_refused(browser: FlaskClient) -> None:
    assert post(browser, "/share", thread="t1", item="x" * 20_000).status_code == 413


def test_another_host_name_is_refused(browser: FlaskClient) -> None:
    refused = browser.get("/", headers={"Host": "attacker.example"})
    assert refused.status_code == 400
    assert "Set-Cookie" not in refused.headers


def test_a_second_person_in_another_browser_has_an_access_of_their_own(
    browser: FlaskClient, server: ScriptedServer
) -> None:
    server.script("POST", "/oauth/token", Answer(token("alice")), Answer(token("bob")))
    second = browser.application.test_client()
    connect(browser, server)
    connect(second, server)
    for person in (browser, second):
        person.get("/")
    used = [request.authorization for request in server.requests("GET", "/api/threads")]
    assert used == ["Bearer access-alice", "Bearer access-bob"]
