"""Who comes how often: one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Kind:
    """One kind of user, of a thousand users."""

    user: str
    of_thousand: int
    why: str


MIX: Final = (
    Kind("Browser", 600, "Most people look: pages of a shop are read some ten times for each thing that is bought."),
    Kind("Buyer", 140, "Quote, book, pay, wait for the confirmation: two bookings a minute for each of them."),
    Kind("WalletUser", 140, "Signed-in customers look at money and trips more often than they move any."),
    Kind("Staff", 52, "Lists over everybody's rows, the dearest reads there are; a few people all day."),
    Kind("WebhookSender", 66, "A provider tells of each payment more than once."),
    Kind("SignIn", 2, "A password is asked for once in some hundred requests; each costs a fifth of a core's second."),
)
