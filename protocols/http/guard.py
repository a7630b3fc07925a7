"""What this node may connect to (pure): the rules of the outgoing door.

| an address is | strictly | of a host that the operator named | in a network of `http.allow` |
|---|---|---|---|
| public | yes | yes | yes |
| private, shared (CGNAT), loopback | no | yes | yes |
| documentation, measuring, tunnels, unassigned | no | no | yes |
| link-local (metadata services), multicast, reserved, unspecified | no | no | no |

Strictly also means: port 80, 443 or one above 1023 that speaks no other known protocol; a name with a dot that is of no
local zone. Through a proxy (`exchange.proxy`) the address of a name is the proxy's to find and to judge: here only the
URL is judged then, and the proxy itself is a host that the operator named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from config import errors
from config.allow import Allow
from protocols.http import networks
from protocols.http.networks import Address, Kind

LOCAL = ("localhost", "local", "internal", "intranet", "lan", "home.arpa")  # zones (RFC 6761, 6762, 8375; ICANN 2024)
WEB = (80, 443)
# Ports above 1023 that browsers refuse too (Fetch standard, 2.9, "port blocking") …
BLOCKED = (1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, *range(6665, 6670), 6679, 6697, 10080)
STORES = (1433, 1521, 2375, 3306, 5432, 5672, 6379, 9042, 11211, 27017)  # … and those that take commands in lines


class Forbidden(errors.Refused):
    """This node doesn't connect there. `shown` = the URL without credentials and query, `reason` in words."""

    code = "forbidden-target"

    def __init__(self, shown: str, reason: str) -> None:
        super().__init__(f"{shown} is refused: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What its operator says about this node's own requests."""

    # http://host:port that all requests go through, perhaps with user and password before it; empty = none
    proxy: str = field(default="", repr=False)
    allow: Allow = field(default_factory=Allow)


def port(number: int) -> str:
    """Why a port of somebody else's choice isn't connected to; empty = it may be."""
    if number in WEB or (number > 1023 and number not in BLOCKED + STORES):
        return ""
    return f"port {number} is not one for HTTP"


def name(host: str) -> str:
    """Why a host's name, lower case and without its last dot, isn't even looked up; empty = it is."""
    if "." not in host or any(host == zone or host.endswith(f".{zone}") for zone in LOCAL):
        return f"{host} is a name of a local network; http.allow opens single hosts"
    return ""


def address(of: Address, allow: Allow, *, named: bool) -> str:
    """Why there is no connection to this address; empty = there may be. `named`: of a host that the operator named."""
    if isinstance(of, IPv6Address) and of.ipv4_mapped:
        of = of.ipv4_mapped  # the connection is one by IPv4
    if isinstance(of, IPv6Address) and of.scope_id:
        return f"{of} names an interface of this machine"
    kind, what = networks.place(of)
    if kind is Kind.PUBLIC or (kind is Kind.PRIVATE and named):
        return ""
    if kind is not Kind.NEVER and any(of in network for network in allow.networks):
        return ""
    return f"{of} is {what}" + ("" if kind is Kind.NEVER else "; http.allow opens such networks")


def literal(host: str) -> Address | None:
    """The address that a host part without brackets is, None for a name. ValueError if it is a disguised one.

    What ends in a number is an address in one of the ways of inet_aton (decimal, octal, hexadecimal, shortened), which
    the URL standard of the WHATWG reads as one too (3.5, "ends in a number"). Only the usual spelling passes.
    """
    if ":" in host:
        return IPv6Address(host)
    last = host.rpartition(".")[2]
    if last.isdecimal() or last.startswith("0x"):
        return IPv4Address(host)
    return None
