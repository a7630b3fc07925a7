"""One-time codes by time: RFC 6238 with HMAC-SHA-1, 6 digits, 30 seconds, as authenticator apps have them (pure)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from urllib.parse import quote, urlencode

STEP = 30  # seconds
DIGITS = 6
SECRET = 20  # bytes, as long as the hash (RFC 4226, 4)
SKEW = 1  # steps that a phone's clock may be wrong (RFC 6238, 5.2)


def step(at: datetime) -> int:
    """The number of the time step."""
    return int(at.timestamp()) // STEP


def code(secret: bytes, number: int, digits: int = DIGITS) -> str:
    """The code of a time step (RFC 4226, 5.3)."""
    mac = hmac.digest(secret, number.to_bytes(8, "big"), hashlib.sha1)
    start = mac[-1] & 15
    return f"{(int.from_bytes(mac[start : start + 4], 'big') & 0x7FFFFFFF) % 10**digits:0{digits}}"


def matching(secret: bytes, presented: str, at: datetime) -> int | None:
    """The time step, now or next to it, whose code this is. The caller uses it up: a code counts once."""
    typed = "".join(presented.split())
    found = None
    for number in range(step(at) - SKEW, step(at) + SKEW + 1):
        if hmac.compare_digest(code(secret, number).encode(), typed.encode(errors="replace")):
            found = number
    return found


def spelled(secret: bytes) -> str:
    """The secret for typing: base32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[n : n + 4] for n in range(0, len(text), 4))


def uri(secret: bytes, issuer: str, name: str) -> str:
    """The secret as an address that authenticator apps open (Key URI Format, otpauth://totp/…)."""
    label = quote(f"{issuer}:{name}", safe="")
    query = urlencode({"secret": spelled(secret).replace(" ", ""), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{label}?{query}"
