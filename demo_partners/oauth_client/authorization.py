"""Asking a person for access, and whether the response may be believed.

The checks stand in this order because each makes the next one safe to read: a response without our ``state`` is
nobody's we know, one with a foreign ``iss`` comes from another server (RFC 9207 section 2.4), and only after both does
its ``error`` or ``code`` mean anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from secrets import compare_digest, token_urlsafe

from authlib.integrations.base_client import OAuthError

from demo_partners.oauth_client.metadata import ServerMetadata

PENDING_SECONDS = 600


class ResponseRejected(Exception):
    """An authorization response that is not the answer to the request it is held against."""


@dataclass(frozen=True)
class PendingAuthorization:
    """A request that has been sent and not answered; ``started`` is the reading of a monotonic clock in seconds."""

    started: float
    state: str = field(default_factory=lambda: token_urlsafe(32), repr=False)
    code_verifier: str = field(default_factory=lambda: token_urlsafe(48), repr=False)


@dataclass(frozen=True)
class Approval:
    """A code to redeem, and the verifier of the request that it answers."""

    code: str = field(repr=False)
    code_verifier: str = field(repr=False)


def read_response(
    parameters: Mapping[str, Sequence[str]],
    pending: PendingAuthorization | None,
    metadata: ServerMetadata,
    now: float,
) -> Approval:
    """Read an authorization response.

    ``pending`` is the request of this browser that the state belongs to. Raises ResponseRejected when the response is
    not to be believed, and Authlib's OAuthError when it is believed and says no.
    """
    if any(len(values) > 1 for values in parameters.values()):
        raise ResponseRejected("it repeats a parameter")
    given = {name: values[0] for name, values in parameters.items() if values}
    if pending is None or not compare_digest(given.get("state", "").encode(), pending.state.encode()):
        raise ResponseRejected("this browser did not ask for it, or it was answered before")
    if now - pending.started > PENDING_SECONDS:
        raise ResponseRejected("it comes too late")
    issuer = given.get("iss")
    if issuer != metadata.issuer and (issuer is not None or metadata.iss_in_response):
        raise ResponseRejected("it does not come from Palaver")
    if "error" in given:
        raise OAuthError(given["error"], given.get("error_description"))
    if not given.get("code"):
        raise ResponseRejected("it has neither a code nor an error")
    return Approval(given["code"], pending.code_verifier)
