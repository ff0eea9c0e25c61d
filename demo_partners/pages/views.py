"""The pages of a partner: send something, see how it went, see what is held."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, jsonify, redirect, request, url_for
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from demo_partners.oauth_client.outcomes import Outcome, Verdict
from demo_partners.pages.answers import Document, answer, describe, mistake, show
from demo_partners.pages.sessions import Browser
from demo_partners.pages.site import asking_browser, is_id, site

pages = Blueprint("pages", __name__, template_folder="templates", static_folder="static", static_url_path="/shared")


@pages.get("/")
def home() -> Response:
    """Show what this partner may and may not do, and when connected, what can be sent and where."""
    browser = asking_browser()
    document = _status(browser) | {
        "threads": None,
        "items": [item.document() for item in site().partner.items.values()],
        "last_message": browser.last_message,
    }
    if browser.connection is None:
        return answer("home.html", document)
    outcome = site().palaver.threads(browser.connection)
    browser.access = outcome.access.value
    document |= describe(outcome)
    if outcome.ok:
        browser.titles = _titles(outcome.body)
        document["threads"] = [{"id": thread, "title": title} for thread, title in browser.titles.items()]
    return answer("home.html", document)


@pages.get("/status")
def status() -> Response:
    """Say as JSON what is held for this browser, without asking Palaver."""
    browser = asking_browser()
    return jsonify(_status(browser) | {"last_message": browser.last_message, "last_result": browser.last_result})


@pages.post("/share")
def share() -> Response:
    """Send an item into a conversation: form fields ``thread`` and ``item``."""
    partner, browser = site().partner, asking_browser()
    item = partner.items.get(request.form.get("item", ""))
    thread = request.form.get("thread", "")
    if item is None or not is_id(thread):
        return mistake(f"Choose a conversation and {partner.noun} first.")
    if browser.connection is None:
        return show(browser, describe(Outcome(verdict=Verdict.NOT_CONNECTED)))
    outcome = site().palaver.post(browser.connection, thread, item.message())
    browser.access = outcome.access.value
    if not outcome.ok:
        return show(browser, describe(outcome))
    browser.last_message = dict(outcome.body)
    document = describe(outcome, "Sent", f"{partner.name} sent this into {browser.name_of(thread)}: {item.message()}")
    return show(browser, document | {"message": browser.last_message})


@pages.get("/result")
def result() -> Response:
    """Show again how the last attempt ended."""
    document = asking_browser().last_result
    return answer("result.html", document) if document else redirect(url_for("pages.home"), 303)


@pages.get("/standing")
def standing() -> Response:
    """Show what Palaver says that this partner holds: feature, state, ceiling, and the receipt if it has ended."""
    outcome = site().palaver.standing()
    document = describe(outcome) | {"standing": dict(outcome.body) if outcome.ok else None}
    del document["access"]  # It would speak of a person's access, and this is the partner's own.
    return answer("standing.html", document)


def _status(browser: Browser) -> Document:
    partner, connection = site().partner, browser.connection
    return {
        "partner": partner.name,
        "feature_title": partner.feature_title,
        "connected": connection is not None,
        "access": browser.access,
        "scope": connection.tokens.scope if connection else None,
        "csrf_token": generate_csrf(),
    }


def _titles(body: Mapping[str, object]) -> dict[str, str]:
    threads = body.get("threads")
    usable = [thread for thread in threads if isinstance(thread, dict)] if isinstance(threads, list) else []
    return {thread["id"]: str(thread.get("title") or "Untitled") for thread in usable if is_id(thread.get("id"))}
