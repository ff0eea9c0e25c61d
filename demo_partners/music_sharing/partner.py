"""TuneLoop's words and tracks, and the message that a shared track becomes."""

from __future__ import annotations

from dataclasses import dataclass

from demo_partners.pages.partner import Item, Partner


@dataclass(frozen=True)
class Track(Item):
    """A track; ``length`` is minutes and seconds as people write them."""

    title: str
    artist: str
    album: str
    length: str

    def message(self) -> str:
        return f"♫ {self.title} by {self.artist} ({self.album}, {self.length})"


_TRACKS = (
    Track("night-ferry", "Night Ferry", "The Harbour Lights", "Slow Water", "3:41"),
    Track("paper-lanterns", "Paper Lanterns", "Mira Holt", "Small Rooms", "4:05"),
    Track("last-tram-home", "Last Tram Home", "Copper & Pine", "Timetables", "2:58"),
    Track("second-spring", "Second Spring", "Odd Weather", "Almanac", "5:12"),
)

TUNELOOP = Partner(
    key="tuneloop",
    package="demo_partners.music_sharing",
    name="TuneLoop",
    client_id="tuneloop-share",
    feature_title="Share a track",
    tagline="Play your friends the song that is in your head.",
    purpose="Posts the track that you picked into a Palaver conversation when you press Share, and only then.",
    deed="post a track that you picked into the conversations that you chose",
    noun="a track",
    verb="Share",
    items={track.id: track for track in _TRACKS},
)
