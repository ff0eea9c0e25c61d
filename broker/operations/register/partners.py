"""Partners: registered, renamed, suspended and resumed."""

from __future__ import annotations

from broker.domain.audit import Action
from broker.domain.errors import Conflict, NotFound, Refused
from broker.domain.names import problem_with_id, problem_with_name
from broker.operations.context import Context
from broker.store import standing
from broker.store.register import features, partners
from broker.store.register.partners import Partner


def get(context: Context, partner_id: str) -> Partner:
    """A partner, or ``NotFound``."""
    found = partners.get(context.transaction, partner_id)
    if found is None:
        raise NotFound(f"there is no partner {partner_id!r}")
    return found


def _require_sound(context: Context, partner: Partner) -> None:
    problem = problem_with_id(partner.id)
    if problem is not None:
        raise Refused(f"partner id {partner.id!r} {problem}")
    problem = problem_with_name(partner.name, context.settings.reserved_words)
    if problem is not None:
        raise Refused(f"the name of partner {partner.id} {problem}")


def register(context: Context, partner: Partner) -> None:
    """Register a partner."""
    _require_sound(context, partner)
    if partners.get(context.transaction, partner.id) is not None:
        raise Conflict(f"partner {partner.id} is registered already")
    partners.add(context.transaction, partner, context.now)
    context.record(Action.PARTNER_REGISTERED, f"partner:{partner.id}", name=partner.name)


def rename(context: Context, partner: Partner) -> None:
    """Change what people read about a partner."""
    _require_sound(context, partner)
    partners.set_words(context.transaction, partner.id, partner.name, partner.homepage)
    context.record(Action.PARTNER_CHANGED, f"partner:{partner.id}", name=partner.name)


def suspend(context: Context, partner_id: str) -> None:
    """Hold all of a partner's features at once; nothing is lost."""
    _move(context, partner_id, "active", "suspended", Action.PARTNER_SUSPENDED)


def resume(context: Context, partner_id: str) -> None:
    """Let a suspended partner go on; called through an approval."""
    _move(context, partner_id, "suspended", "active", Action.PARTNER_RESUMED)


def _move(context: Context, partner_id: str, before: str, after: str, action: Action) -> None:
    get(context, partner_id)
    concerned = _features(context, partner_id)
    standing.close_fence(context.transaction, *concerned)
    if not partners.set_state(context.transaction, partner_id, before, after):
        raise Conflict(f"partner {partner_id} is not {before}")
    if _features(context, partner_id) != concerned:  # one came in between, and its fence is open; none can come now
        raise Conflict(f"partner {partner_id} has got a feature in the meantime; ask again")
    context.record(action, f"partner:{partner_id}")


def _features(context: Context, partner_id: str) -> list[str]:
    return [feature.id for feature in features.of_partner(context.transaction, partner_id)]
