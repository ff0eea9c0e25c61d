"""One document per answer: rendered as a page for a person, sent as JSON to whoever asks for JSON."""

from __future__ import annotations

from flask import jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from demo_partners.oauth_client.outcomes import Outcome
from demo_partners.pages.sessions import Browser
from demo_partners.pages.site import keep, site
from demo_partners.pages.wording import readable_instant, words_for

Document = dict[str, object]
NOT_CONNECTED = 409


def wants_json() -> bool:
    offered = ("text/html", "application/json")
    return request.accept_mimetypes.best_match(offered, default="text/html") == "application/json"


def answer(template: str, document: Document, status: int = 200) -> Response:
    """Answer with a document; a ``retry_after`` of Palaver is passed on to whoever asked us."""
    if wants_json():
        response = jsonify(document)
    else:
        context = {
            "document": document,
            "partner": site().partner,
            "connected_apps": f"{site().palaver.broker}/connected-apps",
        }
        response = make_response(render_template(template, **context))
    response.status_code = status
    response.vary.add("Accept")
    if document.get("retry_after") is not None:
        response.headers["Retry-After"] = str(document["retry_after"])
    return response


def show(browser: Browser, document: Document) -> Response:
    """Answer a POST: the document itself as JSON, or a redirect to the page of it, so that a reload repeats nothing."""
    if wants_json():
        return answer("result.html", document, NOT_CONNECTED if document["outcome"] == "not-connected" else 200)
    browser.last_result = document
    keep(browser)
    return redirect(url_for("pages.result"), 303)


def describe(outcome: Outcome, headline: str | None = None, sentence: str | None = None) -> Document:
    """Describe an outcome; ``headline`` and ``sentence`` replace the general words where the page knows better."""
    words = words_for(outcome, site().partner)
    problem = outcome.problem
    return {
        "ok": outcome.ok,
        "outcome": outcome.verdict.value,
        "access": outcome.access.value,
        "headline": headline or words.headline,
        "words": sentence or words.sentence,
        "status": outcome.status,
        "problem": problem.document() if problem else None,
        "ended": readable_instant(problem.ended_at) if problem else None,
        "oauth_error": outcome.oauth_error.document() if outcome.oauth_error else None,
        "retry_after": outcome.retry_after,
        "uncertain": outcome.uncertain,
    }


def mistake(sentence: str, headline: str = "That did not work", status: int = 400) -> Response:
    """Answer a request that this partner cannot use; Palaver was not asked."""
    return answer("error.html", {"ok": False, "headline": headline, "words": sentence}, status)
