"""The decorator in an application: an answer that another takes the place of is counted out too."""

from __future__ import annotations

from typing import Any

from flask import Flask

from broker.domain.errors import Undecided
from tests.enforcement.test_answers import Leased


class Failing(Flask):
    """An application whose transaction fails at its end, after the view has answered."""

    def dispatch_request(self) -> Any:
        self.make_response(super().dispatch_request())
        raise Undecided("the database is gone")


def test_an_answer_that_is_never_given_is_in_flight_no_more() -> None:
    leased = Leased()
    leased.app = Failing("resource-server")
    leased.app.register_error_handler(Undecided, lambda error: (str(error), 503))
    answer = leased.answers(lambda: "a page")
    assert (answer.status_code, answer.get_data()) == (503, b"the database is gone")
    answer.close()
    assert leased.confirms
