"""Names, purposes, reasons and ids: what people are asked to trust."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.names import (
    problem_with_client_id,
    problem_with_id,
    problem_with_name,
    problem_with_text,
)


@pytest.mark.parametrize("text", ["ab", "a1", "share-a-track", "a" * 63])
def test_an_id_is_lower_case_ascii(text: str) -> None:
    assert problem_with_id(text) is None


@pytest.mark.parametrize("text", ["", "a", "1a", "-a", "Ab", "a b", "a_b", "\u0430b", "a" * 64, "ab\n", "a/b"])
def test_what_is_no_id_is_refused(text: str) -> None:
    assert problem_with_id(text) == "must be 2 to 63 lower-case ASCII letters, digits and hyphens, a letter first"


def test_a_client_id_cannot_look_like_a_username() -> None:
    assert problem_with_client_id("tuneloop-share") is None
    assert problem_with_client_id("alice") == "must have a hyphen, so that no username looks like it"
    assert problem_with_client_id("Alice-1") == problem_with_id("Alice-1")


@pytest.mark.parametrize(
    "name",
    [
        "TuneLoop",
        "Share a track",
        "R2-D2 & friends",
        "Caf\u00e9 Zo\u00eb",
        "\u041f\u0440\u0438\u0432\u0435\u0442",
        "\u0394\u03b5\u03bb\u03c6\u03af",
        "\u30b9\u30dd\u30fc\u30c4",
        "\u4f50\u3005\u6728 Films",
        "\ud55c\uad6d Films",
        "Administrator's Guild",
        "Supporters",
        "Insecurity",
        "4 Friends",
        "a" * 60,
    ],
)
def test_an_honest_name_is_taken(name: str) -> None:
    assert problem_with_name(name) is None


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Palaver Support", "palaver"),
        ("SUPPORT", "support"),
        ("Official TuneLoop", "official"),
        ("TuneLoop (verified)", "verified"),
        ("TuneLoop_admin", "admin"),
        ("Palaver's friends", "palaver"),
        ("PalaverMusic", "palaver"),
        ("P a l a v e r", "palaver"),
        ("P.a.l.a.v.e.r Music", "palaver"),
        ("Pal aver", "palaver"),
        ("P\u00e0l\u00e1ver", "palaver"),
        ("\uff30\uff41\uff4c\uff41\uff56\uff45\uff52", "palaver"),
        ("\U0001d40f\U0001d41a\U0001d425\U0001d41a\U0001d42f\U0001d41e\U0001d42b", "palaver"),
        ("Pa1aver", "palaver"),
        ("PaIaver", "palaver"),
        ("Pa|aver", "palaver"),
        ("P@laver", "palaver"),
        ("Palaver2", "palaver"),
        ("Support!", "support"),
        ("0fficial", "official"),
        ("adm1n", "admin"),
        ("adrnin", "admin"),
        ("\u0440\u0430\u04cf\u0430\u0475\u0435\u0433", "palaver"),
    ],
)
def test_a_word_of_the_network_is_reserved_however_it_is_drawn(name: str, word: str) -> None:
    assert problem_with_name(name) == f"must not have the reserved word {word!r}, or what looks like it"


def test_the_reserved_words_are_the_callers_to_choose() -> None:
    assert problem_with_name("Palaver", reserved=()) is None
    assert (
        problem_with_name("Agora", reserved={"agora"})
        == "must not have the reserved word 'agora', or what looks like it"
    )


@pytest.mark.parametrize(
    ("name", "scripts"),
    [
        ("Pal\u0430ver", "Cyrillic and Latin"),
        ("Tune\u03bfoop", "Greek and Latin"),
        ("\u30b9\u0430", "Cyrillic and Katakana"),
    ],
)
def test_scripts_that_no_language_mixes_are_refused(name: str, scripts: str) -> None:
    assert problem_with_name(name) == f"must not mix scripts, has {scripts}"


@pytest.mark.parametrize("name", ["Tune  Loop", "!!!", "\U0001f3b5"])
def test_a_name_can_be_read_out(name: str) -> None:
    assert problem_with_name(name) == "must have a letter or digit, and no two spaces together"


def test_a_name_is_short() -> None:
    assert problem_with_name("a" * 61) == "must have at most 60 characters, has 61"


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_a_blank_text_says_nothing(text: str) -> None:
    assert problem_with_text(text, 10) == "must not be blank"


def test_a_text_is_bounded_and_has_no_space_around_it() -> None:
    assert problem_with_text("a" * 10, 10) is None
    assert problem_with_text("a" * 11, 10) == "must have at most 10 characters, has 11"
    assert problem_with_text(" a", 10) == "must not begin or end with a space"


@pytest.mark.parametrize(
    "hidden",
    ["\0", "\n", "\x1b", "\x7f", "\u200b", "\u200e", "\u202e", "\u2066", "\u2028", "\ufeff", "\ufe0f", "\u3164",
     "\u2800", "\u034f", "\ue000", "\ud800", "\U000e0041", "\U000e0100"],
)  # fmt: skip
def test_nothing_hidden_stands_in_a_text(hidden: str) -> None:
    problem = problem_with_text(f"a{hidden}b", 10)
    assert problem == f"must not have control, direction or invisible characters, has U+{ord(hidden):04X}"


def test_marks_are_not_stacked() -> None:
    assert problem_with_text("e\u0301\u0323", 10) is None
    assert problem_with_text("e\u0301\u0301\u0301", 10) is not None


@pytest.mark.parametrize(
    "text",
    ["see http://x.example", "HTTPS://X.EXAMPLE", "www.x.example", "see WWW.x", "\uff57\uff57\uff57.x.example",
     "app+x://open", "http\uff1a//x"],
)  # fmt: skip
def test_a_link_is_refused_however_it_is_written(text: str) -> None:
    assert problem_with_text(text, 100) == "must not have a link"


@pytest.mark.parametrize("text", ["Read and/or write", "Awww. So nice", "At 10:30", "Ends at 8 p.m."])
def test_what_is_no_link_is_taken(text: str) -> None:
    assert problem_with_text(text, 100) is None


@given(st.text(max_size=70))
def test_whatever_is_taken_as_a_name_is_visible_and_in_bounds(text: str) -> None:
    if problem_with_name(text) is None:
        assert 0 < len(text) <= 60
        assert not any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co", "Cn") for each in text)
