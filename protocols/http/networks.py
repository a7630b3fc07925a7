"""What kind of network an IP address is of, by the IANA registries of special-purpose addresses (RFC 6890) (pure).

An IPv6 address that carries an IPv4 address is of the worse kind of the two: the packet may end at the one inside. The
table is ours because the one of `ipaddress` differs between releases of Python 3.11.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import NamedTuple

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Kind(enum.IntEnum):
    """From harmless to harmful."""

    PUBLIC = 0
    PRIVATE = 1  # a network of somebody's own; peers and their proxies are often there
    SPECIAL = 2  # nothing of ours is there, unless the operator says so
    NEVER = 3  # no server of HTTP that a node could need is ever there


class Place(NamedTuple):
    """Where an address is."""

    kind: Kind
    what: str  # in words, as the end of "that is …"


PUBLIC = Place(Kind.PUBLIC, "on the public Internet")
UNASSIGNED = Place(Kind.SPECIAL, "not assigned to anybody")

# The longest prefix that fits counts.
TABLE: dict[Network, Place] = {
    ip_network(network): Place(kind, what)
    for network, kind, what in (
        ("0.0.0.0/8", Kind.NEVER, "this machine or network (RFC 791)"),
        ("10.0.0.0/8", Kind.PRIVATE, "on a private network (RFC 1918)"),
        ("100.64.0.0/10", Kind.PRIVATE, "on a provider's shared network (RFC 6598)"),
        ("100.100.100.200/32", Kind.NEVER, "a cloud's metadata service"),
        ("127.0.0.0/8", Kind.PRIVATE, "this machine itself (loopback)"),
        ("168.63.129.16/32", Kind.NEVER, "a cloud's metadata service"),
        ("169.254.0.0/16", Kind.NEVER, "link-local, as a cloud's metadata service is (RFC 3927)"),
        ("172.16.0.0/12", Kind.PRIVATE, "on a private network (RFC 1918)"),
        ("192.0.0.0/24", Kind.SPECIAL, "kept for protocols (RFC 6890)"),
        ("192.0.0.192/32", Kind.NEVER, "a cloud's metadata service"),
        ("192.0.2.0/24", Kind.SPECIAL, "kept for documentation (RFC 5737)"),
        ("192.88.99.0/24", Kind.SPECIAL, "a relay of 6to4 (RFC 7526)"),
        ("192.168.0.0/16", Kind.PRIVATE, "on a private network (RFC 1918)"),
        ("198.18.0.0/15", Kind.SPECIAL, "kept for measuring networks (RFC 2544)"),
        ("198.51.100.0/24", Kind.SPECIAL, "kept for documentation (RFC 5737)"),
        ("203.0.113.0/24", Kind.SPECIAL, "kept for documentation (RFC 5737)"),
        ("224.0.0.0/4", Kind.NEVER, "multicast (RFC 5771)"),
        ("240.0.0.0/4", Kind.NEVER, "reserved or broadcast (RFC 1112)"),
        ("::/0", *UNASSIGNED),
        ("::/96", Kind.SPECIAL, "an IPv4-compatible address (RFC 4291)"),
        ("::/128", Kind.NEVER, "no address (RFC 4291)"),
        ("::1/128", Kind.PRIVATE, "this machine itself (loopback)"),
        ("::ffff:0:0/96", *PUBLIC),  # the IPv4 address inside decides
        ("64:ff9b::/96", *PUBLIC),  # NAT64 (RFC 6052): as before
        ("64:ff9b:1::/48", Kind.SPECIAL, "a local translation to IPv4 (RFC 8215)"),
        ("2000::/3", *PUBLIC),
        ("2001::/23", Kind.SPECIAL, "kept for protocols (RFC 2928)"),
        ("2001::/32", Kind.SPECIAL, "a Teredo tunnel (RFC 4380)"),
        ("2001:db8::/32", Kind.SPECIAL, "kept for documentation (RFC 3849)"),
        ("2002::/16", *PUBLIC),  # 6to4 (RFC 3056): the IPv4 address inside decides
        ("3fff::/20", Kind.SPECIAL, "kept for documentation (RFC 9637)"),
        ("fc00::/7", Kind.PRIVATE, "on a private network (RFC 4193)"),
        ("fd00:ec2::254/128", Kind.NEVER, "a cloud's metadata service"),
        ("fd20:ce::254/128", Kind.NEVER, "a cloud's metadata service"),
        ("fe80::/10", Kind.NEVER, "link-local (RFC 4291)"),
        ("fec0::/10", Kind.SPECIAL, "site-local (RFC 3879)"),
        ("ff00::/8", Kind.NEVER, "multicast (RFC 4291)"),
    )
}
_LONGEST_FIRST = sorted(TABLE, key=lambda network: -network.prefixlen)

NAT64 = ip_network("64:ff9b::/96")
COMPATIBLE = ip_network("::/96")
ISATAP = (0x00005EFE, 0x02005EFE)  # bits 64-95 of the address (RFC 5214, 6.1)


def place(address: Address) -> Place:
    """Where a connection to this address may end, at worst."""
    worst = _alone(address)
    for inner in inside(address):
        found = _alone(inner)
        if found.kind > worst.kind:
            worst = Place(found.kind, f"{inner} inside, {found.what}")
    return worst


def inside(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that an IPv6 address carries."""
    if isinstance(address, IPv4Address):
        return
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address in NAT64 or (address in COMPATIBLE and int(address) > 1):
        yield last
    elif address.sixtofour:
        yield address.sixtofour
    elif address.teredo:
        yield from address.teredo
    if int(address) >> 32 & 0xFFFFFFFF in ISATAP:
        yield last


def _alone(address: Address) -> Place:
    return next((TABLE[network] for network in _LONGEST_FIRST if address in network), PUBLIC)
