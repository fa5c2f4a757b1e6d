"""IP addresses of clients and of other servers."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

IPV6_NETWORK_BITS = 64
"""Prefix of an IPv6 address. Its owner can choose the rest."""

# These addresses can contain an IPv4 address (NAT64, RFC 6052).
_NAT64 = ip_network("64:ff9b::/96")
# Private, although `is_global` of the standard library is true for some: local-use translation (RFC 8215),
# IPv4-compatible and site-local addresses (RFC 4291), protocol assignments (RFC 6890), IPv4-translated addresses
# (RFC 2765), 6to4 relays (RFC 7526), documentation (RFC 9637), segments of routes (RFC 9602).
_PRIVATE_NETWORKS = [
    ip_network(each)
    for each in (
        *("64:ff9b:1::/48", "::/96", "fec0::/10", "192.0.0.0/24"),
        *("::ffff:0:0:0/96", "192.88.99.0/24", "3fff::/20", "5f00::/16"),
    )
]


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


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is in no private network, also as an IPv4 address inside an IPv6 one."""
    if isinstance(address, IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            embedded = IPv4Address(int(address) & 0xFFFFFFFF)
        if embedded is not None:
            return is_public(embedded)
    is_private = any(address in network for network in _PRIVATE_NETWORKS)
    return address.is_global and not address.is_multicast and not is_private
