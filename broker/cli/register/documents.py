"""What the register's rows look like as JSON."""

from __future__ import annotations

from broker.domain.features import Feature
from broker.domain.instants import Instant, rfc3339_or_none
from broker.operations.context import Context
from broker.operations.shutdowns import receipt
from broker.store.evidence import counts, shutdowns
from broker.store.register import clients
from broker.store.register.clients import Client
from broker.store.register.partners import Partner
from broker.store.register.resource_servers import ResourceServer

Shape = dict[str, object]


def of_feature(feature: Feature, now: Instant) -> Shape:
    """A feature in a list; ``ended`` is true from its end date on, before anybody has recorded that as a shutdown."""
    return {
        "id": feature.id, "partner": feature.partner_id, "name": feature.name, "state": feature.state.value,
        "epoch": feature.epoch, "ended": feature.ended(now), "ends_at": rfc3339_or_none(feature.ends_at),
        "shut_down_at": rfc3339_or_none(feature.shut_down_at), "scopes": sorted(feature.scopes),
        "registered_by": feature.registered_by,
    }  # fmt: skip


def of_feature_whole(context: Context, feature: Feature) -> Shape:
    """Everything about a feature: its words, its clients, what a shutdown would end now, and the last receipt."""
    latest = shutdowns.latest(context.transaction, feature.id)
    return of_feature(feature, context.now) | {
        "purpose": feature.purpose, "needs": list(feature.needs), "partner_state": feature.partner_state,
        "grant_lifetime_s": feature.grant_lifetime_s,
        "ceiling": [
            {"scope": each.scope, "required": each.required, "reason": each.reason, "beyond_need": each.beyond_need,
             "since": each.since}
            for each in feature.ceiling
        ],
        "clients": [each.id for each in clients.all(context.transaction) if each.feature_id == feature.id],
        "would_end": _would_end(context, feature),
        "receipt": None if latest is None else receipt(latest),
    }  # fmt: skip


def _would_end(context: Context, feature: Feature) -> dict[str, int] | None:
    """What a shutdown would end now; None for a feature that has ended, of which nothing stands."""
    if feature.ended(context.now):
        return None
    return counts.ended(context.transaction, feature.id, feature.epoch + 1, context.now)


def of_partner(partner: Partner) -> Shape:
    """A partner in a list."""
    return {"id": partner.id, "name": partner.name, "homepage": partner.homepage, "state": partner.state,
            "registered_by": partner.registered_by}  # fmt: skip


def of_client(client: Client) -> Shape:
    """A client; never a secret, of which only hashes are kept."""
    return {
        "id": client.id, "name": client.name, "feature": client.feature_id, "partner": client.partner_id,
        "state": client.state, "auth": client.auth_method, "redirect_uris": list(client.redirect_uris),
        "registered_by": client.registered_by,
    }  # fmt: skip


def of_resource_server(server: ResourceServer) -> Shape:
    """A resource server; never its secret."""
    return {"id": server.id, "name": server.name, "state": server.state, "scopes": sorted(server.scopes)}
