"""Errors: values that carry facts."""

from __future__ import annotations

import pytest

from broker.domain.errors import BrokerError, Conflict, NotFound, OAuthError, Refused, Undecided


@pytest.mark.parametrize("kind", [NotFound, Refused, Conflict, Undecided])
def test_every_refusal_is_one_kind_of_error_with_one_sentence(kind: type[BrokerError]) -> None:
    with pytest.raises(BrokerError, match="the feature has ended"):
        raise kind("the feature has ended")


def test_a_conflict_is_a_refusal_and_a_doubt_is_none() -> None:
    assert issubclass(Conflict, Refused)
    assert not issubclass(Undecided, Refused)
    assert Undecided("later").retry_after_s >= 1


def test_an_oauth_error_carries_its_code_words_and_status() -> None:
    error = OAuthError("invalid_grant", "it has expired")
    assert (error.code, error.description, error.status, str(error)) == ("invalid_grant", "it has expired", 400,
                                                                         "it has expired")  # fmt: skip
    assert OAuthError("invalid_client", "unknown", 401).status == 401
