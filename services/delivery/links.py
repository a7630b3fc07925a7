"""Which addresses in records may become links.

Records come from anywhere: `javascript:`, `data:` and the like must never reach an href (OWASP ASVS 5.0, 1.2).
"""

from __future__ import annotations

from urllib.parse import urlsplit

SCHEMES = frozenset({"http", "https", "ftp"})
LONGEST = 2_000  # characters


def safe(address: str) -> str:
    """The address if it may be an href, else "". Spaces around are cut; anything inside that a browser would skip is
    refused, because `java\\nscript:` reads as `javascript:` there."""
    address = address.strip()
    if not address or len(address) > LONGEST or any(c <= " " or c == "\x7f" for c in address):
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:  # a broken IPv6 host
        return ""
    return address if parts.scheme.lower() in SCHEMES and parts.netloc else ""
