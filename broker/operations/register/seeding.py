"""Filling an empty database: the register from the files, and in development the demo world."""

from __future__ import annotations

from dataclasses import replace

from broker.domain.audit import Action
from broker.domain.errors import Conflict, Refused
from broker.domain.features import CeilingEntry, Feature, FeatureState
from broker.operations.context import Context, Runtime, begin
from broker.operations.people import accounts
from broker.operations.register import clients, ending, features, partners, resource_servers
from broker.settings import ClientFile, DemoWorld, FeatureFile, PartnerFile, Settings
from broker.store import conversations, deployment
from broker.store.engine.database import Transaction
from broker.store.register.clients import Client
from broker.store.register.partners import Partner


def feature_of(file: FeatureFile, partner_name: str, settings: Settings) -> Feature:
    """A feature as its file proposes it, at its first epoch."""
    ceiling = tuple(CeilingEntry(e.scope, e.reason, e.required, 0, e.beyond_need) for e in file.ceiling)
    return Feature(
        id=file.id, partner_id=file.partner, partner_name=partner_name, partner_state="active", name=file.name,
        purpose=file.purpose, needs=file.needs, state=FeatureState(file.state), epoch=1, ends_at=file.ends_at,
        shut_down_at=None, grant_lifetime_s=file.grant_lifetime_s or settings.lifetimes.grant_s,
        registered_by="config", ceiling=ceiling,
    )  # fmt: skip


def client_of(file: ClientFile, feature_id: str) -> Client:
    """A client as its file proposes it."""
    return Client(file.id, feature_id, file.name, file.auth, file.redirect_uris, "active")


def seed(runtime: Runtime) -> bool:
    """Fill an empty database in one transaction; False if it was filled before. Refuses another world's database."""
    try:
        return _seed(runtime)
    except Conflict:
        # Perhaps another node has begun at the same moment. Its commit is what this one then finds; if there is none,
        # the refusal was the register's own, and comes again.
        return _seed(runtime)


def _seed(runtime: Runtime) -> bool:
    with runtime.database.write() as transaction:
        if deployment.is_seeded(transaction):
            _require_same_world(transaction, runtime.settings)
            return False
        deployment.start(transaction, demo=runtime.settings.demo is not None)
        context = begin(transaction, runtime.settings, "broker", runtime.randomness)
        context.record(Action.BROKER_SEEDED, "broker", demo=runtime.settings.demo is not None)
        for partner in runtime.settings.register.partners:
            register_partner(context, partner)
        for server in runtime.settings.register.resource_servers:
            resource_servers.register(context, server.id, server.name, frozenset(server.scopes),
                                      server.development_secret)  # fmt: skip
        if runtime.settings.demo is not None:
            _populate(context, runtime.settings.demo)
    return True


def _require_same_world(transaction: Transaction, settings: Settings) -> None:
    if deployment.is_demo(transaction) and settings.demo is None:
        raise Refused("this database was seeded with the demo world, whose passwords everybody knows; use another")


def register_partner(context: Context, file: PartnerFile) -> None:
    """Register a partner with its features and clients, as its file says."""
    partners.register(context, Partner(file.id, file.name, file.homepage, "active", "config"))
    for feature in file.features:
        register_feature(context, feature, file.name)


def register_feature(context: Context, file: FeatureFile, partner_name: str) -> None:
    """Register a feature with its clients. One that is to be suspended or shut down is made so by its own verb."""
    feature = feature_of(file, partner_name, context.settings)
    is_new = feature.state in (FeatureState.DRAFT, FeatureState.ACTIVE)
    features.register(context, feature if is_new else replace(feature, state=FeatureState.DRAFT))
    for client in file.clients:
        clients.register(context, client_of(client, file.id), client.development_secret)
    if feature.state is FeatureState.SUSPENDED:
        features.launch(context, file.id)
        features.suspend(context, file.id)
    elif feature.state is FeatureState.SHUT_DOWN:
        known = features.closed_for(context, file.id)
        ending.end(context, known, cause="configuration", reason=ending.CONFIGURED)


def _populate(context: Context, world: DemoWorld) -> None:
    numbers = {
        person.username: accounts.register(
            context, username=person.username, display_name=person.display_name, password=person.password,
            role=person.role, partner_id=person.partner,
        )
        for person in world.people
    }  # fmt: skip
    for thread in world.threads:
        members = [numbers[name] for name in thread.members]
        number = conversations.add_thread(context.transaction, thread.title, members, context.now)
        start = context.now - len(thread.messages) * 600_000_000
        for order, (author, text) in enumerate(thread.messages):
            conversations.post(context.transaction, thread_id=number, author_id=numbers[author], text=text,
                               at=start + order * 600_000_000)  # fmt: skip
    for one, other in world.friends:
        conversations.add_friendship(context.transaction, numbers[one], numbers[other])
    for post in world.posts:
        conversations.add_post(context.transaction, numbers[post.author], post.text, context.now)
    for contact in world.contacts:
        conversations.add_contact(context.transaction, numbers[contact.owner], contact.name, contact.email)
