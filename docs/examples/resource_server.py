"""A resource server in a process of its own: Palaver's search, which answers only who may read the messages.

Run it beside ``make run``; the secret is the one that ``broker resource-servers register`` printed:

    RESOURCE_SERVER_SECRET=… python docs/examples/resource_server.py --broker http://127.0.0.1:8000
"""

import argparse
import os
import signal
import sys

from flask import Flask, g, request
from werkzeug.serving import make_server

from broker.enforcement.flask import guarded
from broker.enforcement.remote import connect

MESSAGES = ("The hike starts at nine.", "Bring the blue tent.", "Who has the map of the hike?")


def create(broker: str, name: str, secret: str, lease_ms: int) -> Flask:
    """The app. What makes it ask before it answers is ``connect`` and ``guarded``."""
    app = Flask(__name__)
    guard = connect(broker, name, secret, lease_ms=lease_ms)
    guard.start()  # before the first request: else that one waits for the lease

    @app.get("/search")
    @guarded(guard, "messages:read")
    def search() -> dict[str, object]:
        wanted = request.args.get("q", "").lower()
        return {"for": g.claims["sub"], "found": [text for text in MESSAGES if wanted in text.lower()]}

    return app


def main() -> None:
    """Serve until SIGTERM; say ``ready URL`` once it answers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", required=True, help="the issuer")
    parser.add_argument("--name", default="palaver-search", help="the id that it is registered with")
    parser.add_argument("--lease-ms", type=int, default=3000)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    app = create(given.broker, given.name, os.environ["RESOURCE_SERVER_SECRET"], given.lease_ms)
    server = make_server("127.0.0.1", given.port, app, threaded=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # leaves by the usual door: the broker hears of it
    sys.stdout.write(f"ready http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
