"""GET /api/standing: a client reads what it holds; it reaches no user, and works after the end."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, g

from broker.domain import scopes
from broker.domain.instants import rfc3339_or_none
from broker.enforcement.flask import guarded
from broker.enforcement.guard import Guard
from broker.operations.shutdowns import receipt_for_partners
from broker.store.evidence import shutdowns
from broker.store.register import features
from broker.web.oauth.answers import json_answer
from broker.web.request_context import transaction


def create(guard: Callable[[], Guard]) -> Blueprint:
    """The endpoint as a blueprint."""
    endpoints = Blueprint("standing", __name__)

    @endpoints.get("/api/standing")
    @guarded(guard, scopes.STANDING_READ)
    def standing() -> Response:
        row = g.allowed.standing
        feature = features.get(transaction(), row.feature_id)
        latest = shutdowns.latest(transaction(), row.feature_id)
        assert feature is not None
        state = "shut_down" if feature.ended(row.now) else feature.state.value
        return json_answer(200, {
            "client_id": row.client_id, "partner": row.partner_id, "feature": feature.id, "name": feature.name,
            "purpose": feature.purpose, "state": state, "epoch": feature.epoch,
            "ends_at": rfc3339_or_none(feature.ends_at),
            "ceiling": [{"scope": e.scope, "reason": e.reason, "required": e.required} for e in feature.ceiling],
            "receipt": None if latest is None else receipt_for_partners(latest),
        })  # fmt: skip

    return endpoints
