"""Where what somebody earns stands, between a trip that is sold and money that has arrived."""

from enum import StrEnum


class EarningState(StrEnum):
    """Each entry is in one of these at a time, but CLAWED_BACK, which is told beside it."""

    UPCOMING = "UPCOMING"
    """A trip is sold and not over: what it will earn if it is completed as it stands."""
    HELD = "HELD"
    """Earned, and released on a day to come."""
    PAYABLE = "PAYABLE"
    """Taken by the next batch, perhaps by one that is being drawn up."""
    IN_TRANSIT = "IN_TRANSIT"
    """Out of the account with a payout that has not arrived."""
    PAID = "PAID"
    RETURNED = "RETURNED"
    """Its payout came back; that amount is owed again by an entry of its own."""
    CLAWED_BACK = "CLAWED_BACK"
    """Taken back with a refund, wherever that entry stands."""
