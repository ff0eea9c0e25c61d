"""Texts that a partner writes and people read: names, purposes, reasons, and the ids beside them.

A consent page is where somebody is asked to trust a name, so a name may not pass for another: no look-alike letters,
no words that belong to the network itself, nothing invisible. Each rule answers what is wrong, or None.
"""

# ruff: noqa: RUF001 - look-alikes are what this module is about
from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

RESERVED = frozenset({"palaver", "support", "official", "admin", "security", "verified"})
MAX_NAME = 60

_ID = re.compile(r"[a-z][a-z0-9-]{1,62}")
_LINK = re.compile(r"[a-z][a-z0-9+.-]*://|\bwww\.")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SPACED = re.compile(r"(?<=\b\w)[\W_]+(?=\w\b)")  # what stands between the letters of P.a.l.a.v.e.r
_WORD = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})  # Cf holds the bidi controls
# Blank or combining by design, though Unicode counts them as letters, marks or symbols.
_HIDDEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_STACKED_MARKS = 3
# Scripts that one language writes together (Unicode TS 39, "highly restrictive").
_TOGETHER = (
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA"},
    {"LATIN", "CJK", "HANGUL"},
    {"LATIN", "CJK", "BOPOMOFO"},
)
# What passes for a Latin letter: a part of Unicode's confusables, for words wholly in Cyrillic or Greek, for digits and
# signs; i and l are one letter here, and so are a word's rn and m.
_LOOKS_LIKE = {
    "a": "аα@", "b": "вьβ8", "c": "сϲ", "d": "ԁ", "e": "еєε3", "g": "ɡ", "h": "һн", "j": "јϳ", "k": "кκ",
    "l": "iіιıӏ1|!", "m": "м", "n": "пη", "o": "оο0", "p": "рρ", "q": "ԛ", "r": "гᴦ", "s": "ѕ5$", "t": "тτ",
    "u": "υц", "v": "ѵν", "w": "ԝш", "x": "хχ", "y": "уγ",
}  # fmt: skip
_SKELETON = str.maketrans({seen: letter for letter, all_seen in _LOOKS_LIKE.items() for seen in all_seen})


def problem_with_id(text: str) -> str | None:
    """Say why a text may not be an id in the register, or None."""
    if _ID.fullmatch(text):
        return None
    return "must be 2 to 63 lower-case ASCII letters, digits and hyphens, a letter first"


def problem_with_client_id(text: str) -> str | None:
    """Say why a text may not be a client's id, or None; the hyphen keeps it from looking like a username."""
    return problem_with_id(text) or (None if "-" in text else "must have a hyphen, so that no username looks like it")


def problem_with_text(text: str, limit: int) -> str | None:
    """Say why a text of at most ``limit`` characters may not be shown to people, or None."""
    if not text.strip():
        return "must not be blank"
    if len(text) > limit:
        return f"must have at most {limit} characters, has {len(text)}"
    if text != text.strip():
        return "must not begin or end with a space"
    hidden = next(_hidden(text), None)
    if hidden is not None:
        return f"must not have control, direction or invisible characters, has U+{ord(hidden):04X}"
    if _LINK.search(_folded(text)):
        return "must not have a link"
    return None


def problem_with_name(text: str, reserved: Collection[str] = RESERVED, limit: int = MAX_NAME) -> str | None:
    """Say why a text may not be the name of a partner, feature or client, or None; ``reserved`` is in lower case."""
    problem = problem_with_text(text, limit)
    if problem is not None:
        return problem
    if "  " in text or not _WORD.search(text):
        return "must have a letter or digit, and no two spaces together"
    scripts = _scripts(text)
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        return f"must not mix scripts, has {' and '.join(sorted(script.capitalize() for script in scripts))}"
    readings = _readings(text)
    taken = next((word for word in sorted(reserved) if _skeleton(word) in readings), None)
    return f"must not have the reserved word {taken!r}, or what looks like it" if taken else None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _hidden(text: str) -> Iterator[str]:
    marks = 0
    for each in text:
        category = unicodedata.category(each)
        marks = marks + 1 if category == "Mn" else 0
        if category in _HIDDEN_CATEGORIES or _HIDDEN.match(each) or marks == _STACKED_MARKS:
            yield each


def _scripts(text: str) -> set[str]:
    """The scripts of the letters. The standard library has no script property; a letter's name begins with it."""
    letters = (each for each in unicodedata.normalize("NFKC", text) if each.isalpha())
    scripts = {re.split("[ -]", unicodedata.name(each, "UNKNOWN"))[0] for each in letters}
    return {"CJK" if script == "IDEOGRAPHIC" else script for script in scripts}


def _skeleton(text: str) -> str:
    return text.casefold().translate(_SKELETON).replace("rn", "m")


def _readings(text: str) -> set[str]:
    """The skeletons of the words that a hurried reader could see: as written, spaced out, joined, without digits."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    readings = set[str]()
    for seen in (plain, _CAMEL.sub(" ", plain), _SPACED.sub("", plain)):
        for words in (_WORD.findall(_skeleton(seen)), [_skeleton(word) for word in _LETTERS.findall(seen)]):
            readings.update(words, ["".join(words)])
    return readings
