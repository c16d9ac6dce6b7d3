"""Who is paid a part of what customers pay."""

from enum import StrEnum


class PayeeType(StrEnum):
    """In which trade somebody is paid; one person may be both."""

    VENDOR = "VENDOR"
    """Supplies packages and activities, and earns a share of what is paid for them."""
    AGENT = "AGENT"
    """Sells, and earns a commission out of the platform's part."""
