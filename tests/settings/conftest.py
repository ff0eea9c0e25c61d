"""A small configuration in a directory of its own, to be broken one line at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.settings import ConfigError, Settings, load

_MAIN = """
environment = "development"
secret_key = "dev-only-0123456789abcdef0123456789abcdef"

[files]
partners = "partners/*.toml"
demo = "demo.toml"

[database]

[lifetimes]

[limits]

[[resource_server]]
id = "palaver-search"
name = "Palaver search"
scopes = ["messages:read"]
"""
_SCOPES = """
[[scope]]
name = "messages:read"
title = "Read your messages"
text = "Every message in the conversations that you choose."
example = "It can read what your sister wrote."
sensitive = true

[[scope]]
name = "messages:write"
title = "Send messages as you"
text = "Messages under your name."
example = "It can send a song."

[[scope]]
name = "contacts:read"
title = "See your address book"
text = "Names and phone numbers."
example = "It can copy a number."

[needs]
send = ["messages:write"]
read = ["messages:read"]
contacts = ["contacts:read"]

[[forbidden_combination]]
scopes = ["messages:read", "contacts:read"]
because = "together they are a file on people"
"""
_PARTNER = """
id = "tuneloop"
name = "TuneLoop"
homepage = "https://tuneloop.example"

[[feature]]
id = "share-a-track"
name = "Share a track"
purpose = "Send a song into a conversation."
needs = ["send"]
state = "active"

[[feature.scopes]]
scope = "messages:write"
reason = "We post the song that you share."

[[feature.clients]]
id = "tuneloop-share"
name = "TuneLoop"
auth = "client_secret_basic"
redirect_uris = ["http://127.0.0.1:8101/callback"]
"""
_DEMO = """
friends = [["alice", "bob"]]

[[person]]
username = "alice"
display_name = "Alice"
password = "alice-demo"

[[person]]
username = "bob"
display_name = "Bob"
password = "bob-demo"

[[thread]]
title = "Saturday hike"
members = ["alice", "bob"]
messages = [["alice", "Who is in?"]]

[[post]]
author = "alice"
text = "First swim of the year."

[[contact]]
owner = "alice"
name = "Mum"
email = "mum@family.example"
phone = "+1 555 0100"
"""


class Configuration:
    """The files of one configuration; ``main``, ``scopes``, ``partner`` and ``demo`` name them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.main = directory / "palaver.toml"
        self.scopes = directory / "scopes.toml"
        self.partner = directory / "partners" / "tuneloop.toml"
        self.demo = directory / "demo.toml"
        self.partner.parent.mkdir()
        for file, text in ((self.main, _MAIN), (self.scopes, _SCOPES), (self.partner, _PARTNER), (self.demo, _DEMO)):
            file.write_text(text.lstrip(), encoding="utf-8")

    def change(self, file: Path, old: str, new: str) -> None:
        """Replace a text that is in the file exactly once."""
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file.name}"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def add(self, file: Path, text: str) -> None:
        """Append to a file."""
        file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")

    def load(self, **environ: str) -> Settings:
        """Load it."""
        return load(self.main, environ)

    def problems(self, **environ: str) -> list[str]:
        """Load it, which must fail; each problem as it is printed, with the files named from this directory."""
        with pytest.raises(ConfigError) as caught:
            self.load(**environ)
        return [str(problem).removeprefix(f"{self.directory}/") for problem in caught.value.problems]


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    """A valid configuration of four files."""
    directory = tmp_path / "config"
    directory.mkdir()
    return Configuration(directory)
