"""``python -m demo_partners.bank``: serve Northbank."""

from demo_partners.bank.partner import NORTHBANK
from demo_partners.pages.command import command_for

command_for(NORTHBANK)(prog_name="python -m demo_partners.bank")
