"""What a resource server elsewhere gains by a lease: its guard from memory, beside an introspection each time.

Both beside the same handler without a guard, which answers a constant. The broker's own introspection endpoint asks its
database in either mode, so it is not what is compared here. On PostgreSQL alone, since one database is enough.
"""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from dataclasses import dataclass

from bench.broker import elsewhere
from bench.broker.side import broker_side
from bench.catalogue import Database
from bench.load import Sample, drive, http_request
from bench.measures.against_plain import latency
from bench.measures.context import Bench, Invalid
from bench.servers import Server, granian
from bench.sides import Side

KINDS = ("leased", "strict", "constant")
NAMES = tuple(f"introspect.{kind}.per_s" for kind in KINDS)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A resource server, and a request of each reader's for it."""

    server: Server
    requests: list[bytes]

    def window(self, bench: Bench) -> Sample:
        """Load it for one window; ``Invalid`` when it answers anything but 200."""
        plan = bench.plan
        sample = drive(self.server.address, self.requests, seconds=plan.seconds, connections=plan.connections)
        if sample.errors:
            raise Invalid(f"{sample.errors} errors: {sample.first_error}")
        return sample


def run(bench: Bench) -> None:
    """Measure all of NAMES, the three servers up at the same time and loaded by turns."""
    if bench.database is Database.SQLITE:
        return
    with broker_side(bench) as broker, ExitStack() as servers:
        issuer = "http://{}:{}".format(*broker.server.address)
        environment = elsewhere.environment(issuer, broker.credentials.resource_server)
        asked = {
            kind: _asked(servers.enter_context(granian(f"bench.broker.elsewhere:{kind}", environment)), broker)
            for kind in KINDS
        }
        bench.say("a resource server elsewhere, with a lease and without")
        for each in asked.values():
            each.window(bench)
        samples: dict[str, list[Sample]] = {kind: [] for kind in KINDS}
        for turn in range(bench.plan.pairs):
            for kind in KINDS if turn % 2 == 0 else KINDS[::-1]:
                samples[kind].append(asked[kind].window(bench))
    _record(bench, samples)


def _asked(server: Server, broker: Side) -> _Asked:
    host = "{}:{}".format(*server.address)
    return _Asked(server, [
        http_request("GET", elsewhere.PATH, {"Host": host, "Authorization": f"Bearer {reader.token}"})
        for reader in broker.credentials.readers
    ])  # fmt: skip


def _record(bench: Bench, samples: dict[str, list[Sample]]) -> None:
    for kind, name in zip(KINDS, NAMES, strict=True):
        rates = [sample.per_s for sample in samples[kind]]
        of_constant = [
            sample.per_s / bare.per_s for sample, bare in zip(samples[kind], samples["constant"], strict=True)
        ]
        bench.record(name, statistics.median(rates), windows=len(rates), least=min(rates), greatest=max(rates),
                     of_constant=statistics.median(of_constant), **latency(samples[kind]))  # fmt: skip
