"""Asking Palaver for what was not granted, so that a person can see the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, request
from werkzeug.wrappers import Response

from demo_partners.oauth_client.connection import Connection
from demo_partners.oauth_client.outcomes import Outcome, Verdict
from demo_partners.oauth_client.palaver import Palaver
from demo_partners.pages.answers import describe, mistake, show
from demo_partners.pages.sessions import Browser
from demo_partners.pages.site import asking_browser, is_id, site

beyond = Blueprint("beyond", __name__)


@dataclass(frozen=True)
class Reach:
    """One thing that a partner may not do: ``field`` names what it needs, ``wish`` says it in words."""

    field: str
    wish: str
    call: Callable[[Palaver, Connection, str], Outcome]


REACHES = {
    "read": Reach("thread", "read the messages of {where}", Palaver.read),
    "participants": Reach("thread", "see who is in {where}", Palaver.participants),
    "delete": Reach("message", "delete a message", Palaver.delete),
}


@beyond.post("/try")
def try_it() -> Response:
    """Form field ``what`` (a key of REACHES), with ``thread`` or ``message``; the last one sent if none is named."""
    browser, reach = asking_browser(), REACHES.get(request.form.get("what", ""))
    target = _target(browser, reach) if reach else None
    if reach is None or not is_id(target):
        return mistake(
            "Say what to try, and on which conversation or message. To delete, something must be sent first."
        )
    if browser.connection is None:
        return show(browser, describe(Outcome(verdict=Verdict.NOT_CONNECTED)))
    outcome = reach.call(site().palaver, browser.connection, target)
    browser.access = outcome.access.value
    wish = reach.wish.format(where=browser.name_of(target))
    asked = f"{site().partner.name} asked Palaver to {wish}."
    if outcome.ok:
        return show(browser, describe(outcome, "Palaver said yes", f"{asked} It was let, and should not have been."))
    return show(browser, describe(outcome) | {"asked": asked})


def _target(browser: Browser, reach: Reach) -> object:
    last = (browser.last_message or {}).get("id") if reach.field == "message" else None
    return request.form.get(reach.field) or last
