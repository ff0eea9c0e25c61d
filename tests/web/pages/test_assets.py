"""Style sheet, font and icons: vendored as said, small, kept by browsers, and served without a database."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

from broker import web
from broker.operations.context import Runtime
from broker.store.engine.database import Database
from tests.register import SETTINGS
from tests.visitors.person import Person
from tests.visitors.site import Site, in_process
from tests.world import Clock, stream

STATIC = Path(web.__file__).parent / "static"
VENDORED = dict(re.findall(r"^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$", (STATIC / "vendor/README.md").read_text(), re.M))


def test_every_vendored_file_is_the_one_that_was_reviewed() -> None:
    files = {file.name: file for file in (STATIC / "vendor").iterdir() if file.suffix not in (".md", ".txt")}
    assert {name: sha256(file.read_bytes()).hexdigest() for name, file in files.items()} == VENDORED


@pytest.mark.parametrize("name", ["inter-LICENSE.txt", "lucide-LICENSE.txt"])
def test_the_licences_are_beside_them(name: str) -> None:
    assert "Copyright" in (STATIC / "vendor" / name).read_text()


def test_what_a_first_visit_loads_is_under_100_kb(site: Site) -> None:
    page = Person(site).open("/login")
    assets = set(re.findall(r'href="(/static/[^"#]+)', page.answer.text))
    assert {re.sub(r"\?.*|.*/", "", asset) for asset in assets} == {
        "broker.css", "icon.svg", "inter-5.3.0-latin-wght.woff2"
    }  # fmt: skip
    whole = len(page.answer.content) + sum(len(body) for body in _bodies(site, assets))
    assert whole < 100_000
    assert len((STATIC / "broker.css").read_bytes()) < 12_000


def _bodies(site: Site, assets: set[str]) -> list[bytes]:
    with site.client() as client:
        return [client.get(asset).content for asset in assets]


def test_addresses_carry_a_version_and_may_be_kept_for_a_year(site: Site) -> None:
    page = Person(site).open("/login")
    for asset in re.findall(r'href="(/static/[^"#]+)', page.answer.text):
        assert re.search(r"\?v=[0-9a-f]{12}$", asset)
        with site.client() as client:
            assert "max-age=31536000" in client.get(asset).headers["Cache-Control"]


def test_they_are_served_while_the_database_is_away(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/gone/broker.db", clock=Clock())
    running = Runtime(database, SETTINGS, stream("away"), lambda: 0, tmp_path / "spools")
    with in_process(running) as site, site.client() as client:
        assert client.get("/login").status_code == 503
        assert client.get("/static/broker.css").status_code == 200


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/nothing.css", "/static/"])
def test_nothing_else_is_served(site: Site, path: str) -> None:
    with site.client() as client:
        assert client.get(path).status_code == 404
