"""Every simulation hears of changes in pages of two, so that news are often incomplete."""

from __future__ import annotations

import pytest

from broker.store.revocations import events


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST", 2)
