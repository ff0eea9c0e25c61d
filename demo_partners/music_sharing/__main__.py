"""``python -m demo_partners.music_sharing``: serve TuneLoop."""

from demo_partners.music_sharing.partner import TUNELOOP
from demo_partners.pages.command import command_for

command_for(TUNELOOP)(prog_name="python -m demo_partners.music_sharing")
