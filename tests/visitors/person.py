"""A person at a browser without script: opens pages, sends forms, follows redirects as far as they stay here."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

import httpx2

from tests.visitors.page import Form, Page, read_page
from tests.visitors.site import Site

_MAX_REDIRECTS = 10


class Person:
    """One browser with its cookies."""

    def __init__(self, site: Site, name: str = "nobody", address: str = "127.0.0.1") -> None:
        self.site, self.name = site, name
        self.http = site.client(address)

    def open(self, target: str) -> Page:
        """Open a path or address, and follow redirects until a page, or an address elsewhere, is reached."""
        return self._follow(self.http.get(target))

    def submit(self, page: Page, control: str, ticking: Iterable[tuple[str, str]] | None = None, **fields: str) -> Page:
        """Send the form that has ``control``, with some fields filled in.

        A field named like a button presses that button. ``ticking`` is what is ticked; else what the page has ticked.
        """
        form = page.form(control)
        return self._follow(self.send(page, form, ticking, **fields))

    def send(
        self, page: Page, form: Form, ticking: Iterable[tuple[str, str]] | None = None, **fields: str
    ) -> httpx2.Response:
        """Send a form, and do not follow."""
        assert form.method == "post"
        kept = [(name, value) for name, value in form.fields if name not in fields]
        pairs = [*kept, *(form.ticked() if ticking is None else ticking), *fields.items()]
        data: dict[str, list[str]] = {}
        for name, value in pairs:
            data.setdefault(name, []).append(value)
        return self.http.post(form.action or str(page.answer.request.url), data=data)

    def _follow(self, answer: httpx2.Response) -> Page:
        for _ in range(_MAX_REDIRECTS):
            target = answer.headers.get("Location")
            if target is None or not _stays(target, self.site.url):
                return read_page(answer)
            answer = self.http.get(target)
        raise AssertionError(f"redirected in circles, last to {answer.headers.get('Location')}")

    def log_in(self, password: str | None = None, *, at: Page | None = None) -> Page:
        """Log in, at a login page that was reached or at one that is opened now; where that leads to."""
        page = at or self.open("/login")
        return self.submit(page, "username", username=self.name, password=password or f"{self.name}-demo")

    def is_logged_in(self) -> bool:
        """Whether pages that need a session are shown."""
        return self.http.get("/account").status_code == 200

    def answer(
        self, page: Page, decision: str = "approve", scopes: Iterable[str] = (), conversations: Iterable[str] = ("all",)
    ) -> Page:
        """Answer the consent page: tick optional scopes, choose conversations by id or ``all``, press a button."""
        form = page.form("decision")
        offered = form.choices("conversation")
        ticking = [("scope", each) for each in scopes]
        ticking += [("conversation", each) for each in conversations] if offered else []
        return self.submit(page, "decision", ticking, decision=decision)


def _stays(target: str, url: str) -> bool:
    return target.startswith("/") or urlsplit(target).netloc == urlsplit(url).netloc


def redirected_to(page: Page) -> tuple[str, dict[str, str]]:
    """Where a page sends the browser, without the query; and the query, each parameter once."""
    target = urlsplit(page.answer.headers["Location"])
    found = parse_qs(target.query, keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values()), found
    return target._replace(query="").geturl(), {name: values[0] for name, values in found.items()}
