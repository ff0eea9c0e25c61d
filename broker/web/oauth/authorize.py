"""GET and POST /oauth/authorize: the request is proven, the person is asked, the answer goes back by 303."""

from __future__ import annotations

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Response as BaseResponse

from broker.domain import scopes
from broker.domain.errors import NotFound, OAuthError, Refused
from broker.domain.redirect_uris import origin
from broker.operations import consent
from broker.operations.consent import Answer, AuthorizationRequest, Review
from broker.operations.identifiers import THREAD, identifiers
from broker.operations.people import limits
from broker.store.accounts import Account
from broker.web import errors, sessions
from broker.web.headers import allow_form_target
from broker.web.oauth import ticket as tickets
from broker.web.oauth.metadata import issuer
from broker.web.oauth.parameters import of_query
from broker.web.oauth.request import Redirect, Unredirectable, prove_redirect, validate
from broker.web.request_context import NONE, READ, context, runs, serving

endpoints = Blueprint("authorize", __name__, url_prefix="/oauth")


def _page(reason: Exception) -> Response:
    return errors.answer(400, "bad-authorization-request", "This app's request cannot be answered", str(reason))


@endpoints.get("/authorize")
@runs(NONE)
def ask() -> BaseResponse:
    """Ask the person, or send them back at once if nothing has changed since they answered (confidential clients).

    A HEAD is refused: it asks for nothing, and an answer at once is a code.
    """
    if request.method == "HEAD":
        raise MethodNotAllowed(valid_methods=["GET", "POST"])
    with serving(READ):
        answer = _ask_in_snapshot()
    if answer is not None:
        return answer
    with serving("write"):  # nothing of the snapshot is used on: all of it is validated again, under the fence
        return _continue_unchanged()


def _proven() -> tuple[AuthorizationRequest, Redirect] | BaseResponse:
    try:
        given = of_query(request)
        client, back = prove_redirect(context(), given, issuer())
    except (OAuthError, Unredirectable) as error:
        return _page(error)
    try:
        return validate(context(), given, client, back), back
    except OAuthError as error:
        return redirect(back.error(error), 303)


def _ask_in_snapshot() -> BaseResponse | None:
    proven = _proven()
    if isinstance(proven, BaseResponse):
        return proven
    asked, back = proven
    account = sessions.load()
    if account is None:
        return redirect(url_for("login.show", next=request.full_path), 303)
    if account.role != "user":
        return errors.answer(403, "not-a-person", "Only people can give permission",
                             "This account has no messages. Log out, and in as a person.")  # fmt: skip
    if consent.unchanged(context(), account.id, asked) is not None:
        return None
    return _show(asked, back, account)


def _show(asked: AuthorizationRequest, back: Redirect, account: Account, problem: str | None = None) -> Response:
    """The page; after an answer with a problem once more, with a new ticket and what was ticked."""
    review = consent.review(context(), account.id, asked)
    session = sessions.secret()
    assert session is not None
    allow_form_target(origin(back.uri))
    ids = identifiers(context().settings.secret_key, f"consent:{account.id}")
    page = render_template(
        "consent.html", review=review, account=account, host=origin(back.uri), now=context().now, problem=problem,
        ticket=tickets.issue(context(), asked, review.hash, account, session), bound=_is_bound(asked),
        threads=[(ids.write(THREAD, number), title) for number, title in review.threads],
        ticked=request.form.getlist("scope"), chosen=request.form.getlist("conversation"),
    )  # fmt: skip
    return Response(page, 400 if problem else 200, content_type="text/html; charset=utf-8")


def _is_bound(asked: AuthorizationRequest) -> bool:
    """Whether the person is to say in which conversations."""
    return bool(asked.scopes & scopes.BY_CONVERSATION)


def _continue_unchanged() -> BaseResponse:
    proven = _proven()
    if isinstance(proven, BaseResponse):
        return proven
    asked, back = proven
    g.pop("account", None)
    account = sessions.load()
    wait_s = limits.sent_back(context(), account.id) if account is not None else None
    if wait_s is not None:
        return _too_often(wait_s)
    code = consent.continue_unchanged(context(), account.id, asked) if account is not None else None
    if code is None:  # it has changed between the two: ask after all, by a fresh request
        return redirect(request.full_path, 303)
    return redirect(back.url(code=code), 303)


def _too_often(wait_s: int) -> Response:
    page = errors.answer(429, "too-many-requests", "This app asks too often", "Please wait a moment, then try again.")
    page.headers["Retry-After"] = str(wait_s)
    return page


@endpoints.post("/authorize")
@sessions.requires_login
def answer() -> BaseResponse:
    """Take the person's answer to a page that was shown to them, once."""
    account, session = sessions.current(), sessions.secret()
    assert session is not None
    if request.form.get("decision") not in ("approve", "deny"):
        raise Refused("please use one of the two buttons")
    ticket = tickets.open_ticket(context(), request.form.get("ticket", ""), account, session)
    tickets.use(context(), ticket)
    back = Redirect(ticket.request.redirect_uri, ticket.request.state, issuer())
    try:
        return _decided(account, ticket, back)
    except OAuthError as error:
        return redirect(back.error(error), 303)


def _decided(account: Account, ticket: tickets.Ticket, back: Redirect) -> BaseResponse:
    asked = ticket.request
    if request.form["decision"] == "deny":
        consent.deny(context(), account.id, asked)
        raise OAuthError("access_denied", "the user said no")
    if _is_bound(asked) and not request.form.getlist("conversation"):
        return _show(asked, back, account, "Nothing was allowed yet: tick at least one conversation, or deny.")
    code = consent.approve(context(), account.id, asked, _choices(account, asked), ticket.shown)
    return redirect(back.url(code=code), 303)


def _choices(account: Account, asked: AuthorizationRequest) -> Answer:
    """What was ticked. A conversation that is not this person's is not taken."""
    ticked = frozenset(request.form.getlist("scope"))
    chosen = request.form.getlist("conversation")
    if not _is_bound(asked) or "all" in chosen:
        return Answer(ticked, None)
    return Answer(ticked, _threads(account, consent.review(context(), account.id, asked), chosen))


def _threads(account: Account, review: Review, chosen: list[str]) -> frozenset[int]:
    ids = identifiers(context().settings.secret_key, f"consent:{account.id}")
    numbers = frozenset(number for each in chosen if (number := ids.read(THREAD, each)) is not None)
    if not numbers <= {number for number, _ in review.threads} or len(numbers) != len(chosen):
        raise NotFound("there is no such conversation")
    return numbers
