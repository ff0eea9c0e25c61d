"""One running partner, as its views find it: the partner, its client, and the browser that is asking."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeGuard, cast

from flask import current_app, session

from demo_partners.oauth_client.palaver import Palaver
from demo_partners.pages.partner import Partner
from demo_partners.pages.sessions import Browser, Browsers

EXTENSION = "demo_partner"
_BROWSER = "browser"
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True)
class Site:
    """What the pages of one running partner share."""

    partner: Partner
    palaver: Palaver
    browsers: Browsers


def site() -> Site:
    return cast(Site, current_app.extensions[EXTENSION])


def asking_browser() -> Browser:
    """Return what is held for the browser that is asking: nothing yet, for one that is new or was forgotten."""
    return site().browsers.find(session.get(_BROWSER)) or Browser()


def keep(browser: Browser) -> None:
    """Hold a browser's things from now on."""
    if site().browsers.find(session.get(_BROWSER)) is not browser:
        session[_BROWSER] = site().browsers.admit(browser)


def start_anew(browser: Browser) -> None:
    """Replace all that was held, the cookie's id and the CSRF token included: who knew the old ones knows nothing."""
    site().browsers.forget(session.get(_BROWSER))
    session.clear()
    session[_BROWSER] = site().browsers.admit(browser)


def is_id(value: object) -> TypeGuard[str]:
    """Whether a value can be one of Palaver's ids, and so may stand in a path."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None
