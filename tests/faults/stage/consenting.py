"""A person at a browser who connects an app, again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import httpx2
from authlib.common.errors import AuthlibBaseError

from tests.faults.stage.history import now
from tests.faults.stage.traffic import THINKS_S, Visitor, Write
from tests.visitors.page import Page
from tests.visitors.partner import Partner
from tests.visitors.person import Person
from tests.visitors.site import elsewhere


def consents(visitor: Visitor, ended: threading.Event, write: Write) -> None:
    """A person who is logged in connects an app anew each time, ticking more or less than before."""
    with elsewhere(visitor.url) as site:
        partner, person = Partner(site, visitor.client_id), Person(site, visitor.person)
        person.log_in()
        while not ended.wait(THINKS_S):
            with suppress(httpx2.HTTPError, AuthlibBaseError, AssertionError):
                _consent(visitor, partner, person, write)


def _consent(visitor: Visitor, partner: Partner, person: Person, write: Write) -> None:
    """Each request of the flow that may give something is a call of its own."""

    def noted(ask: Callable[[], Page], kind: str) -> Page:
        invoked = now()
        page = ask()
        given = "code=" in page.answer.headers.get("Location", "")
        write(visitor.call(invoked, page.answer.status_code, ok=given, kind=kind))
        return page

    page = noted(lambda: person.open(partner.asks()), "ask")
    if any("decision" in form.names for form in page.forms):
        page = noted(lambda: person.answer(page), "consent")
    if "code=" in page.answer.headers.get("Location", ""):
        invoked = now()
        partner.receives(page)
        write(visitor.call(invoked, 200, ok=True, kind="redeem"))
