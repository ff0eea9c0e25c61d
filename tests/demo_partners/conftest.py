"""A partner's client and pages, facing a server that answers as the test tells it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from flask.testing import FlaskClient

from demo_partners.music_sharing.partner import TUNELOOP
from demo_partners.oauth_client.palaver import Palaver
from demo_partners.oauth_client.settings import ClientSettings
from demo_partners.pages.app import create_app
from tests.demo_partners.scripted_server import ScriptedServer, serving


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as scripted:
        scripted.play_an_honest_server()
        yield scripted


@pytest.fixture
def palaver(server: ScriptedServer) -> Iterator[Palaver]:
    settings = ClientSettings(
        broker=server.origin,
        client_id="tuneloop-share",
        client_secret="a-client-secret",
        redirect_uri="http://127.0.0.1:8101/callback",
    )
    with closing(Palaver(settings)) as client:
        yield client


@pytest.fixture
def browser(palaver: Palaver) -> FlaskClient:
    """A browser at TuneLoop's pages."""
    app = create_app(TUNELOOP, palaver)
    app.testing = True
    app.config["SERVER_NAME"] = "127.0.0.1:8101"
    return app.test_client()
