"""The one place where what goes wrong with a call becomes an Outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import httpx2
from authlib.integrations.base_client import OAuthError

from demo_partners.oauth_client.metadata import MetadataError
from demo_partners.oauth_client.outcomes import (
    Outcome,
    Verdict,
    outcome_of_answer,
    outcome_of_broken_call,
    outcome_of_oauth_error,
)
from demo_partners.oauth_client.tokens import TokenAnswerError

T = TypeVar("T")


def attempt(call: Callable[[], T], *, writes: bool = False) -> T | Outcome:
    """Return what ``call`` returns, or the Outcome of what it raised.

    ``writes`` says that a call which breaks off may have been done all the same.
    """
    try:
        return call()
    except OAuthError as error:
        return outcome_of_oauth_error(error.error, error.description or None)
    except httpx2.HTTPStatusError as error:
        return outcome_of_answer(error.response, datetime.now(UTC))
    except httpx2.TransportError as error:
        return outcome_of_broken_call(error, writes=writes)
    except (MetadataError, TokenAnswerError, httpx2.RequestError, httpx2.InvalidURL) as error:
        return Outcome(verdict=Verdict.UNEXPECTED, reason=str(error))
