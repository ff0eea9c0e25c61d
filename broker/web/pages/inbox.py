"""The inbox: a person's own conversations, without any app in between."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from broker.domain.errors import NotFound
from broker.operations import messages
from broker.store import conversations
from broker.web import sessions
from broker.web.request_context import context, transaction

pages = Blueprint("inbox", __name__, url_prefix="/inbox")
PAGE = 30


@pages.get("")
@sessions.requires_role("user")
def show() -> str:
    """All conversations."""
    account = sessions.current()
    threads = conversations.threads(transaction(), account.id)
    newest = {number: conversations.messages(transaction(), number, count=1) for number, _ in threads}
    return render_template("inbox.html", account=account, threads=threads, newest=newest, now=context().now)


@pages.get(f"/<int(max={conversations.FIRST_PAGE}):thread>")
@sessions.requires_role("user")
def show_thread(thread: int) -> str:
    """One conversation, oldest message first, a page at a time."""
    account = sessions.current()
    found = conversations.thread(transaction(), thread, account.id)
    if found is None:
        raise NotFound("there is no such conversation")
    messages = conversations.messages(transaction(), thread, count=PAGE + 1, before=_before())
    older = messages[PAGE - 1].id if len(messages) > PAGE else None
    return render_template(
        "thread.html", account=account, thread=found, messages=messages[:PAGE][::-1], older=older,
        members=conversations.members(transaction(), thread),
    )  # fmt: skip


def _before() -> int:
    """Where the page that was asked for begins; a number that no message can have is held to those that can."""
    asked = request.args.get("before", type=int)
    return conversations.FIRST_PAGE if asked is None else max(0, min(asked, conversations.FIRST_PAGE))


@pages.post(f"/<int(max={conversations.FIRST_PAGE}):thread>")
@sessions.requires_role("user")
def post(thread: int) -> Response:
    """Send a message."""
    account = sessions.current()
    messages.post(context(), account.id, thread, request.form.get("text", ""))
    return redirect(url_for("inbox.show_thread", thread=thread, _anchor="newest"), 303)
