"""Whom a network address stands for."""

from __future__ import annotations

import ipaddress


def subscriber_of(address: str) -> str:
    """The address itself; of IPv6 its /64, which is what one subscriber has to choose from (RFC 6177 §2)."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((int(known), 64), strict=False))
