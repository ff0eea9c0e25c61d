"""What the pages say about an outcome."""

from __future__ import annotations

import pytest

from demo_partners.bank.partner import NORTHBANK
from demo_partners.music_sharing.partner import TUNELOOP
from demo_partners.oauth_client.outcomes import OAuthRefusal, Outcome, Verdict
from demo_partners.oauth_client.problems import Problem
from demo_partners.pages.partner import Partner
from demo_partners.pages.wording import readable_instant, words_for

ENDED_AT = "2026-11-24T19:59:04.5+01:00"


def ended(kind: str, **more: str) -> Outcome:
    return Outcome(
        verdict=Verdict.ENDED, status=401, problem=Problem(status=401, type=f"urn:palaver:problem:{kind}", **more)
    )


def test_a_shutdown_is_told_with_its_feature_and_its_time() -> None:
    words = words_for(ended("feature-shut-down", ended_at=ENDED_AT), TUNELOOP)
    assert words.headline == "Access ended"
    assert "shut down the feature “Share a track” on 24 November 2026 at 18:59:04 UTC" in words.sentence


def test_each_way_of_ending_is_told_apart() -> None:
    kinds = (
        "unknown-token",
        "client-disabled",
        "user-disabled",
        "feature-shut-down",
        "grant-ended",
        "token-revoked",
        "token-expired",
        "insufficient-scope",
        "a-kind-of-tomorrow",
    )
    told = [words_for(ended(kind), NORTHBANK) for kind in kinds]
    assert {words.headline for words in told} == {"Access ended"}
    assert len({words.sentence for words in told}) == len(kinds)


@pytest.mark.parametrize("error", ["unauthorized_client", "invalid_client", "invalid_grant"])
def test_an_end_that_only_the_token_endpoint_told_is_one(error: str) -> None:
    outcome = Outcome(verdict=Verdict.ENDED, oauth_error=OAuthRefusal(error))
    assert words_for(outcome, TUNELOOP).headline == "Access ended"


def test_saying_no_at_consent_is_no_fault() -> None:
    outcome = Outcome(verdict=Verdict.NOT_CONNECTED, oauth_error=OAuthRefusal("access_denied"))
    assert words_for(outcome, TUNELOOP).sentence.startswith("You said no, and that is fine.")


@pytest.mark.parametrize(
    ("seconds", "advice"),
    [(None, "Try again later."), (1, "Try again in 1 second."), (7, "Try again in 7 seconds.")],
)
@pytest.mark.parametrize("verdict", [Verdict.PAUSED, Verdict.UNDECIDED])
def test_a_pause_says_when_to_try_again(verdict: Verdict, seconds: int | None, advice: str) -> None:
    assert words_for(Outcome(verdict=verdict, retry_after=seconds), TUNELOOP).sentence.endswith(advice)


def test_a_write_that_broke_off_is_not_said_to_be_undone() -> None:
    assert "Nothing was done" in words_for(Outcome(verdict=Verdict.UNREACHABLE), TUNELOOP).sentence
    assert "may or may not" in words_for(Outcome(verdict=Verdict.UNREACHABLE, uncertain=True), TUNELOOP).sentence


@pytest.mark.parametrize("partner", [TUNELOOP, NORTHBANK])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_outcome_has_words_without_a_hole(verdict: Verdict, partner: Partner) -> None:
    words = words_for(Outcome(verdict=verdict), partner)
    assert words.headline
    assert words.sentence.endswith(".")
    assert not set("{}") & set(words.sentence)
    assert "None" not in words.sentence


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-11-24T18:59:04", "0001-01-01T00:00:00+14:00"])
def test_an_instant_that_cannot_be_placed_is_left_out(text: str | None) -> None:
    assert readable_instant(text) is None
