"""Reads `http.allow`: what on private networks the operator lets this node's outgoing requests reach (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

SHAPE = "networks (10.20.0.0/16), addresses, host names or host:port, with blanks or commas between them"
NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
HOST = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<name>[^\s:\[\]/@]+))(?::(?P<port>[0-9]{1,5}))?")
ANY = 0  # port

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """What may be reached beside the public Internet."""

    networks: tuple[Network, ...] = ()  # by whichever name they are called
    hosts: frozenset[tuple[str, int]] = frozenset()  # (name or address, port), whatever private address they have

    def names(self, host: str, port: int) -> bool:
        """Is this host, lower case, or this port of it, one that the operator named?"""
        return (host, port) in self.hosts or (host, ANY) in self.hosts


def read(text: str) -> Allow:
    """The value of a setting. ValueError names the item that is wrong."""
    networks: list[Network] = []
    hosts: set[tuple[str, int]] = set()
    for item in re.split(r"[\s,]+", text.strip()):
        if not item:
            continue
        try:
            networks.append(ip_network(item))
        except ValueError as error:
            if "/" in item:
                raise ValueError(f"{item} is no network ({error}); it takes {SHAPE}") from error
            hosts.add(_host(item))
    return Allow(networks=tuple(networks), hosts=frozenset(hosts))


def _host(item: str) -> tuple[str, int]:
    found = HOST.fullmatch(item)
    port = int(found["port"] or ANY) if found else ANY
    if not found or port > 65535:
        raise ValueError(f"{item} is no host or host:port; it takes {SHAPE}")
    name = (found["name"] or found["v6"]).lower().rstrip(".")
    if found["v6"] or name.rpartition(".")[2].isdecimal():
        try:
            return str(ip_address(name)), port
        except ValueError as error:
            raise ValueError(f"{item} is no address; it takes {SHAPE}") from error
    if not NAME.fullmatch(name):
        raise ValueError(f"{item} is no host name; it takes {SHAPE}")
    return name, port
