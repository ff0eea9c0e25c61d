"""The command line of a partner, and serving until told to stop."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import closing
from threading import Thread
from urllib.parse import urlsplit

import click
from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from demo_partners.oauth_client.palaver import Palaver
from demo_partners.oauth_client.settings import ClientSettings
from demo_partners.pages.app import HOST, create_app
from demo_partners.pages.partner import Partner

DEFAULT_BROKER = "http://127.0.0.1:8000"
DEFAULT_SECRET_VARIABLE = "PARTNER_CLIENT_SECRET"


class _QuietHandler(WSGIRequestHandler):
    """Logs errors and no requests: the address of a callback holds a code."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def command_for(partner: Partner) -> click.Command:
    """Make the command that serves a partner."""

    @click.command(help=f"Serve {partner.name} ({partner.feature_title}) on a loopback address.")
    @click.option(
        "--broker",
        envvar="BROKER_URL",
        default=DEFAULT_BROKER,
        show_default=True,
        callback=_read_origin,
        help="Palaver's origin.",
    )
    @click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to serve on; 0 takes a free one.")
    @click.option("--client-id", envvar="PARTNER_CLIENT_ID", default=partner.client_id, show_default=True)
    @click.option(
        "--client-secret-env",
        default=DEFAULT_SECRET_VARIABLE,
        show_default=True,
        help="Environment variable that holds the client secret.",
    )
    def command(broker: str, port: int, client_id: str, client_secret_env: str) -> None:
        secret = os.environ.get(client_secret_env)
        if not secret:
            raise click.UsageError(f"the environment variable {client_secret_env} must hold the client secret")
        try:
            listener = socket.create_server((HOST, port))
        except OSError as error:
            raise click.ClickException(f"cannot serve on {HOST}:{port}: {os.strerror(error.errno or 0)}") from error
        origin = f"http://{HOST}:{listener.getsockname()[1]}"
        settings = ClientSettings(
            broker=broker,
            client_id=client_id,
            client_secret=secret,
            redirect_uri=f"{origin}/callback",
        )
        with listener, closing(Palaver(settings)) as palaver:
            serve(create_app(partner, palaver), listener, origin)

    return command


def _read_origin(context: click.Context, parameter: click.Parameter, value: str) -> str:
    parts = urlsplit(value)
    if (
        parts.scheme not in ("http", "https")
        or not parts.netloc
        or value.rstrip("/") != f"{parts.scheme}://{parts.netloc}"
    ):
        raise click.BadParameter("it must be an origin, such as http://127.0.0.1:8000", context, parameter)
    return value.rstrip("/")


def serve(app: Flask, listener: socket.socket, origin: str) -> None:
    """Serve on a listening socket until SIGTERM or SIGINT; say ``ready ORIGIN`` once requests are accepted."""
    server = make_server(HOST, 0, app, threaded=True, request_handler=_QuietHandler, fd=listener.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _stop(server))
    click.echo(f"ready {origin}")
    server.serve_forever(poll_interval=0.1)


def _stop(server: BaseWSGIServer) -> None:
    # shutdown() waits for serve_forever(), which runs in the thread that this signal interrupts.
    Thread(target=server.shutdown).start()
