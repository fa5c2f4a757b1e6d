"""IP addresses of clients."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

IPV6_NETWORK_BITS = 64
"""Prefix of an IPv6 address. Its owner can choose the rest."""


def parse(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address; None for another text. An IPv4 address that is mapped into IPv6 is one of IPv4."""
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


def network(text: str) -> str:
    """Return the part of an address that a client cannot change: an IPv4 address, or the network of an IPv6 one.

    Another text is returned unchanged.
    """
    address = parse(text)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address.packed, IPV6_NETWORK_BITS), strict=False))
    return text if address is None else str(address)


def client_of(peer: str, forwarded_for: str, proxies: int) -> str:
    """Return the client's address as the outermost of our own proxies recorded it in X-Forwarded-For.

    Without proxies, or if they recorded none, it is that of the peer. Clients can send the entries before it.
    """
    route = [part.strip() for part in forwarded_for.split(",")]
    return route[-proxies] if 0 < proxies <= len(route) and route[-proxies] else peer
