"""Where a client is, also behind proxies, and what of that is one place."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network

from access.doors import is_within
from upstreams.addresses import plain

V6_BITS = 64  # what one customer has at least: single addresses would be no limit at all


def client_address(
    headers: Mapping[str, str], peer: str, proxies: Sequence[IPv4Network | IPv6Network]
) -> str:
    """The address of the client: of the peer, or, of a proxy's, what the proxy says.

    Each proxy adds its own peer at the right of ``X-Forwarded-For``, whatever stands there
    already, so that only what the last proxies have added counts.
    """
    told = headers.get("x-forwarded-for", "").split(",") if proxies else []
    address = peer
    while told and is_within(address, proxies):
        nearer = told.pop().strip()
        if not place_of(nearer):
            break
        address = nearer
    return address


def place_of(address: str) -> str:
    """What is counted as one place: an IPv4 address, or a /64 of IPv6; empty for neither."""
    try:
        found = plain(address)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address):
        return str(IPv6Network((found, V6_BITS), strict=False))
    return str(found)
