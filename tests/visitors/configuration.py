"""The register and the people of tests/register.py as configuration files, for a broker in processes of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from broker.settings import FeatureFile, PartnerFile
from tests.register import DEMO, REGISTER

Values = Mapping[str, Any]
_KEY = "dev-only-tests-0123456789abcdef0123456789abcdef"


def write(
    directory: Path, *, limits: Values | None = None, lifetimes: Values | None = None, database: Values | None = None,
    enforcement: Values | None = None,
) -> Path:  # fmt: skip
    """Write a development configuration into a directory; the main file. Limits are off unless they are given."""
    directory.mkdir(parents=True, exist_ok=True)
    main = directory / "palaver.toml"
    main.write_text(
        _table({"environment": "development", "secret_key": _KEY})
        + _table({"demo": "demo.toml", "partners": "partner-*.toml"}, "[files]")
        + _table({"enabled": limits is not None, **(limits or {})}, "[limits]")
        + _table(lifetimes or {}, "[lifetimes]") + _table(database or {}, "[database]")
        + _table(enforcement or {}, "[enforcement]")
        + "".join(_table({"id": server.id, "name": server.name, "scopes": server.scopes,
                          "development_secret": server.development_secret}, "[[resource_server]]")
                  for server in REGISTER.resource_servers)
    )  # fmt: skip
    (directory / "scopes.toml").write_text(_scopes())
    (directory / "demo.toml").write_text(_demo())
    for partner in REGISTER.partners:
        (directory / f"partner-{partner.id}.toml").write_text(_partner(partner))
    return main


def _table(values: Values, head: str = "") -> str:
    """A table of TOML; JSON writes strings, numbers, booleans and lists in a way that TOML reads."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items() if value is not None]
    return "\n".join([head, *lines, ""])


def _tables(head: str, rows: Iterable[Values]) -> str:
    return "".join(_table(row, head) for row in rows)


def _scopes() -> str:
    scopes = ({"name": s.name, "title": s.title, "text": s.text, "example": s.example, "sensitive": s.sensitive}
              for s in REGISTER.scopes.values())  # fmt: skip
    forbidden = ({"scopes": sorted(each.scopes), "because": each.because} for each in REGISTER.forbidden)
    needs = {need: list(names) for need, names in REGISTER.needs.items()}
    return _tables("[[scope]]", scopes) + _table(needs, "[needs]") + _tables("[[forbidden_combination]]", forbidden)


def _demo() -> str:
    people = ({"username": p.username, "display_name": p.display_name, "password": p.password, "role": p.role,
               "partner": p.partner} for p in DEMO.people)  # fmt: skip
    threads = ({"title": t.title, "members": t.members, "messages": t.messages} for t in DEMO.threads)
    posts = ({"author": post.author, "text": post.text} for post in DEMO.posts)
    contacts = ({"owner": c.owner, "name": c.name, "email": c.email, "phone": c.phone} for c in DEMO.contacts)
    return (
        _table({"friends": DEMO.friends}) + _tables("[[person]]", people) + _tables("[[thread]]", threads)
        + _tables("[[post]]", posts) + _tables("[[contact]]", contacts)
    )  # fmt: skip


def _partner(partner: PartnerFile) -> str:
    head = _table({"id": partner.id, "name": partner.name, "homepage": partner.homepage})
    return head + "".join(map(_feature, partner.features))


def _feature(feature: FeatureFile) -> str:
    lifetime = feature.grant_lifetime_s and f"{feature.grant_lifetime_s}s"
    own = {"id": feature.id, "name": feature.name, "purpose": feature.purpose, "needs": feature.needs,
           "state": feature.state, "grant_lifetime": lifetime}  # fmt: skip
    scopes = ({"scope": e.scope, "reason": e.reason, "required": e.required, "beyond_need": e.beyond_need}
              for e in feature.ceiling)  # fmt: skip
    clients = ({"id": c.id, "name": c.name, "auth": c.auth, "redirect_uris": c.redirect_uris,
                "development_secret": c.development_secret} for c in feature.clients)  # fmt: skip
    return _table(own, "[[feature]]") + _tables("[[feature.scopes]]", scopes) + _tables("[[feature.clients]]", clients)
