"""How the pages say things: times, lengths, the names of others, states, and why a permission is over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zlib import crc32

from flask import Flask
from markupsafe import Markup, escape

from broker.domain.features import Feature, FeatureState
from broker.domain.grants import EndCause
from broker.domain.instants import Instant, parse_rfc3339, rfc3339
from broker.settings import Settings

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - all of this is UTC, and says so
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_TINTS = 5  # as many as the style sheet has
_LONGEST_NAME = 80

_ENDED = {
    EndCause.FEATURE_SHUT_DOWN: "Ended because the feature was shut down{on}.",
    EndCause.FEATURE_ENDED: "Ended because the feature came to its planned end{on}.",
    EndCause.DISCONNECTED: "Ended because you disconnected it{on}.",
    EndCause.REVOKED: "Ended by {network}{on}.",
    EndCause.EXPIRED: "Ended because the time that you had allowed was over{on}.",
    EndCause.NOT_PRESENT: "Ended{on}, because you had not used it for so long.",
    EndCause.CLIENT_DISABLED: "Ended because {network} switched the app off{on}.",
    EndCause.USER_DISABLED: "Ended because your account was disabled{on}.",
}
_END_LABELS = {
    EndCause.FEATURE_SHUT_DOWN: "Feature shut down", EndCause.FEATURE_ENDED: "Feature ended",
    EndCause.DISCONNECTED: "Disconnected", EndCause.REVOKED: "Ended by the network", EndCause.EXPIRED: "Time over",
    EndCause.NOT_PRESENT: "Not used", EndCause.CLIENT_DISABLED: "App switched off",
    EndCause.USER_DISABLED: "Account disabled",
}  # fmt: skip
_STATES = {
    FeatureState.DRAFT: ("Draft", "wait"), FeatureState.ACTIVE: ("Active", "good"),
    FeatureState.SUSPENDED: ("Suspended", "wait"), FeatureState.SHUT_DOWN: ("Shut down", "bad"),
}  # fmt: skip


def day(instant: Instant) -> Markup:
    """A day for people, the exact time for programs."""
    at = _EPOCH + timedelta(microseconds=instant)
    return _time(instant, f"{at.day} {_MONTHS[at.month - 1]} {at.year}")


def moment(instant: Instant) -> Markup:
    """A day and a minute in UTC for people, the exact time for programs."""
    at = _EPOCH + timedelta(microseconds=instant)
    return _time(instant, f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC")


def clock(instant: Instant) -> Markup:
    """A minute in UTC, where the day is plain."""
    return _time(instant, f"{_EPOCH + timedelta(microseconds=instant):%H:%M} UTC")


def _time(instant: Instant, text: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(rfc3339(instant), text)


def duration(seconds: int) -> str:
    """A length of time in the largest unit that says it exactly: 90 days, 10 minutes."""
    size, unit = next(each for each in _UNITS if seconds % each[0] == 0)
    return counted(seconds // size, unit)


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def times(number: int) -> str:
    """How often."""
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number:,} times")


def cut(text: str, limit: int = _LONGEST_NAME) -> str:
    """A text, cut to a length: browsers need minutes to lay out ten thousand letters without a space."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def name(text: str, limit: int = _LONGEST_NAME) -> Markup:
    """What somebody else has written, cut to a length and kept from turning the direction of what stands around it."""
    return Markup("<bdi>{}</bdi>").format(cut(text, limit))


def listed(texts: Iterable[str]) -> Markup:
    """Names of others as a sentence lists them: A, B and C."""
    *first, last = [name(text) for text in texts] or [Markup("")]
    return Markup("{} and {}").format(Markup(", ").join(first), last) if first else last


def initial(text: str) -> str:
    """The letter that stands for an app."""
    return next((character.upper() for character in text if character.isalnum()), "?")[:1]


def tint(text: str) -> int:
    """Which of the colours stands for an app: always the same."""
    return crc32(text.encode("utf-8", "replace")) % _TINTS


def end_label(cause: str) -> str:
    """Why a permission is over, in two or three words."""
    return _END_LABELS[EndCause(cause)]


def ended(end: tuple[Instant | None, str], network: str) -> Markup:
    """When and why a permission is over, in one sentence."""
    at, cause = end
    on = Markup(" on {}").format(moment(at)) if at is not None else Markup("")
    return escape(_ENDED[EndCause(cause)]).format(on=on, network=network)


def state(feature: Feature, now: Instant) -> tuple[str, str]:
    """How a feature stands, and in which tone to say it: good, wait or bad."""
    if feature.ended(now) and feature.state is not FeatureState.SHUT_DOWN:
        return "Ended", "bad"
    if feature.state is FeatureState.ACTIVE and feature.partner_state != "active":
        return "Partner suspended", "wait"
    return _STATES[feature.state]


_FILTERS = (clock, counted, cut, day, duration, end_label, ended, initial, listed, moment, name, state, times, tint)


def install(app: Flask, settings: Settings) -> None:
    """Teach the templates these words, and what they may say of the settings."""
    app.jinja_env.filters |= {each.__name__: each for each in _FILTERS} | {"instant": parse_rfc3339}
    app.jinja_env.globals |= {"network": settings.name, "lifetimes": settings.lifetimes,
                              "is_demo": settings.demo is not None}  # fmt: skip
