"""Connecting Palaver, and disconnecting it."""

from __future__ import annotations

from flask import Blueprint, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response

from demo_partners.oauth_client.authorization import ResponseRejected
from demo_partners.oauth_client.outcomes import Access, Outcome
from demo_partners.pages.answers import describe, mistake, show, wants_json
from demo_partners.pages.sessions import Browser
from demo_partners.pages.site import asking_browser, keep, site, start_anew

connecting = Blueprint("connecting", __name__)


@connecting.post("/connect")
def connect() -> Response:
    browser = asking_browser()
    begun = site().palaver.begin()
    if isinstance(begun, Outcome):
        return show(browser, describe(begun))
    pending, url = begun
    browser.expect(pending)
    keep(browser)
    return jsonify({"ok": True, "authorization_url": url}) if wants_json() else redirect(url, 303)


@connecting.get("/callback")
def callback() -> Response:
    browser = asking_browser()
    # Taken, not looked up: whatever becomes of the response, a second one to the same request is nobody's.
    pending = browser.pending.pop(request.args.get("state", ""), None)
    try:
        ended = site().palaver.finish(request.args.to_dict(flat=False), pending)
    except ResponseRejected as error:
        return mistake(f"An answer came that cannot be used: {error}. Nothing was connected.", "Not connected")
    if isinstance(ended, Outcome):
        return show(browser, describe(ended))
    start_anew(Browser(connection=ended, access=Access.LIVE.value))
    if wants_json():
        return jsonify({"ok": True, "access": Access.LIVE.value, "scope": ended.tokens.scope})
    return redirect(url_for("pages.home"), 303)


@connecting.post("/disconnect")
def disconnect() -> Response:
    """Give the tokens back to Palaver and forget them; they stay where giving back did not get an answer."""
    browser = asking_browser()
    if browser.connection is not None:
        outcome = site().palaver.give_back(browser.connection)
        if not outcome.ok and outcome.access is not Access.ENDED:
            return show(browser, describe(outcome))
    start_anew(Browser())
    if wants_json():
        return jsonify({"ok": True, "access": Access.NONE.value})
    return redirect(url_for("pages.home"), 303)
