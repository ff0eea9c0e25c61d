"""Reelwise's words and shows, and the message that a recommendation becomes."""

from __future__ import annotations

from dataclasses import dataclass

from demo_partners.pages.partner import Item, Partner


@dataclass(frozen=True)
class Show(Item):
    """A film or a series; ``kind`` says which, with its year or seasons."""

    title: str
    kind: str
    genre: str
    premise: str

    def message(self) -> str:
        return f"I recommend “{self.title}” ({self.genre}, {self.kind}). {self.premise}"


_SHOWS = (
    Show("the-lighthouse-keepers", "The Lighthouse Keepers", "2 seasons", "drama", "Two sisters, one lamp, no boat."),
    Show("borrowed-time", "Borrowed Time", "film, 2024", "comedy", "A clockmaker lends out her spare hours."),
    Show("field-notes", "Field Notes", "4 seasons", "documentary", "A year with the people who count birds."),
    Show("cold-platform", "Cold Platform", "film, 2025", "thriller", "The night train stops where no station is."),
)

REELWISE = Partner(
    key="reelwise",
    package="demo_partners.recommendations",
    name="Reelwise",
    client_id="reelwise-recommend",
    feature_title="Recommend a show",
    tagline="Tell your friends what to watch tonight.",
    purpose="Posts the show that you picked into a Palaver conversation when you press Recommend, and only then.",
    deed="post a show that you picked into the conversations that you chose",
    noun="a show",
    verb="Recommend",
    items={show.id: show for show in _SHOWS},
)
