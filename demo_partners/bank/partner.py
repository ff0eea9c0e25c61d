"""Northbank's words and transfers, and the message that a notice becomes."""

from __future__ import annotations

from dataclasses import dataclass

from demo_partners.pages.partner import Item, Partner


@dataclass(frozen=True)
class Transfer(Item):
    """A transfer that the customer has made; the notice says its amount and purpose, and no account number."""

    amount_cents: int
    purpose: str
    reference: str

    @property
    def amount(self) -> str:
        return f"{self.amount_cents // 100}.{self.amount_cents % 100:02d} EUR"

    def message(self) -> str:
        return f"I have sent you {self.amount} with Northbank. Purpose: {self.purpose}. Reference {self.reference}."

    def document(self) -> dict[str, str]:
        return super().document() | {"amount": self.amount}


_TRANSFERS = (
    Transfer("dinner-on-friday", 2450, "Dinner on Friday", "NB-204815"),
    Transfer("concert-ticket", 5800, "Concert ticket", "NB-204816"),
    Transfer("shared-rent", 41250, "Rent, my half", "NB-204817"),
)

NORTHBANK = Partner(
    key="northbank",
    package="demo_partners.bank",
    name="Northbank",
    client_id="northbank-notice",
    feature_title="Transfer notice",
    tagline="Let them know that the money is on its way.",
    purpose="Posts a notice of your transfer into a Palaver conversation when you press Send notice, and only then.",
    deed="post a notice of a transfer that you picked into the conversations that you chose",
    noun="a transfer",
    verb="Send notice",
    items={transfer.id: transfer for transfer in _TRANSFERS},
)
