"""broker serve as a process: ready, drained, refused. What it serves is tested in tests/web."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from tests import serving
from tests.cli.desk import PRODUCTION, Desk, production, refusal, run


def test_an_empty_database_is_set_up_served_and_drained(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/broker.db"
    with serving.serve(url, workers=2) as served:
        with urllib.request.urlopen(f"{served.url}/healthz", timeout=10) as answer:
            assert answer.status == 200
        listed = serving.run("features", "list", "--json", database_url=url)
        assert '"share-a-track"' in listed.stdout
        assert served.stop() == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_the_demo_world_is_not_served_to_everybody(host: str, tmp_path: Path) -> None:
    file = tmp_path / "broker.db"
    line = refusal(run("serve", "--host", host, "--port", "0", "--database", f"sqlite:///{file}"))
    assert "palaver.toml" in line
    assert not file.exists()


def test_serving_the_demo_world_with_another_configuration_is_refused(desk: Desk, tmp_path: Path) -> None:
    where = ("--config", production(tmp_path), "--database", desk.url)
    line = refusal(run("serve", "--port", "0", *where, env=PRODUCTION))
    assert line.startswith("this database was seeded with the demo world")


@pytest.mark.parametrize("options", [["--port", "65536"], ["--port", "-1"], ["--workers", "0"], ["--port", "http"]])
def test_numbers_that_are_none_are_wrong_usage(options: list[str]) -> None:
    assert run("serve", *options).exit_code == 2
