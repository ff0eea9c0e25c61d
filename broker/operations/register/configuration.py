"""What changed files would do to the register, and doing it.

Standing lives in the database; files propose. Applying never reopens, never moves an end that has passed, never touches
what was registered by an operator, and takes absence for an error: it refuses and names the command that would do it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from broker.domain.errors import Refused
from broker.domain.features import CeilingEntry, Feature, FeatureState
from broker.domain.instants import rfc3339
from broker.operations.context import Context, Runtime
from broker.operations.register import approvals, clients, ending, features, partners
from broker.operations.register.seeding import client_of, feature_of, register_feature, register_partner
from broker.settings import FeatureFile, PartnerFile, Settings
from broker.store import grants, standing
from broker.store.register import clients as stored_clients
from broker.store.register import features as stored_features
from broker.store.register import partners as stored_partners
from broker.store.register.partners import Partner

Act = Callable[[Context], str | None]  # what it gives back is the id of an approval that is now pending


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a plan. ``kind`` says what it does: registers, changes, narrows, ends, widens or refused."""

    kind: str
    subject: str
    text: str
    grants: int = 0  # that it would end, or narrow
    people: int = 0
    act: Act = field(repr=False, compare=False, default=lambda context: None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What applying did: the changes, the approvals that it has asked for, the operations of the shutdowns in it."""

    changes: tuple[Change, ...]
    pending: tuple[str, ...]
    shutdowns: tuple[str, ...]


def plan(context: Context, settings: Settings) -> list[Change]:
    """Every change that these files would make, in the order in which it would be made."""
    changes: list[Change] = []
    for partner in settings.register.partners:
        known = stored_partners.get(context.transaction, partner.id)
        changes += _partner(known, partner)
        for feature in partner.features if known is not None else ():
            changes += _feature(context, partner, feature)
    return changes + list(_absences(context, settings))


def _partner(known: Partner | None, file: PartnerFile) -> Iterator[Change]:
    if known is None:
        yield Change("registers", f"partner:{file.id}", f"registers partner {file.id}, {len(file.features)} features",
                     act=lambda context: register_partner(context, file))  # fmt: skip
    elif (known.name, known.homepage) != (file.name, file.homepage):
        new = replace(known, name=file.name, homepage=file.homepage)
        yield Change("changes", f"partner:{file.id}", f"renames partner {file.id} to {file.name!r}",
                     act=lambda context: partners.rename(context, new))  # fmt: skip


def _feature(context: Context, partner: PartnerFile, file: FeatureFile) -> Iterator[Change]:
    known = stored_features.get(context.transaction, file.id)
    subject = f"feature:{file.id}"
    if known is None:
        yield Change("registers", subject, f"registers feature {file.id} as {file.state}",
                     act=lambda context: register_feature(context, file, partner.name))  # fmt: skip
        return
    new = feature_of(file, partner.name, context.settings)
    if known.partner_id != file.partner:
        yield _refused(subject, f"{file.id} belongs to partner {known.partner_id}; a feature does not move")
        return
    yield from _ceiling(context, known, new)
    yield from _words(known, new)
    yield from _end_date(context, known, new)
    yield from _state(context, known, new)
    for client in file.clients:
        yield from _client(context, file.id, client_of(client, file.id), client.development_secret)


def _refused(subject: str, text: str) -> Change:
    return Change("refused", subject, text)


def _ceiling(context: Context, known: Feature, new: Feature) -> Iterator[Change]:
    dropped = known.scopes - new.scopes
    if dropped == known.scopes:
        yield _refused(f"feature:{known.id}", f"nothing would be left of {known.id}'s ceiling; to end it, use:"
                                              f" broker features shut-down {known.id}")  # fmt: skip
    elif dropped:
        names = ", ".join(sorted(dropped))
        yield Change("narrows", f"feature:{known.id}", f"takes {names} out of {known.id}",
                     *_holders(context, known, dropped),
                     act=lambda context: features.narrow(context, known.id, dropped))  # fmt: skip
    added = tuple(entry for entry in new.ceiling if entry.scope not in known.scopes)
    if added and known.state is FeatureState.SHUT_DOWN:
        yield _refused(f"feature:{known.id}", f"{known.id} is shut down; it cannot be widened")
    elif added:
        names = ", ".join(entry.scope for entry in added)
        yield Change("widens", f"feature:{known.id}", f"asks a second operator to let {names} into {known.id}",
                     act=lambda context: _request_widening(context, new, added))  # fmt: skip


def _request_widening(context: Context, new: Feature, added: tuple[CeilingEntry, ...]) -> str:
    features.require_sound(context, new)
    return approvals.request_widening(context, new.id, added)


def _holders(context: Context, feature: Feature, scopes: Iterable[str] | None = None) -> tuple[int, int]:
    """How many live grants of a feature hold any of these scopes, and of how many people."""
    if feature.ended(context.now):
        return 0, 0
    return grants.count(context.transaction, feature.id, feature.epoch, context.now, scopes)


def _words(known: Feature, new: Feature) -> Iterator[Change]:
    before = {entry.scope: (entry.reason, entry.required, entry.beyond_need) for entry in known.ceiling}
    reasons = any(
        before.get(entry.scope) not in (None, (entry.reason, entry.required, entry.beyond_need))
        for entry in new.ceiling
    )
    texts = ("name", "purpose", "needs", "grant_lifetime_s")
    changed = [name for name in texts if getattr(known, name) != getattr(new, name)] + ["reasons"] * reasons
    if changed:
        kept = tuple(entry for entry in new.ceiling if entry.scope in known.scopes)
        worded = replace(new, ceiling=kept)
        text = f"changes {', '.join(changed)} of {known.id}; people are asked afresh"
        yield Change("changes", f"feature:{known.id}", text,
                     act=lambda context: features.change_words(context, known.id, worded))  # fmt: skip


def _end_date(context: Context, known: Feature, new: Feature) -> Iterator[Change]:
    if known.ends_at == new.ends_at or known.state is FeatureState.SHUT_DOWN:
        return
    subject, words = f"feature:{known.id}", rfc3339(new.ends_at) if new.ends_at is not None else "never"
    if known.ended(context.now):
        yield _refused(subject, f"the end of {known.id} has passed and cannot be moved; use: broker features reopen")
    elif new.ends_at is not None and new.ends_at <= context.now:
        yield _refused(subject, f"the new end {words} has passed; use: broker features shut-down {known.id}")
    elif features.is_later(known, new.ends_at):
        yield Change("widens", subject, f"asks a second operator to move the end of {known.id} to {words}",
                     act=lambda context: approvals.request_extending(context, known.id, new.ends_at))  # fmt: skip
    else:
        yield Change("narrows", subject, f"ends {known.id} at {words}", *_holders(context, known),
                     act=lambda context: features.schedule(context, known.id, new.ends_at))  # fmt: skip


def _state(context: Context, known: Feature, new: Feature) -> Iterator[Change]:
    subject, before, after = f"feature:{known.id}", known.state, new.state
    if before is after:
        return
    if before is FeatureState.SHUT_DOWN:
        yield _refused(subject, f"{known.id} is shut down and files do not reopen: broker features reopen {known.id}"
                                f" --epoch {known.epoch}, or say state = \"shut_down\"")  # fmt: skip
    elif after is FeatureState.SHUT_DOWN:
        count, people = _holders(context, known)
        yield Change(
            "ends", subject, f"shuts {known.id} down", count, people, act=lambda context: _end(context, known.id)
        )
    elif after is FeatureState.SUSPENDED and before is FeatureState.ACTIVE:
        yield Change("narrows", subject, f"suspends {known.id}", *_holders(context, known),
                     act=lambda context: features.suspend(context, known.id))  # fmt: skip
    elif after is FeatureState.ACTIVE and before is FeatureState.DRAFT:
        yield Change("changes", subject, f"launches {known.id}", act=lambda context: features.launch(context, known.id))
    elif after is FeatureState.ACTIVE:
        yield Change("widens", subject, f"asks a second operator to resume {known.id}",
                     act=lambda context: approvals.request_resuming(context, known.id))  # fmt: skip
    else:
        yield _refused(subject, f"{known.id} is {before.value}; it cannot become {after.value}")


def _end(context: Context, feature_id: str) -> None:
    """Its receipt is completed by the coordinator after the commit."""
    feature = features.closed_for(context, feature_id)
    if feature.state is not FeatureState.SHUT_DOWN:
        ending.end(context, feature, cause="configuration", reason=ending.CONFIGURED)


def _client(context: Context, feature_id: str, new: stored_clients.Client, secret: str | None) -> Iterator[Change]:
    known, subject = stored_clients.get(context.transaction, new.id), f"client:{new.id}"
    if known is None:

        def add(context: Context) -> None:
            clients.register(context, new, secret)

        yield Change("registers", subject, f"registers client {new.id} for {feature_id}", act=add)
    elif known.feature_id != feature_id or known.auth_method != new.auth_method:
        yield _refused(
            subject, f"client {new.id} keeps its feature ({known.feature_id}) and method ({known.auth_method})"
        )
    elif set(new.redirect_uris) - set(known.redirect_uris):
        yield Change("widens", subject, f"asks a second operator to give {new.id} new redirect URIs",
                     act=lambda context: approvals.request_client_change(context, new.id, new.name, new.redirect_uris),
                     )  # fmt: skip
    elif (known.name, known.redirect_uris) != (new.name, new.redirect_uris):
        yield Change("changes", subject, f"changes client {new.id}",
                     act=lambda context: clients.change(context, new.id, new.name, new.redirect_uris))  # fmt: skip


def _absences(context: Context, settings: Settings) -> Iterator[Change]:
    """What a file registered once and no file names now: absence is not an instruction."""
    register = settings.register
    named = {p.id for p in register.partners}, {f.id for f in register.features}
    named_clients = {client.id for feature in register.features for client in feature.clients}
    for partner in stored_partners.all(context.transaction):
        if partner.registered_by == "config" and partner.id not in named[0]:
            yield _refused(f"partner:{partner.id}", f"partner {partner.id} is in no file; use: broker partners suspend")
    for feature in stored_features.all(context.transaction):
        gone = feature.registered_by == "config" and feature.id not in named[1]
        if gone and feature.state is not FeatureState.SHUT_DOWN:
            yield _refused(f"feature:{feature.id}", f"feature {feature.id} is in no file; to end it, use:"
                                                    f" broker features shut-down {feature.id}")  # fmt: skip
    for client in stored_clients.all(context.transaction):
        if client.registered_by == "config" and client.state == "active" and client.id not in named_clients:
            yield _refused(f"client:{client.id}", f"client {client.id} is in no file; to end it, use:"
                                                  f" broker clients disable {client.id}")  # fmt: skip


def apply(runtime: Runtime, actor: str) -> Outcome:
    """Do all that the plan says in one transaction, or nothing if anything in it is refused."""
    pending: list[str] = []
    with runtime.write(actor) as context:
        changes = plan(context, runtime.settings)
        refused = [change.text for change in changes if change.kind == "refused"]
        if refused:
            raise Refused("; ".join(refused))
        narrowed = [
            change.subject.removeprefix("feature:") for change in changes if change.subject.startswith("feature:")
        ]
        standing.close_fence(
            context.transaction, *narrowed
        )  # all at once, in their order: two that apply cannot lock up
        for change in changes:
            asked = change.act(context)
            if asked is not None:
                pending.append(asked)
    ended = tuple(change.subject.removeprefix("feature:") for change in changes if change.kind == "ends")
    return Outcome(tuple(changes), tuple(pending), ended)
