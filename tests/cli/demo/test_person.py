"""Reading pages as a person does."""

from __future__ import annotations

from broker.cli.demo.person import forms


def test_a_form_is_where_it_goes_and_what_it_carries_unseen() -> None:
    page = """
      <form action="/logout"><input type="hidden" name="csrf_token" value="a"></form>
      <form action="/oauth/authorize"><input type="hidden" name="ticket" value="t&amp;u"><input name="seen" value="x">
      <button name="decision" value="approve"></button></form>"""
    found = forms(page)
    assert [form.action for form in found] == ["/logout", "/oauth/authorize"]
    assert found[1].hidden == {"ticket": "t&u"}


def test_an_input_outside_of_any_form_is_nobodys() -> None:
    assert forms('<input type="hidden" name="stray" value="1">') == []
