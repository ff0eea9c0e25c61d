"""An outcome in plain words: a headline, and a sentence that says what happened and what the person can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from demo_partners.oauth_client.outcomes import Outcome, Verdict
from demo_partners.oauth_client.problems import Problem
from demo_partners.pages.partner import Partner


@dataclass(frozen=True)
class Words:
    """What the page says about an outcome."""

    headline: str
    sentence: str


_ENDINGS = {
    "feature-shut-down": "Palaver shut down the feature “{feature}”{when}. Every permission given for it ended then.",
    "grant-ended": "The permission that {name} had from you ended{when}: it was disconnected, or its time was over.",
    "token-revoked": "This access was withdrawn{when}.",
    "token-expired": "This access ran out{when}, and Palaver did not renew it.",
    "user-disabled": "Your Palaver account is switched off{when}.",
    "client-disabled": "Palaver has switched off {name}{when}.",
    "insufficient-scope": "The permission to send is gone{when}: it was narrowed, or was not used for a long time.",
    "unknown-token": "Palaver does not know this access any more.",
}
_ENDED_BY_OAUTH = {
    "unauthorized_client": "Palaver does not let {name} ask for access: the feature “{feature}” is not active there.",
    "invalid_client": "Palaver does not accept {name} as a partner any more.",
}
_NOT_CONNECTED = {
    "access_denied": "You said no, and that is fine. {name} has no access to anything of yours.",
    "invalid_scope": "Palaver does not let {name} ask for this permission.",
    "invalid_grant": "The approval did not hold until {name} used it. Nothing was connected.",
}


def words_for(outcome: Outcome, partner: Partner) -> Words:
    """Say in plain words what an outcome means to the person."""
    return _WORDS[outcome.verdict](outcome, partner)


def readable_instant(text: str | None) -> str | None:
    """Write an RFC 3339 instant as a person reads it, in UTC; None for anything else."""
    try:
        at = datetime.fromisoformat(text or "")
        return f"{at.astimezone(UTC):%-d %B %Y at %H:%M:%S} UTC" if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _ended(outcome: Outcome, partner: Partner) -> Words:
    problem, error = outcome.problem, outcome.oauth_error
    default = _ENDED_BY_OAUTH.get(error.error if error else "", "Palaver does not accept this access any more.")
    template = _ENDINGS.get(problem.kind, default) if problem else default
    instant = readable_instant(problem.ended_at if problem else None)
    when = f" on {instant}" if instant else ""
    return Words("Access ended", template.format(name=partner.name, feature=partner.feature_title, when=when))


def _not_connected(outcome: Outcome, partner: Partner) -> Words:
    error = outcome.oauth_error.error if outcome.oauth_error else ""
    template = _NOT_CONNECTED.get(error, "{name} has no access to anything of yours. Connect Palaver first.")
    return Words("Not connected", template.format(name=partner.name))


def _refused(outcome: Outcome, partner: Partner) -> Words:
    problem = outcome.problem or Problem(status=outcome.status or 400)
    if problem.kind == "insufficient-scope":
        scope = f" ({problem.scope})" if problem.scope else ""
        return Words("Refused", f"Palaver said no: {partner.name} does not have this permission{scope}.")
    if problem.status == 404:
        return Words("Refused", f"Palaver knows no such conversation or message that {partner.name} may use.")
    return Words("Refused", "Palaver did not accept this request.")


def _paused(outcome: Outcome, partner: Partner) -> Words:
    sentence = (
        f"Palaver has paused the feature “{partner.feature_title}”. Your permission is kept, and works again with it."
    )
    return Words("Paused", f"{sentence} {_when_to_retry(outcome)}")


def _undecided(outcome: Outcome, _: Partner) -> Words:
    why = "Palaver is being asked too often." if outcome.status == 429 else "Palaver could not say yes or no."
    return Words("Palaver cannot decide right now", f"{why} Nothing was done. {_when_to_retry(outcome)}")


def _unreachable(outcome: Outcome, _: Partner) -> Words:
    if outcome.uncertain:
        sentence = (
            "The connection broke off: it may or may not have been done. Look in the conversation before you retry."
        )
    else:
        sentence = "There is no connection to Palaver at the moment. Nothing was done. Try again later."
    return Words("Palaver does not answer", sentence)


def _unexpected(outcome: Outcome, partner: Partner) -> Words:
    reason = f": {outcome.reason}" if outcome.reason else f" (status {outcome.status})" if outcome.status else ""
    return Words("Palaver gave an unexpected answer", f"{partner.name} does not understand it{reason}.")


def _allowed(_: Outcome, __: Partner) -> Words:
    return Words("Done", "Palaver did what was asked.")


def _when_to_retry(outcome: Outcome) -> str:
    if outcome.retry_after is None:
        return "Try again later."
    return f"Try again in {outcome.retry_after} second{'' if outcome.retry_after == 1 else 's'}."


_WORDS: dict[Verdict, Callable[[Outcome, Partner], Words]] = {
    Verdict.ALLOWED: _allowed,
    Verdict.REFUSED: _refused,
    Verdict.ENDED: _ended,
    Verdict.PAUSED: _paused,
    Verdict.UNDECIDED: _undecided,
    Verdict.UNREACHABLE: _unreachable,
    Verdict.UNEXPECTED: _unexpected,
    Verdict.NOT_CONNECTED: _not_connected,
}
