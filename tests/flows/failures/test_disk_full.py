"""A disk that takes nothing more: the action is refused, nothing of it is half done, and with space it goes on.

The limit on the size of files (RLIMIT_FSIZE) is set on a worker that runs, where a full disk would strike.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import databases
from tests.serving import Served, serve
from tests.visitors.partner import Partner
from tests.visitors.person import Person, redirected_to
from tests.visitors.site import elsewhere

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of a running process are Linux's")


@contextmanager
def _files_end_at(broker: Served, size: int) -> Iterator[None]:
    """No file of the broker's workers grows beyond this many bytes."""
    for worker in broker.workers():
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    yield
    for worker in broker.workers():
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _texts(broker: Served, person: Person, title: str = "Saturday hike") -> str:
    page = person.open("/inbox")
    path = page.answer.text.split(title)[0].rsplit('href="', 1)[1].split('"')[0]
    return person.open(path).text


@pytest.mark.parametrize("room", [0, 20])
def test_an_answer_whose_access_record_cannot_be_written_is_not_given(
    database_url: str, tmp_path: Path, config: Path, room: int
) -> None:
    """``room``: whether nothing of the record fits, or its beginning, which must not stay."""
    state = tmp_path / "state"
    config.write_text(f'state_dir = "{state}"\n' + config.read_text())
    with serve(database_url, config, workers=1) as broker, elsewhere(broker.url) as site:
        alice, partner = Person(site, "alice"), Partner(site, "tuneloop-share")
        token = partner.connects(alice)
        threads = partner.calls("GET", "/api/threads", token)
        path = f"/api/threads/{threads.json()['threads'][0]['id']}/messages"
        (spool,) = state.glob("spools/*.spool")
        before = spool.read_bytes()
        with _files_end_at(broker, len(before) + room):
            for answer in (partner.calls("GET", "/api/threads", token),
                           partner.calls("POST", path, token, json={"text": "never sent"})):  # fmt: skip
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
                assert "Saturday" not in answer.text
            assert spool.read_bytes() == before
        assert partner.calls("GET", "/api/threads", token).status_code == 200
        assert "never sent" not in _texts(broker, alice)


def test_a_full_disk_behind_sqlite_refuses_and_loses_nothing(tmp_path: Path, config: Path) -> None:
    url = databases.fresh_sqlite_database(tmp_path)
    log = Path(urlsplit(url).path + "-wal")
    with serve(url, config, workers=1) as broker, elsewhere(broker.url) as site:
        alice, partner = Person(site, "alice"), Partner(site, "tuneloop-share")
        token = partner.connects(alice)
        _, given = redirected_to(partner.code_page(alice))
        thread = partner.calls("GET", "/api/threads", token).json()["threads"][0]["id"]
        redemption = {"grant_type": "authorization_code", "code": given["code"],
                      "redirect_uri": partner.redirect_uri, "code_verifier": partner.verifier}  # fmt: skip
        refreshing = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
        with _files_end_at(broker, log.stat().st_size + 4096):
            refused = [
                partner.posts_form("/oauth/token", **redemption),
                partner.posts_form("/oauth/token", **refreshing),
                partner.posts_form("/oauth/revoke", token=token["access_token"]),
                partner.calls("POST", f"/api/threads/{thread}/messages", token, json={"text": "never sent"}),
            ]
            assert [answer.status_code for answer in refused] == [503] * 4
            assert partner.calls("GET", "/api/threads", token).status_code == 200, "reading goes on"
        assert partner.calls("GET", "/api/threads", token).status_code == 200, "it was not revoked"
        assert "never sent" not in _texts(broker, alice)
        for asked in (redemption, refreshing):
            assert partner.posts_form("/oauth/token", **asked).status_code == 200
        assert broker.run("audit", "verify").returncode == 0
