"""The API of Palaver, for apps: every view stands behind the guard (docs/api.md).

A read and its check see one snapshot: the request's transaction. A write is judged again inside its own transaction,
with everything locked that could end it. Unknown and forbidden ids answer the same 404.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from flask import Blueprint, Response, g, request

from broker.domain import scopes
from broker.domain.decisions import Allowed
from broker.domain.errors import NotFound, Refused
from broker.domain.instants import rfc3339
from broker.enforcement.flask import guarded
from broker.enforcement.guard import Guard
from broker.network import answers
from broker.operations import messages as writing
from broker.operations.context import Context
from broker.operations.identifiers import CONTACT, MESSAGE, POST, SUBJECT, THREAD, Identifiers, identifiers, subject
from broker.store import accounts, conversations
from broker.store.engine.database import Transaction

PAGE = 20
_encode = msgspec.json.Encoder().encode


class Draft(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a posted message."""

    text: str


@dataclass(frozen=True, slots=True)
class Requests:
    """What the API needs of the request that is being served."""

    guard: Callable[[], Guard]
    transaction: Callable[[], Transaction]
    context: Callable[[], Context]
    secret_key: bytes


def _answer(body: object, status: int = 200) -> Response:
    encoded = body if isinstance(body, bytes) else _encode(body)
    answer = Response(encoded, status, content_type="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _allowed() -> Allowed:
    allowed: Allowed = g.allowed
    return allowed


def _account_id() -> int:
    account_id = _allowed().standing.account_id
    assert account_id is not None
    return account_id


def create_api(requests: Requests) -> Blueprint:
    """The API as a blueprint, on a guard and a transaction that the composition root hands in."""
    api = Blueprint("api", __name__, url_prefix="/api")
    _add_conversations(api, requests)
    _add_person(api, requests)
    return api


def _ids(requests: Requests) -> Identifiers:
    return identifiers(requests.secret_key, f"client:{_allowed().standing.client_id}")


def _thread(requests: Requests, written: str) -> int:
    """A thread by its identifier, if the grant is for it; noted for the access record."""
    g.thread_id = number = _granted_thread(requests.transaction(), _ids(requests), _allowed(), written)
    return number


def _granted_thread(transaction: Transaction, ids: Identifiers, allowed: Allowed, written: str) -> int:
    row, number = allowed.standing, ids.read(THREAD, written)
    assert row.account_id is not None
    found = number is not None and conversations.thread(
        transaction, number, row.account_id, grant_id=row.grant_id, whole=bool(row.all_conversations)
    )
    if not found or number is None:
        raise NotFound("there is no such conversation")
    return number


def page_of_messages(
    transaction: Transaction, secret_key: bytes, allowed: Allowed, thread: str, cursor: str | None
) -> tuple[bytes, int]:
    """A page of a thread's messages as the JSON that is sent, and the thread's number; ``NotFound``, ``Refused``."""
    ids = identifiers(secret_key, f"client:{allowed.standing.client_id}")
    number = _granted_thread(transaction, ids, allowed, thread)
    found = conversations.messages(transaction, number, count=PAGE + 1, before=_before(ids, cursor))
    page, account_id = found[:PAGE], allowed.standing.account_id
    assert account_id is not None
    following = ids.write(MESSAGE, page[-1].id) if len(found) > PAGE else None
    return _encode({"messages": answers.messages(ids, page, account_id), "next": following}), number


def _add_conversations(api: Blueprint, requests: Requests) -> None:
    @api.get("/threads")
    @guarded(requests.guard, *scopes.MESSAGES)
    def list_threads() -> Response:
        row = _allowed().standing
        found = conversations.threads(
            requests.transaction(), _account_id(), grant_id=row.grant_id, whole=bool(row.all_conversations)
        )
        return _answer({"threads": answers.threads(_ids(requests), found)})

    @api.get("/threads/<thread>/messages")
    @guarded(requests.guard, scopes.MESSAGES_READ)
    def list_messages(thread: str) -> Response:
        cursor = request.args.get("cursor")
        body, g.thread_id = page_of_messages(requests.transaction(), requests.secret_key, _allowed(), thread, cursor)
        return _answer(body)

    @api.post("/threads/<thread>/messages")
    @guarded(requests.guard, scopes.MESSAGES_WRITE, for_write=True)
    def post_message(thread: str) -> Response:
        ids, draft = _ids(requests), _draft()
        number = g.thread_id = ids.read(THREAD, thread)
        posted = writing.post_through_app(requests.context(), _allowed(), number, draft.text)
        return _answer(answers.messages(ids, [posted], _account_id())[0], 201)

    @api.delete("/messages/<message>")
    @guarded(requests.guard, scopes.MESSAGES_DELETE, for_write=True)
    def delete_message(message: str) -> Response:
        number = _ids(requests).read(MESSAGE, message)
        g.thread_id = writing.delete_through_app(requests.context(), _allowed(), number).thread_id
        return Response(status=204)

    @api.get("/threads/<thread>/participants")
    @guarded(requests.guard, scopes.PARTICIPANTS_READ)
    def list_participants(thread: str) -> Response:
        number = _thread(requests, thread)
        found = conversations.members(requests.transaction(), number)
        return _answer({"participants": answers.participants(_ids(requests), number, found, _account_id())})


def _before(ids: Identifiers, cursor: str | None) -> int:
    if cursor is None:
        return conversations.FIRST_PAGE
    number = ids.read(MESSAGE, cursor)
    if number is None:
        raise Refused("the cursor is not one that this API gave to this client")
    return number


def _draft() -> Draft:
    if request.mimetype != "application/json":
        raise Refused("send the message as application/json")
    try:
        return msgspec.json.decode(request.get_data(), type=Draft)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Refused(f"the body is not a message: {error}") from error


def _add_person(api: Blueprint, requests: Requests) -> None:
    @api.get("/me")
    @guarded(requests.guard, scopes.PROFILE_READ)
    def me() -> Response:
        account = accounts.get(requests.transaction(), _account_id())
        assert account is not None
        sub = subject(requests.secret_key, f"partner:{_allowed().standing.partner_id}", account.id)
        return _answer({"sub": sub, "username": account.username, "name": account.display_name})

    @api.get("/friends")
    @guarded(requests.guard, scopes.FRIENDS_READ)
    def friends() -> Response:
        found, ids = conversations.friends(requests.transaction(), _account_id()), _ids(requests)
        return _answer({"friends": [{"id": ids.write(SUBJECT, number), "name": name} for number, name in found]})

    @api.get("/posts")
    @guarded(requests.guard, scopes.POSTS_READ)
    def posts() -> Response:
        found, ids = conversations.posts(requests.transaction(), _account_id()), _ids(requests)
        return _answer(
            {"posts": [{"id": ids.write(POST, n), "text": text, "sent_at": rfc3339(at)} for n, text, at in found]}
        )

    @api.get("/contacts")
    @guarded(requests.guard, scopes.CONTACTS_READ)
    def contacts() -> Response:
        found, ids = conversations.contacts(requests.transaction(), _account_id()), _ids(requests)
        return _answer(
            {"contacts": [{"id": ids.write(CONTACT, n), "name": name, "email": email} for n, name, email in found]}
        )
