"""What a page says, as it is read aloud: one space between words, none before a comma or full stop."""

from __future__ import annotations

import re

from tests.visitors.page import Page


def said(page: Page) -> str:
    """The words of a page."""
    return re.sub(r" ([.,:;)])", r"\1", " ".join(page.text.split())).replace("( ", "(")
