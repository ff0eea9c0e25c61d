"""Which authorization responses are believed."""

from __future__ import annotations

import pytest
from authlib.integrations.base_client import OAuthError

from demo_partners.oauth_client.authorization import (
    PENDING_SECONDS,
    PendingAuthorization,
    ResponseRejected,
    read_response,
)
from demo_partners.oauth_client.metadata import ServerMetadata

ISSUER = "http://127.0.0.1:8000"
PENDING = PendingAuthorization(started=100.0, state="the-state", code_verifier="the-verifier")


def metadata(*, iss_in_response: bool = True) -> ServerMetadata:
    return ServerMetadata(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/oauth/authorize",
        token_endpoint=f"{ISSUER}/oauth/token",
        revocation_endpoint=f"{ISSUER}/oauth/revoke",
        iss_in_response=iss_in_response,
    )


def response(**changes: str | None) -> dict[str, list[str]]:
    parameters = {"code": "the-code", "state": "the-state", "iss": ISSUER, **changes}
    return {name: [value] for name, value in parameters.items() if value is not None}


def test_a_response_to_our_request_gives_its_code_and_our_verifier() -> None:
    approval = read_response(response(), PENDING, metadata(), 101.0)
    assert (approval.code, approval.code_verifier) == ("the-code", "the-verifier")


@pytest.mark.parametrize("state", ["another-state", "the-state ", "The-State", "", None])
def test_a_response_with_another_state_is_not_ours(state: str | None) -> None:
    with pytest.raises(ResponseRejected, match="did not ask"):
        read_response(response(state=state), PENDING, metadata(), 101.0)


def test_a_response_to_no_request_is_not_ours() -> None:
    with pytest.raises(ResponseRejected, match="did not ask"):
        read_response(response(), None, metadata(), 101.0)


@pytest.mark.parametrize("iss", ["http://127.0.0.1:8000/", "http://attacker.example", "", None])
def test_a_response_of_another_issuer_is_refused(iss: str | None) -> None:
    with pytest.raises(ResponseRejected, match="does not come from Palaver"):
        read_response(response(iss=iss), PENDING, metadata(), 101.0)


def test_a_foreign_issuer_is_refused_where_none_is_promised_and_a_missing_one_is_not() -> None:
    without_promise = metadata(iss_in_response=False)
    assert read_response(response(iss=None), PENDING, without_promise, 101.0).code == "the-code"
    with pytest.raises(ResponseRejected, match="does not come from Palaver"):
        read_response(response(iss="http://attacker.example"), PENDING, without_promise, 101.0)


def test_an_error_of_another_issuer_is_refused_before_it_is_read() -> None:
    with pytest.raises(ResponseRejected, match="does not come from Palaver"):
        read_response(response(iss="http://attacker.example", error="access_denied"), PENDING, metadata(), 101.0)


def test_a_believed_error_is_raised_with_its_description() -> None:
    answered = response(code=None, error="unauthorized_client", error_description="The feature was shut down.")
    with pytest.raises(OAuthError) as caught:
        read_response(answered, PENDING, metadata(), 101.0)
    assert (caught.value.error, caught.value.description) == ("unauthorized_client", "The feature was shut down.")


@pytest.mark.parametrize("name", ["code", "state", "iss", "error"])
def test_a_repeated_parameter_is_refused(name: str) -> None:
    parameters = response(error="access_denied") if name == "error" else response()
    with pytest.raises(ResponseRejected, match="repeats"):
        read_response(parameters | {name: [*parameters[name], "again"]}, PENDING, metadata(), 101.0)


def test_a_response_that_comes_too_late_is_refused() -> None:
    assert read_response(response(), PENDING, metadata(), 100.0 + PENDING_SECONDS).code == "the-code"
    with pytest.raises(ResponseRejected, match="too late"):
        read_response(response(), PENDING, metadata(), 100.1 + PENDING_SECONDS)


def test_a_response_with_neither_code_nor_error_is_refused() -> None:
    with pytest.raises(ResponseRejected, match="neither"):
        read_response(response(code=None), PENDING, metadata(), 101.0)


def test_state_and_verifier_are_long_fresh_and_kept_out_of_logs() -> None:
    one, other = PendingAuthorization(started=0.0), PendingAuthorization(started=0.0)
    assert one.state != other.state
    assert one.code_verifier != other.code_verifier
    assert 43 <= len(one.code_verifier) <= 128
    assert one.state not in repr(one)
    assert one.code_verifier not in repr(one)
