"""A person at a browser: follows links, fills in forms, presses buttons; over real HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2

from broker.domain.errors import Refused


@dataclass(slots=True)
class Form:
    """A form on a page: where it goes, and what it carries without anybody's doing."""

    action: str
    hidden: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(given.get("action", "")))
        elif tag == "input" and given.get("type") == "hidden" and self.found:
            self.found[-1].hidden[given.get("name", "")] = given.get("value", "")


def forms(page: str) -> list[Form]:
    """The forms of a page, in order."""
    parser = _Forms()
    parser.feed(page)
    return parser.found


class Person:
    """Somebody with a browser of their own."""

    def __init__(self, name: str, network: str) -> None:
        self.name = name
        self._network = network
        self._browser = httpx2.Client(timeout=20)
        self._partners: dict[str, httpx2.Client] = {}

    def close(self) -> None:
        """Close the browser."""
        for browser in (self._browser, *self._partners.values()):
            browser.close()

    def look(self, path: str) -> str:
        """Open a page of the network, logging in if it asks."""
        page = self._logged_in(self._browser.get(self._network + path))
        return page.text

    def _logged_in(self, answer: httpx2.Response) -> httpx2.Response:
        """Follow redirects within the network; where that ends at the login page, log in."""
        answer = self._follow(answer)
        if answer.url.path == "/login":
            form = next(each for each in forms(answer.text) if "csrf_token" in each.hidden)
            values = {**form.hidden, "username": self.name, "password": f"{self.name}-demo"}
            answer = self._follow(self._browser.post(urljoin(str(answer.url), form.action or "/login"), data=values))
        return answer

    def _follow(self, answer: httpx2.Response) -> httpx2.Response:
        while answer.is_redirect:
            target = urljoin(str(answer.url), answer.headers["location"])
            if not target.startswith(self._network):
                return answer
            answer = self._browser.get(target)
        return answer

    # --- at a partner's app ---------------------------------------------------------------------------------------

    def _app(self, url: str) -> httpx2.Client:
        if url not in self._partners:
            self._partners[url] = httpx2.Client(base_url=url, headers={"Accept": "application/json"}, timeout=20)
        return self._partners[url]

    def press(self, app: str, path: str, **values: str) -> dict[str, object]:
        """Press a button of a partner's app; what the app then says."""
        browser = self._app(app)
        token = browser.get("/status").json()["csrf_token"]
        answer: dict[str, object] = browser.post(path, data={**values, "csrf_token": token}).json()
        return answer

    def home(self, app: str) -> dict[str, object]:
        """What a partner's app shows first."""
        answer: dict[str, object] = self._app(app).get("/").json()
        return answer

    def connect(self, app: str) -> dict[str, object]:
        """Connect the network in a partner's app: allow what it asks for, in all conversations."""
        begun = self.press(app, "/connect")
        if "authorization_url" not in begun:
            return begun
        done: dict[str, object] = self._app(app).get(self.allow(str(begun["authorization_url"]))).json()
        return done

    def allow(self, authorization_url: str) -> str:
        """Answer an app's request: allow what it asks for, in all conversations; where that leads back to."""
        answer = self._logged_in(self._browser.get(authorization_url))
        if not answer.is_redirect:
            answer = self._allow(answer)
        return str(answer.headers["location"])

    def _allow(self, page: httpx2.Response) -> httpx2.Response:
        form = next((each for each in forms(page.text) if "ticket" in each.hidden), None)
        if form is None:
            raise Refused(f"{self.name} expected a consent page, and saw: {page.text[:300]}")
        values = {**form.hidden, "decision": "approve", "conversation": "all"}
        answer = self._browser.post(urljoin(str(page.url), form.action), data=values)
        if not answer.is_redirect:
            raise Refused(f"{self.name} allowed, and saw: {answer.text[:300]}")
        return answer

    def share_into(self, app: str, thread: str, item: str) -> dict[str, object]:
        """Share an item into a conversation that was seen before."""
        return self.press(app, "/share", thread=thread, item=item)

    def standing(self, app: str) -> dict[str, object]:
        """What a partner's app says that it holds."""
        answer: dict[str, object] = self._app(app).get("/standing").json()
        return answer
