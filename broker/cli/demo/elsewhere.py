"""The chapter of the resource servers elsewhere: they say yes from memory, and a shutdown waits for each of them."""

from __future__ import annotations

import secrets
import threading
import time
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

from broker.cli.demo.ledger import Ledger
from broker.cli.demo.person import Person
from broker.cli.demo.processes import Process
from broker.cli.demo.world import SEARCH_FEATURE, World
from broker.domain.errors import Refused

_NAMES = ("search-1", "search-2", "search-3")
_ENOUGH_S = 10.0


class ResourceServers:
    """Three processes of one resource server, and somebody's token for it."""

    def __init__(self, world: World, ledger: Ledger, stack: ExitStack) -> None:
        self.world, self.ledger = world, ledger
        with ThreadPoolExecutor() as starting:
            self.servers = list(starting.map(lambda name: self._start(name, stack), _NAMES))
        for server in self.servers:
            ledger.tell(f"{server.name:<10} {server.url}")
        self._http = stack.enter_context(httpx2.Client(timeout=_ENOUGH_S))
        self._token = ""

    def _start(self, name: str, stack: ExitStack) -> Process:
        server = self.world.search_server(name)
        stack.callback(server.stop)
        return server

    def tell(self, person: Person) -> None:
        """All of it; ``person`` is who lets an app search."""
        self._token = self._allowed_by(person)
        said = [self._comes_to_say(server, {200}) for server in self.servers]
        self.ledger.check("each of three resource servers admits the app", said == [200] * 3, f"answers {said}")
        paused = self.servers[-1]
        paused.pause()
        self.ledger.tell(f"{paused.name} is paused: it can neither confirm nor answer")
        code, receipt, errors = self.world.command("features", "shut-down", SEARCH_FEATURE, "--as", "ops")
        self._after_the_return(receipt if code == 0 and isinstance(receipt, dict) else {"error": errors})
        paused.resume()
        heard = [self._says(paused), self._comes_to_say(paused, {401})]
        self.ledger.check("the paused one wakes, and does not say yes", 200 not in heard and heard[1] == 401,
                          f"{heard[0]} at once, then {heard[1]}")  # fmt: skip

    def _after_the_return(self, receipt: dict[str, Any]) -> None:
        said = [self._says(server) for server in self.servers[:-1]]
        self.ledger.check("when the command returns, the others refuse", said == [401] * 2, f"answers {said}")
        outcomes = sorted(each["outcome"] for each in receipt.get("nodes") or [])
        self.ledger.check("the receipt says how it knows", outcomes == ["confirmed", "confirmed", "waited_out"],
                          f"{', '.join(outcomes) or receipt}, effect in {receipt.get('elapsed_ms')} ms")  # fmt: skip

    def _says(self, server: Process) -> int:
        headers = {"Authorization": f"Bearer {self._token}"}
        return self._http.get(f"{server.url}/search", params={"q": "hike"}, headers=headers).status_code

    def _comes_to_say(self, server: Process, wanted: set[int]) -> int:
        """Its answer once it can decide: until it has a lease it answers 503."""
        until = time.monotonic() + _ENOUGH_S
        said = self._says(server)
        while said == 503 and said not in wanted and time.monotonic() < until:
            threading.Event().wait(0.05)
            said = self._says(server)
        return said

    def _allowed_by(self, person: Person) -> str:
        """What any OAuth client does; the access token."""
        app, verifier, state = self.world.search_app(), secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {"response_type": "code", "client_id": app.id, "redirect_uri": app.redirect_uris[0], "state": state,
                 "code_challenge": challenge, "code_challenge_method": "S256"}  # fmt: skip
        back = person.allow(f"{self.world.broker.url}/oauth/authorize?{urlencode(asked)}")
        given = parse_qs(urlsplit(back).query)
        if given.get("state") != [state] or "code" not in given:
            raise Refused(f"{person.name} allowed a search, and was sent to {back}")
        answer = self._http.post(
            f"{self.world.broker.url}/oauth/token", auth=(app.id, app.development_secret or ""),
            data={"grant_type": "authorization_code", "code": given["code"][0], "redirect_uri": app.redirect_uris[0],
                  "code_verifier": verifier},
        )  # fmt: skip
        token = str(answer.json().get("access_token", ""))
        self.ledger.check(f"{person.name} lets Querio search", bool(token), f"scope {answer.json().get('scope')}")
        return token
