"""What one partner is: the words, the catalogue and the registration that it does not share with the others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Item(ABC):
    """Something of a partner's catalogue that a person may send; ``id`` is stable, scripts name it."""

    id: str

    @abstractmethod
    def message(self) -> str:
        """Return the text that is posted when a person sends this."""

    def document(self) -> dict[str, str]:
        return {**{key: str(value) for key, value in asdict(self).items()}, "text": self.message()}


@dataclass(frozen=True, kw_only=True)
class Partner:
    """One partner and its one feature.

    ``package`` holds the partner's own ``templates/item.html`` and ``static/``; ``key`` names its cookie. ``purpose``
    is what the app does, as a sentence; ``deed`` the same after "may"; ``noun`` what a person chooses ("a track");
    ``verb`` what the button says.
    """

    key: str
    package: str
    name: str
    client_id: str
    feature_title: str
    tagline: str
    purpose: str
    deed: str
    noun: str
    verb: str
    items: Mapping[str, Item]
