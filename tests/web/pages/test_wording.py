"""How the pages say things."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markupsafe import Markup

from broker.domain.features import Feature, FeatureState
from broker.domain.grants import EndCause
from broker.domain.instants import DAY, parse_rfc3339
from broker.web.pages import wording

AT = parse_rfc3339("2026-11-24T22:10:05Z")
FEATURE = Feature("f", "p", "P", "active", "F", "To do.", (), FeatureState.ACTIVE, 1, None, None, 0, "config", ())


def test_times_are_said_in_utc_with_the_exact_instant_for_programs() -> None:
    exact = '<time datetime="2026-11-24T22:10:05.000Z">'
    assert wording.moment(AT) == f"{exact}24 Nov 2026, 22:10 UTC</time>"
    assert wording.day(AT) == f"{exact}24 Nov 2026</time>"
    assert wording.clock(AT) == f"{exact}22:10 UTC</time>"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (90, "90 seconds"), (600, "10 minutes"), (3600, "1 hour"), (90 * 86_400, "90 days")],
)
def test_a_length_is_said_in_the_largest_unit_that_is_exact(seconds: int, words: str) -> None:
    assert wording.duration(seconds) == words


def test_numbers_go_with_their_nouns() -> None:
    assert wording.counted(1, "person", "people") == "1 person"
    assert wording.counted(12_418, "person", "people") == "12,418 people"
    assert [wording.times(number) for number in (0, 1, 2, 1234)] == ["never", "once", "twice", "1,234 times"]


def test_a_name_is_escaped_isolated_and_cut() -> None:
    assert wording.name("<b>") == Markup("<bdi>&lt;b&gt;</bdi>")
    assert wording.cut("a" * 80) == "a" * 80
    assert wording.cut("a" * 81) == "a" * 79 + "…"


def test_names_are_listed_as_a_sentence_lists_them() -> None:
    assert wording.listed(["A"]) == "<bdi>A</bdi>"
    assert wording.listed(["A", "B", "C"]) == "<bdi>A</bdi>, <bdi>B</bdi> and <bdi>C</bdi>"
    assert wording.listed([]) == ""


def test_an_app_has_always_the_same_letter_and_colour() -> None:
    assert [wording.initial(text) for text in ("tuneLoop", "«Élan»", "→", "")] == ["T", "É", "?", "?"]
    assert wording.tint("tuneloop") == wording.tint("tuneloop")
    assert {wording.tint(f"partner-{number}") for number in range(50)} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("cause", EndCause)
@pytest.mark.parametrize("at", [AT, None])
def test_every_end_has_a_sentence_and_a_label(cause: EndCause, at: int | None) -> None:
    sentence = wording.ended((at, cause.value), "<Palaver>")
    assert sentence.startswith("Ended")
    assert sentence.endswith(".")
    assert "<Palaver>" not in sentence
    assert ("24 Nov 2026, 22:10 UTC" in sentence) == (at is not None)
    assert wording.end_label(cause.value)


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        (FEATURE, ("Active", "good")),
        (replace(FEATURE, state=FeatureState.DRAFT), ("Draft", "wait")),
        (replace(FEATURE, state=FeatureState.SUSPENDED), ("Suspended", "wait")),
        (replace(FEATURE, state=FeatureState.SHUT_DOWN), ("Shut down", "bad")),
        (replace(FEATURE, partner_state="suspended"), ("Partner suspended", "wait")),
        (replace(FEATURE, ends_at=AT), ("Ended", "bad")),
        (replace(FEATURE, ends_at=AT + DAY), ("Active", "good")),
        (replace(FEATURE, ends_at=AT, state=FeatureState.SHUT_DOWN), ("Shut down", "bad")),
    ],
)
def test_a_features_state_is_said_as_it_stands_at_that_instant(feature: Feature, words: tuple[str, str]) -> None:
    assert wording.state(feature, AT) == words
