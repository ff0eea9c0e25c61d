"""``python -m demo_partners.recommendations``: serve Reelwise."""

from demo_partners.pages.command import command_for
from demo_partners.recommendations.partner import REELWISE

command_for(REELWISE)(prog_name="python -m demo_partners.recommendations")
