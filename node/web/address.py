"""Whose address a request comes from, seen through the operator's reverse proxies, and the block that it belongs to.

Without `web.proxies` nobody's X-Forwarded-For is believed: whoever wants to be somebody else would only have to write
it. Then a proxy is the one address of all its visitors, so what comes from this machine itself is not told apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp import web

from config import networks
from config.allow import Network
from node.web.context import NODE

Address = IPv4Address | IPv6Address

FORWARDED = "X-Forwarded-For"
KNOWN = 4096  # addresses that are remembered, so that the next request needs no reading
MOST_HOPS = 16  # entries that are looked at
BLOCK = {4: 24, 6: 56}  # bits that one subscriber or campus has in common (RFC 6177)
HOST = {4: 32, 6: 64}  # bits that one machine has to itself
EVERYBODY = ""  # the address of those who can't be told apart


def of(request: web.Request) -> str:
    """The visitor's address, "" if it can't be known."""
    trusted = networks.read(request.app[NODE].settings.web.proxies)
    peer = of_peer(request.transport)
    if peer is None:
        return EVERYBODY
    if within(peer, trusted):
        return str(behind(",".join(request.headers.getall(FORWARDED, ())), trusted) or EVERYBODY)
    return EVERYBODY if peer.is_loopback else str(peer)


def of_peer(transport: asyncio.BaseTransport | None) -> Address | None:
    """The other end of a connection; None if it is no address, as of a local socket, or gone."""
    name = transport.get_extra_info("peername") if transport else None
    return read(name[0]) if isinstance(name, tuple) else None


@lru_cache(maxsize=KNOWN)
def read(text: str) -> Address | None:
    """An address, an IPv4 one also where it is written as IPv6; None if it is none."""
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def behind(forwarded: str, trusted: Sequence[Network]) -> Address | None:
    """Who asked the first of the trusted proxies: each adds whom it was asked by at the right."""
    for item in reversed(forwarded.split(",")[-MOST_HOPS:]):
        address = read(item)
        if address is None or not within(address, trusted):
            return address
    return None


def within(address: Address, found: Sequence[Network]) -> bool:
    """Is it in one of the networks?"""
    return any(address in each for each in found)


@lru_cache(maxsize=KNOWN)
def block(address: str) -> str:
    """The network that an address shares with those who are counted as one with it; "" of ""."""
    return _network(address, BLOCK)


@lru_cache(maxsize=KNOWN)
def host(address: str) -> str:
    """The network of one machine; "" of ""."""
    return _network(address, HOST)


def _network(address: str, bits: Mapping[int, int]) -> str:
    known = read(address)
    return str(ip_network((known, bits[known.version]), strict=False)) if known else EVERYBODY
