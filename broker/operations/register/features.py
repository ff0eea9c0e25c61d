"""A feature's life: registered, launched, suspended, resumed, scheduled, narrowed, widened, shut down, reopened.

What narrows closes the fence first (it waits for everybody who acts under the feature) and takes one person. What
widens (resume, a later end, widen, reopen) is called through operations/register/approvals.py, and takes two.
"""

from __future__ import annotations

from dataclasses import replace

from broker.domain.audit import Action
from broker.domain.errors import Conflict, NotFound, Refused
from broker.domain.features import CeilingEntry, Feature, FeatureState, beyond_baseline
from broker.domain.instants import Instant, rfc3339
from broker.operations.context import Context
from broker.operations.register import ending
from broker.store import standing
from broker.store.register import features, partners


def get(context: Context, feature_id: str) -> Feature:
    """A feature, or ``NotFound``."""
    found = features.get(context.transaction, feature_id)
    if found is None:
        raise NotFound(f"there is no feature {feature_id!r}")
    return found


def closed_for(context: Context, feature_id: str) -> Feature:
    """A feature that nobody acts under until this transaction ends; an end that is due is recorded first."""
    get(context, feature_id)
    standing.close_fence(context.transaction, feature_id)
    feature = get(context, feature_id)
    if feature.state is not FeatureState.SHUT_DOWN and feature.ended(context.now):
        ending.end(context, feature, cause="end_date", reason="the end date was reached")
        return get(context, feature_id)
    return feature


def require_sound(context: Context, feature: Feature) -> None:
    """Refuse a ceiling that is wider than its purpose, unless it says why, and combinations that are forbidden."""
    register = context.settings.register
    unknown = feature.scopes - register.scopes.keys()
    if unknown or not feature.scopes:
        raise Refused(
            f"feature {feature.id}: unknown scopes {sorted(unknown)}" if unknown else "a ceiling is not empty"
        )
    baseline = {need: frozenset(scopes) for need, scopes in register.needs.items()}
    wider = beyond_baseline(feature.scopes, feature.needs, baseline)
    unexplained = [e.scope for e in feature.ceiling if e.scope in wider and not e.beyond_need]
    if unexplained:
        raise Refused(
            f"feature {feature.id}: {', '.join(unexplained)} is wider than its needs ({', '.join(feature.needs)});"
            " beyond_need must say why"
        )
    others = features.of_partner(context.transaction, feature.partner_id)
    held = feature.scopes.union(*(o.scopes for o in others if o.id != feature.id and not o.ended(context.now)))
    for combination in register.forbidden_combinations:
        if combination <= held and combination & feature.scopes:
            raise Refused(
                f"partner {feature.partner_id} would hold a forbidden combination: {', '.join(sorted(combination))}"
            )


def register(context: Context, feature: Feature) -> None:
    """Register a feature, as a draft or active; its ceiling holds from this entry of the log on."""
    if features.get(context.transaction, feature.id) is not None:
        raise Conflict(f"feature {feature.id} is registered already")
    if feature.state not in (FeatureState.DRAFT, FeatureState.ACTIVE):
        raise Refused(f"feature {feature.id}: a new feature is draft or active")
    partners.lock(context.transaction, feature.partner_id)  # whoever suspends the partner sees this feature, or waits
    require_sound(context, feature)
    position = context.record(
        Action.FEATURE_REGISTERED, f"feature:{feature.id}", feature=feature.id, partner=feature.partner_id,
        state=feature.state.value, ceiling=sorted(feature.scopes), ends_at=feature.ends_at,
    )  # fmt: skip
    ceiling = tuple(replace(entry, since=position) for entry in feature.ceiling)
    features.add(context.transaction, replace(feature, ceiling=ceiling), context.now)


def _move(context: Context, feature: Feature, after: FeatureState, action: Action, *before: FeatureState) -> None:
    if feature.state not in before:
        raise Conflict(f"feature {feature.id} is {feature.state.value}, not {' or '.join(before)}")
    features.set_state(context.transaction, feature.id, feature.epoch, feature.state, after)
    context.record(action, f"feature:{feature.id}", feature=feature.id, epoch=feature.epoch)


def launch(context: Context, feature_id: str) -> None:
    """Make a draft active."""
    feature = closed_for(context, feature_id)
    _move(context, feature, FeatureState.ACTIVE, Action.FEATURE_LAUNCHED, FeatureState.DRAFT)


def suspend(context: Context, feature_id: str) -> None:
    """Hold a feature: nothing under it is admitted, and nothing is lost, until it is resumed."""
    feature = closed_for(context, feature_id)
    _move(context, feature, FeatureState.SUSPENDED, Action.FEATURE_SUSPENDED, FeatureState.ACTIVE)


def resume(context: Context, feature_id: str) -> None:
    """Let a suspended feature go on: the same grants are live again."""
    feature = closed_for(context, feature_id)
    _move(context, feature, FeatureState.ACTIVE, Action.FEATURE_RESUMED, FeatureState.SUSPENDED)


def is_later(feature: Feature, ends_at: Instant | None) -> bool:
    """Whether a new end date would let a feature run longer."""
    return feature.ends_at is not None and (ends_at is None or ends_at > feature.ends_at)


def schedule(context: Context, feature_id: str, ends_at: Instant | None) -> None:
    """Set the end date; one that has passed is over and cannot be moved."""
    feature = closed_for(context, feature_id)
    if feature.state is FeatureState.SHUT_DOWN:
        raise Conflict(f"feature {feature_id} is shut down; its end cannot be moved (reopen it)")
    if ends_at is not None and ends_at <= context.now:
        raise Refused(f"{rfc3339(ends_at)} has passed; to end the feature now, shut it down")
    features.schedule(context.transaction, feature_id, ends_at)
    context.record(Action.FEATURE_SCHEDULED, f"feature:{feature_id}", feature=feature_id,
                   before=feature.ends_at, ends_at=ends_at)  # fmt: skip


def narrow(context: Context, feature_id: str, dropped: frozenset[str]) -> None:
    """Take scopes out of a ceiling: from the commit on no live token has them."""
    feature = closed_for(context, feature_id)
    if not dropped <= feature.scopes:
        raise Conflict(f"feature {feature_id} does not hold {', '.join(sorted(dropped - feature.scopes))}")
    if dropped == feature.scopes:
        raise Refused("a ceiling is not empty; to end the feature, shut it down")
    for scope in sorted(dropped):
        features.drop_scope(context.transaction, feature_id, scope)
    context.record(Action.FEATURE_NARROWED, f"feature:{feature_id}", feature=feature_id, scopes=sorted(dropped))


def widen(context: Context, feature_id: str, added: tuple[CeilingEntry, ...]) -> None:
    """Let scopes into a ceiling, for consents from now on; grants that stand do not get them."""
    feature = closed_for(context, feature_id)
    if feature.state is FeatureState.SHUT_DOWN:
        raise Conflict(f"feature {feature_id} is shut down")
    wider = replace(feature, ceiling=(*feature.ceiling, *added))
    if {entry.scope for entry in added} & feature.scopes:
        raise Conflict(f"feature {feature_id} holds some of these scopes already")
    require_sound(context, wider)
    position = context.record(Action.FEATURE_WIDENED, f"feature:{feature_id}", feature=feature_id,
                              scopes=sorted(entry.scope for entry in added))  # fmt: skip
    for entry in added:
        features.add_scope(context.transaction, feature_id, replace(entry, since=position))


def change_words(context: Context, feature_id: str, new: Feature) -> None:
    """Change what people read (name, purpose, reasons), and how long new grants last; who granted is asked afresh."""
    require_sound(context, new)
    features.set_words(context.transaction, feature_id, name=new.name, purpose=new.purpose, needs=new.needs,
                       lifetime_s=new.grant_lifetime_s)  # fmt: skip
    for entry in new.ceiling:
        features.set_scope_words(context.transaction, feature_id, entry)
    context.record(Action.FEATURE_CHANGED, f"feature:{feature_id}", feature=feature_id, name=new.name,
                   purpose=new.purpose)  # fmt: skip


def reopen(context: Context, feature_id: str, epoch: int) -> None:
    """Make a shut-down feature active again, at the epoch that its approvers saw. Old grants stay dead.

    An end date that has passed is cleared: it did its work. The receipt of the shutdown must be complete, so that it
    counts before anything new is admitted.
    """
    feature = closed_for(context, feature_id)
    if feature.state is not FeatureState.SHUT_DOWN:
        raise Conflict(f"feature {feature_id} is {feature.state.value}, not shut down")
    if feature.epoch != epoch:
        raise Conflict(f"feature {feature_id} is at epoch {feature.epoch}, not {epoch}")
    ending.require_receipt(context, feature_id)
    if feature.ends_at is not None and feature.ends_at <= context.now:
        features.schedule(context.transaction, feature_id, None)
    _move(context, feature, FeatureState.ACTIVE, Action.FEATURE_REOPENED, FeatureState.SHUT_DOWN)
