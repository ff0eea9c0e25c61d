"""The consent page's ticket: what was validated and shown, signed, bound to one person in one session, for one answer.

Nothing of the request is taken from the form a second time: what comes back is this ticket or nothing. It carries no
secret (a code challenge is public), so it need not be stored; that it is answered once, the store sees to.
"""

from __future__ import annotations

from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeSerializer

from broker.domain.errors import Refused
from broker.domain.tokens import digest
from broker.operations import consent
from broker.operations.consent import AuthorizationRequest
from broker.operations.context import Context
from broker.store.accounts import Account


@dataclass(frozen=True, slots=True)
class Ticket:
    """A question that was put to a person."""

    request: AuthorizationRequest
    shown: str  # the hash of the text that was shown
    nonce: str


def _serializer(context: Context) -> URLSafeSerializer:
    return URLSafeSerializer(context.settings.secret_key, salt="consent")


def _binding(account: Account, session: str) -> list[object]:
    return [account.id, digest(session).hex()]


def issue(context: Context, request: AuthorizationRequest, shown: str, account: Account, session: str) -> str:
    """Sign a ticket for a page that is about to be shown."""
    body = [request.client_id, request.redirect_uri, sorted(request.scopes), request.code_challenge, request.state]
    ends_at = context.after(context.settings.lifetimes.consent_s)
    return _serializer(context).dumps([body, shown, context.randomness(16).hex(), ends_at, *_binding(account, session)])


def open_ticket(context: Context, text: str, account: Account, session: str) -> Ticket:
    """Read a ticket back; ``Refused`` if it is not ours, too old, another person's, or another session's."""
    try:
        (client_id, uri, scopes, challenge, state), shown, nonce, ends_at, *binding = _serializer(context).loads(text)
    except (BadSignature, ValueError, TypeError):
        raise Refused("this page is no longer valid; please start again from the app") from None
    if ends_at <= context.now:
        raise Refused("this page has been open for too long; please start again from the app")
    if binding != _binding(account, session):
        raise Refused("this page was opened by somebody else or in another session; please start again from the app")
    return Ticket(AuthorizationRequest(client_id, uri, frozenset(scopes), challenge, state), shown, nonce)


def use(context: Context, ticket: Ticket) -> None:
    """Mark a ticket as answered; ``Refused`` the second time."""
    if not consent.answered_now(context, bytes.fromhex(ticket.nonce)):
        raise Refused("this page was answered already; please start again from the app")
