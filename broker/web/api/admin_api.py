"""The operator API: a bearer token with the ``operate`` scope, and the same operations that the command line calls."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import msgspec
from flask import Blueprint, Response, g, request

from broker.domain import scopes
from broker.domain.errors import NotFound, Refused
from broker.domain.features import Feature
from broker.domain.instants import rfc3339_or_none
from broker.domain.tokens import TokenKind, digest, well_formed
from broker.enforcement.flask import problem
from broker.operations import shutdowns
from broker.operations.register import approvals
from broker.operations.register import features as operations
from broker.store import tokens
from broker.store.register import features
from broker.web.oauth.answers import json_answer
from broker.web.request_context import NONE, READ, context, runs, runtime, serving, transaction

endpoints = Blueprint("admin_api", __name__, url_prefix="/admin/api")


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a call; every field may be left out."""

    reason: Annotated[str, msgspec.Meta(max_length=500, pattern=r"^[^\x00-\x1f]*$")] | None = None
    op_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    count: bool = True
    scopes: list[str] = []
    epoch: int | None = None


def _asked() -> Asked:
    body = request.get_data()
    if body and request.mimetype != "application/json":
        raise Refused("send the body as application/json")
    try:
        return msgspec.json.decode(body, type=Asked) if body else Asked()
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Refused(f"the body cannot be read: {error}") from error


def operates(view: Callable[..., Response]) -> Callable[..., Response]:
    """Admit operators' tokens with the ``operate`` scope, which no client can hold."""

    @wraps(view)
    def checked(*args: Any, **values: Any) -> Response:
        header = request.headers.get("Authorization", "")
        token = header[7:].strip() if header[:7].lower() == "bearer " else ""
        with serving(READ):
            known = well_formed(TokenKind.OPERATOR, token)
            found = tokens.operator_of(transaction(), digest(token), context().now) if known else None
        if found is None:
            challenge = 'error="invalid_token"' if token else ""  # RFC 6750 section 3.1: none without credentials
            return _refusal(401, "unknown-token", "An operator's token is needed", challenge)
        if scopes.OPERATE not in found[1]:
            needed = f'error="insufficient_scope", scope="{scopes.OPERATE}"'
            return _refusal(403, "insufficient-scope", "This token is not for operating features", needed)
        g.actor = f"operator:{found[0]}"
        return view(*args, **values)

    return runs(NONE)(checked)


def _refusal(status: int, kind: str, title: str, challenge: str) -> Response:
    answer = problem(status, kind, title, "See: broker operators token.")
    answer.headers["WWW-Authenticate"] = ", ".join(filter(None, ['Bearer realm="palaver-operators"', challenge]))
    return answer


def _json(feature: Feature) -> dict[str, object]:
    return {
        "id": feature.id, "partner": feature.partner_id, "name": feature.name, "purpose": feature.purpose,
        "state": feature.state.value, "epoch": feature.epoch, "ends_at": rfc3339_or_none(feature.ends_at),
        "ceiling": sorted(feature.scopes),
    }  # fmt: skip


@endpoints.get("/features")
@operates
def list_features() -> Response:
    """Every feature as it stands."""
    with serving(READ):
        return json_answer(200, {"features": [_json(each) for each in features.all(transaction())]})


@endpoints.get("/features/<feature>")
@operates
def show_feature(feature: str) -> Response:
    """One feature as it stands."""
    with serving(READ):
        return json_answer(200, _json(operations.get(context(), feature)))


@endpoints.post("/features/<feature>/shut-down")
@operates
def shut_down(feature: str) -> Response:
    """Shut a feature down; the receipt. In force when this answers."""
    asked = _asked()
    found = shutdowns.shut_down(runtime(), g.actor, feature, reason=asked.reason, op_id=asked.op_id, count=asked.count)
    return json_answer(200, found)


@endpoints.get("/features/<feature>/receipt")
@operates
def show_receipt(feature: str) -> Response:
    """The receipt of a feature's newest shutdown."""
    found = shutdowns.latest_receipt(runtime(), feature)
    if found is None:
        raise NotFound(f"feature {feature!r} was never shut down")
    return json_answer(200, found)


@endpoints.post("/features/<feature>/suspend")
@operates
def suspend(feature: str) -> Response:
    """Suspend a feature."""
    with serving("write"):
        operations.suspend(context(), feature)
        return json_answer(200, _json(operations.get(context(), feature)))


@endpoints.post("/features/<feature>/narrow")
@operates
def narrow(feature: str) -> Response:
    """Take scopes out of a feature's ceiling."""
    with serving("write"):
        operations.narrow(context(), feature, frozenset(_asked().scopes))
        return json_answer(200, _json(operations.get(context(), feature)))


@endpoints.post("/features/<feature>/resume")
@operates
def resume(feature: str) -> Response:
    """Ask for a suspended feature to be resumed; another operator approves."""
    with serving("write"):
        return json_answer(202, {"pending": approvals.request_resuming(context(), feature)})


@endpoints.post("/features/<feature>/reopen")
@operates
def reopen(feature: str) -> Response:
    """Ask for a shut-down feature to be reopened at the epoch that is seen now; another operator approves."""
    epoch = _asked().epoch
    if epoch is None:
        raise Refused("epoch is missing: say at which epoch you saw the feature")
    with serving("write"):
        return json_answer(202, {"pending": approvals.request_reopening(context(), feature, epoch)})


@endpoints.post("/approvals/<approval>/approve")
@operates
def approve(approval: str) -> Response:
    """Approve what another operator asked for, and do it."""
    with serving("write"):
        done = approvals.approve(context(), approval, g.actor.removeprefix("operator:"))
        return json_answer(200, {"approved": done.id, "operation": done.operation, "summary": done.summary})
