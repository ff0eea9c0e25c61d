"""A page as a browser without script has it: its text, and its forms as they would be sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx2


@dataclass
class Form:
    """A form: what it would send as it stands (``fields``), and the boxes and buttons it offers."""

    action: str = ""
    method: str = "get"
    fields: list[tuple[str, str]] = field(default_factory=list)
    boxes: list[tuple[str, str, bool]] = field(default_factory=list)  # checkboxes and radios: name, value, ticked
    buttons: list[tuple[str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def ticked(self) -> list[tuple[str, str]]:
        """The boxes that are ticked as the page comes."""
        return [(name, value) for name, value, ticked in self.boxes if ticked]

    def choices(self, name: str) -> list[str]:
        """The values that a group of boxes offers."""
        return [value for box, value, _ in self.boxes if box == name]

    def value(self, name: str) -> str:
        """The value of a field."""
        return dict(self.fields)[name]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._form: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None and given.get("name"):
            self._read_control(self._form, tag, given)

    def _read_control(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, value = given["name"], given.get("value", "")
        form.names.add(name)
        if tag == "button":
            form.buttons.append((name, value))
        elif tag == "input" and given.get("type") in ("checkbox", "radio"):
            form.boxes.append((name, value or "on", "checked" in given))
        elif tag in ("input", "textarea", "select"):
            form.fields.append((name, value))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(data.strip())


@dataclass(frozen=True, slots=True)
class Page:
    """An answer that a browser shows."""

    answer: httpx2.Response
    forms: tuple[Form, ...]
    text: str

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def path(self) -> str:
        """The path that it was found at."""
        return self.answer.request.url.path

    def form(self, name: str) -> Form:
        """The form that has a control of this name."""
        return next(form for form in self.forms if name in form.names)


def read_page(answer: httpx2.Response) -> Page:
    """Read an answer as a page; one that is no HTML has no forms."""
    reader = _Reader()
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        reader.feed(answer.text)
    return Page(answer, tuple(reader.forms), " ".join(reader.words))
