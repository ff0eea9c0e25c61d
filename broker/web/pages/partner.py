"""The partner's page: what its features hold, why, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, render_template
from werkzeug.exceptions import NotFound

from broker.domain.features import Feature
from broker.operations.shutdowns import Receipt, receipt_for_partners
from broker.store.evidence import shutdowns
from broker.store.evidence.shutdowns import Shutdown
from broker.store.register import clients, features, partners
from broker.store.register.clients import Client
from broker.web import sessions
from broker.web.request_context import context, transaction

pages = Blueprint("partner", __name__, url_prefix="/partner")


@dataclass(frozen=True, slots=True)
class Holding:
    """One feature with what belongs to it; ``receipt`` is that of its newest shutdown."""

    feature: Feature
    clients: tuple[Client, ...]
    receipt: Receipt | None


def holding(feature: Feature, registered: list[Client], written: Callable[[Shutdown], Receipt]) -> Holding:
    """A feature with its clients, out of all that are registered, and its receipt ``written`` for the reader."""
    latest = shutdowns.latest(transaction(), feature.id)
    own = tuple(client for client in registered if client.feature_id == feature.id)
    return Holding(feature, own, None if latest is None else written(latest))


@pages.get("")
@sessions.requires_role("partner")
def show() -> str:
    """What this partner holds."""
    account = sessions.current()
    partner = partners.get(transaction(), account.partner_id or "")
    if partner is None:
        raise NotFound("This account belongs to no partner.")
    registered = clients.all(transaction())
    own = features.of_partner(transaction(), partner.id)
    holdings = [holding(feature, registered, receipt_for_partners) for feature in own]
    words = context().settings.register.scopes
    return render_template("partner.html", account=account, partner=partner, holdings=holdings, words=words,
                           now=context().now)  # fmt: skip
