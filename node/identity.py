"""Who this node is to others: its key, and the address that they reach it at."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from config.errors import Misconfigured, Refused
from config.settings import Settings
from exchange.keys import Keyring
from node import lifecycle
from protocols.signatures import message


def keyring(home: Path, settings: Settings) -> Keyring:
    """The node's key; made when it is first needed."""
    return Keyring(home / settings.exchange.key)


def address(home: Path, settings: Settings, told: str = "") -> str:
    """`http(s)://host[:port]/`, as told, set, or of the web door. Misconfigured if that leads nowhere."""
    found = told or settings.exchange.address or _door(home, settings)
    try:
        authority = message.authority(found)
    except Refused as error:
        raise Misconfigured(f"exchange.address or --address: {found}: {error}") from error
    parts = urlsplit(found)
    if parts.path not in ("", "/") or parts.query:
        raise Misconfigured(f"exchange.address or --address: {found} must end after the host and port")
    if parts.hostname in ("0.0.0.0", "::"):
        raise Misconfigured(
            "web.host is every address of this machine: say by which one others reach it, with --address or "
            "exchange.address"
        )
    return f"{parts.scheme}://{authority}/"


def is_local(address: str) -> bool:
    """Whether only this machine reaches the address."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _door(home: Path, settings: Settings) -> str:
    if address := (lifecycle.running(home) or {}).get("addresses", {}).get("web"):
        return str(address)
    host = f"[{settings.web.host}]" if ":" in settings.web.host else settings.web.host
    return f"http://{host}:{settings.web.port}/"
