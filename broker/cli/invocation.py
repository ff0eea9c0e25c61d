"""One call of `broker`: what its options say, and the broker that they open."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cached_property, wraps
from typing import Concatenate, ParamSpec, TypeVar

import click

from broker.cli.commands import Given
from broker.cli.output import Output
from broker.domain.errors import Refused
from broker.operations.context import Context, Runtime
from broker.operations.recovery import current
from broker.settings import Settings, load
from broker.store import accounts, deployment, migrations
from broker.store.accounts import Account
from broker.web.runtime import default_database_url, open_runtime, sqlite_file

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_SET_UP = "run: broker serve, or broker db upgrade --seed"


class Invocation:
    """Nothing is read or opened before it is asked for, so that a command touches only what it needs."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self.operator = given.operator
        self.output = Output(given.as_json)

    @property
    def actor(self) -> str:
        """Whom the audit log names."""
        return "cli" if self.operator is None else f"operator:{self.operator}"

    @cached_property
    def settings(self) -> Settings:
        """The configuration; a URL on the command line stands above the environment's, which is then not judged."""
        environ = dict(os.environ)
        if self._given.database_url is not None:
            environ.pop("BROKER_DATABASE_URL", None)
        return load(self._given.config_file, environ)

    @cached_property
    def database_url(self) -> str:
        """The database that this call is about."""
        return default_database_url(self.settings) if self._given.database_url is None else self._given.database_url

    @cached_property
    def opened(self) -> Runtime:
        """The broker, whatever state its database is in; a SQLite file is created."""
        return open_runtime(self.settings, self.database_url)

    @cached_property
    def runtime(self) -> Runtime:
        """The broker, with a database that is set up for this version and this configuration; else ``Refused``."""
        if self.database_missing():
            raise Refused(f"there is no database {sqlite_file(self.database_url)} yet; {_SET_UP}")
        database = self.opened.database
        migrations.refuse_newer(database)
        version = migrations.current(database)
        if version is None:
            raise Refused(f"the database is empty; {_SET_UP}")
        if version != migrations.newest():
            raise Refused(f"the database has the older version {version}; run: broker db upgrade")
        with database.read() as transaction:
            if not deployment.is_seeded(transaction):
                raise Refused(f"the database is not set up; {_SET_UP}")
            if deployment.is_demo(transaction) and self.settings.demo is None:
                raise Refused("this database was seeded with the demo world, whose passwords everybody knows")
        current.require_current(self.opened)
        return self.opened

    def database_missing(self) -> bool:
        """Whether the database is a SQLite file that is not there; asking does not create it."""
        file = sqlite_file(self.database_url)
        return file is not None and not file.exists()

    @contextmanager
    def read(self) -> Iterator[Context]:
        """A context in one snapshot."""
        with self.runtime.read(self.actor) as context:
            yield context

    @contextmanager
    def write(self) -> Iterator[Context]:
        """A context that commits at the end, for an actor who may."""
        with self.runtime.write(self.actor) as context:
            self.judge_operator(context)
            yield context

    def require_operator(self) -> None:
        """Refuse an actor who is no operator, before an operation that opens transactions itself."""
        with self.read() as context:
            self.judge_operator(context)

    def judge_operator(self, context: Context) -> None:
        """Refuse an actor who is no operator in this context's database."""
        if self.operator is not None:
            account = accounts.by_name(context.transaction, self.operator)
            if account is None or not is_active_operator(account):
                raise Refused(f"{self.operator!r} is not an active operator")

    def close(self) -> None:
        """Close the database, if it was opened."""
        if "opened" in self.__dict__:
            self.opened.database.close()


def is_active_operator(account: Account) -> bool:
    """Whether an account may act as an operator now."""
    return account.role == "operator" and account.state == "active"


def pass_invocation(command: Callable[Concatenate[Invocation, Parameters], Result]) -> Callable[Parameters, Result]:
    """Give a command its invocation, and close what it opened."""

    @wraps(command)
    def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        given = click.get_current_context().find_root().ensure_object(Given)
        with closing(Invocation(given)) as invocation:
            return command(invocation, *args, **kwargs)

    return call
