"""The operator's pages: the features as they stand, their receipts, and shutting one down."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.wrappers import Response

from broker.domain.errors import Refused
from broker.domain.features import Feature
from broker.operations import shutdowns
from broker.store.evidence import counts
from broker.store.register import clients, features
from broker.web import sessions
from broker.web.pages.partner import holding
from broker.web.request_context import NONE, READ, context, runs, runtime, serving, transaction

pages = Blueprint("admin", __name__, url_prefix="/admin")
_LONGEST_REASON = 500


def _standing(feature: Feature) -> dict[str, int] | None:
    """What stands under a feature, and would end with it; None once it has ended."""
    now = context().now
    return None if feature.ended(now) else counts.ended(transaction(), feature.id, feature.epoch + 1, now)


@pages.get("")
@sessions.requires_role("operator")
def show() -> str:
    """Every feature."""
    rows = [(feature, _standing(feature)) for feature in features.all(transaction())]
    return render_template("admin.html", account=sessions.current(), rows=rows, now=context().now)


@pages.get("/features/<feature_id>")
@sessions.requires_role("operator")
def show_feature(feature_id: str) -> str:
    """One feature: its ceiling, its clients, what stands under it, and its receipt."""
    return _feature_page(feature_id)


def _feature_page(feature_id: str, problem: str | None = None) -> str:
    feature = features.get(transaction(), feature_id)
    if feature is None:
        raise NotFound("There is no such feature.")
    held = holding(feature, clients.all(transaction()), shutdowns.receipt)
    return render_template(
        "admin_feature.html", account=sessions.current(), holding=held, standing=_standing(feature),
        words=context().settings.register.scopes, now=context().now, problem=problem,
    )  # fmt: skip


@pages.post("/features/<feature_id>/shut-down")
@runs(NONE)
def shut_down(feature_id: str) -> Response | tuple[str, int]:
    """Shut a feature down, once its id was typed; the coordinator has transactions of its own."""
    with serving(READ):
        account = sessions.load()
        if account is None:
            return redirect(url_for("login.show", next=f"/admin/features/{feature_id}"), 303)
        if account.role != "operator":
            raise Forbidden("This page is for operators.")
        if request.form.get("confirm", "").strip() != feature_id:
            return _feature_page(feature_id, "Nothing was done: what you typed is not the feature's id."), 400
    shutdowns.shut_down(runtime(), g.actor, feature_id, reason=_reason())
    return redirect(url_for("admin.show_feature", feature_id=feature_id), 303)


def _reason() -> str | None:
    reason = request.form.get("reason", "").strip()
    if len(reason) > _LONGEST_REASON or not reason.isprintable():
        raise Refused(f"a reason is one line of at most {_LONGEST_REASON} characters")
    return reason or None
