"""The guard as a decorator for Flask views, and its refusals as RFC 6750 and RFC 9457 want them."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Set
from functools import wraps
from typing import Any, Protocol

from flask import Response, current_app, g, request

from broker.domain.decisions import Denied, Reason
from broker.domain.errors import NotFound, Refused, Undecided
from broker.domain.instants import rfc3339
from broker.enforcement.bearer import NoToken
from broker.enforcement.node import Admission

View = Callable[..., Any]

TITLES = {
    Reason.UNKNOWN_TOKEN: "This token is unknown",
    Reason.CLIENT_DISABLED: "This app has been disabled",
    Reason.USER_DISABLED: "This user's account is disabled",
    Reason.FEATURE_SHUT_DOWN: "The feature has been shut down",
    Reason.GRANT_ENDED: "The permission has ended",
    Reason.TOKEN_REVOKED: "This token has been revoked",
    Reason.TOKEN_EXPIRED: "This token has expired",
    Reason.FEATURE_SUSPENDED: "The feature is suspended",
    Reason.INSUFFICIENT_SCOPE: "The permission does not cover this",
}
_DETAILS = {
    Reason.UNKNOWN_TOKEN: "It was never issued here, or is written wrongly.",
    Reason.CLIENT_DISABLED: "Nothing is admitted for this client or its partner.",
    Reason.USER_DISABLED: "Nothing is admitted for this user.",
    Reason.FEATURE_SHUT_DOWN: "Every permission that was given for it ended with it. No token for it will work again.",
    Reason.GRANT_ENDED: "It was ended, or its time is over. The user can be asked for a new one.",
    Reason.TOKEN_REVOKED: "Ask for a new one with the refresh token, or ask the user.",
    Reason.TOKEN_EXPIRED: "Ask for a new one with the refresh token.",
    Reason.FEATURE_SUSPENDED: "Nothing is lost: the same token works again when the feature is resumed.",
    Reason.INSUFFICIENT_SCOPE: "The token does not hold a scope that this needs, or holds it no longer.",
}
MAX_ANSWER = 1 << 20
"""Bytes that a server takes at once, so that an answer has left when it was taken."""
_OUTCOMES = {True: "not-found", False: "bad-request"}
_FORBIDDEN = (Reason.FEATURE_SUSPENDED, Reason.INSUFFICIENT_SCOPE)


def problem(status: int, kind: str, title: str, detail: str, **facts: object) -> Response:
    """An answer in ``application/problem+json`` (RFC 9457)."""
    body = {"type": f"urn:palaver:problem:{kind}", "title": title, "status": status, "detail": detail, **facts}
    return Response(json.dumps(body), status, content_type="application/problem+json",
                    headers={"Cache-Control": "no-store"})  # fmt: skip


def refusal(denied: Denied) -> Response:
    """A denial as an answer: 401 or 403, with the challenge that RFC 6750 section 3 asks for."""
    reason, facts = denied.reason, dict[str, object]()
    if denied.standing is not None:
        facts["feature"] = denied.standing.feature_id
    if denied.ended_at is not None:
        facts["ended_at"] = rfc3339(denied.ended_at)
    error, challenge = "invalid_token", ""
    if reason is Reason.INSUFFICIENT_SCOPE:
        error, facts["scope"] = "insufficient_scope", " ".join(sorted(denied.needed))
        challenge = f', scope="{facts["scope"]}"'
    status = 403 if reason in _FORBIDDEN else 401
    answer = problem(status, reason.value, TITLES[reason], _DETAILS[reason], **facts)
    if reason is not Reason.FEATURE_SUSPENDED:
        answer.headers["WWW-Authenticate"] = (
            f'Bearer realm="palaver", error="{error}", error_description="{TITLES[reason]}"{challenge}'
        )
    return answer


def challenge() -> Response:
    """The answer to a request without a token: a challenge without an error (RFC 6750 section 3.1)."""
    answer = problem(401, "no-token", "A bearer token is needed", "Send it in the Authorization header.")
    answer.headers["WWW-Authenticate"] = 'Bearer realm="palaver"'
    return answer


class Guarding(Protocol):
    """Whoever judges a view's requests: see ``Guard``."""

    def admit(self, authorization: str | None, needed: Set[str], *, for_write: bool = False) -> Admission: ...

    def record(
        self, admission: Admission, request: str, thread_id: int | None = None, outcome: str | None = None
    ) -> None: ...


class Elsewhere(Guarding, Protocol):
    """A guard outside the broker, which cannot promise everything: see ``RemoteGuard``."""

    def promise(self, needed: Set[str], *, for_write: bool = False) -> None: ...


def guarded(guard: Elsewhere | Callable[[], Guarding], *scopes: str, for_write: bool = False) -> Callable[[View], View]:
    """Admit a view only with one of these scopes; the view finds the decision in ``g.allowed``.

    ``guard`` is what ``remote.connect`` gives, and then a request that cannot be decided is answered here, 503; or, in
    an app that has an answer of its own to ``Undecided``, a function that finds the guard. ``ValueError`` for scopes
    that the guard cannot promise anything about.

    What an introspection said of the token is in ``g.claims``. The record is appended after the view, which may note
    the thread in ``g.thread_id``, and before the answer leaves or a write commits: an answer whose record cannot be
    written is not given. The request counts as in flight until the server has taken the answer, whole: views do not
    stream.
    """
    needed = frozenset(scopes)
    if callable(guard):
        return _guarded(guard, needed, for_write)
    elsewhere = guard
    elsewhere.promise(needed, for_write=for_write)
    decorate = _guarded(lambda: elsewhere, needed, for_write)
    return lambda view: _or_undecided(decorate(view))


def _or_undecided(checked: View) -> View:
    @wraps(checked)
    def answered(*args: Any, **values: Any) -> Any:
        try:
            return checked(*args, **values)
        except Undecided as error:
            answer = problem(503, "cannot-decide", "It cannot be decided now", "Please try again; that is safe.")
            answer.headers["Retry-After"] = str(error.retry_after_s)
            return answer

    return answered


def _guarded(guard: Callable[[], Guarding], needed: frozenset[str], for_write: bool) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def checked(*args: Any, **values: Any) -> Any:
            current, asked = guard(), request.environ
            try:
                admission = current.admit(asked.get("HTTP_AUTHORIZATION"), needed, for_write=for_write)
            except NoToken:
                return challenge()
            g.thread_id, g.claims = None, admission.claims
            name = f"{asked['REQUEST_METHOD']} {request.url_rule}"
            if isinstance(admission.decision, Denied):
                current.record(admission, name)
                return refusal(admission.decision)
            g.allowed = admission.decision
            try:
                answer = view(*args, **values)
                current.record(admission, name, g.thread_id)
                return _counted(admission, answer)
            except (NotFound, Refused) as error:  # admitted, but there was nothing to do: not a use of the permission
                current.record(admission, name, g.thread_id, outcome=_OUTCOMES[isinstance(error, NotFound)])
                admission.done()
                raise
            except BaseException:
                admission.done()
                raise

        return checked

    return decorate


def _counted(admission: Admission, answer: Any) -> Any:
    """The answer, which counts the request out when the server has taken it."""
    if not admission.counted:
        return answer
    response: Response = current_app.make_response(answer)
    if response.is_streamed or (response.content_length or 0) > MAX_ANSWER:
        raise TypeError(f"a guarded view does not stream, and answers with at most {MAX_ANSWER} bytes")
    admission.recheck()
    response.call_on_close(admission.done)
    weakref.finalize(
        response, admission.done
    ).atexit = False  # another answer may take its place: then nobody closes it
    return response
