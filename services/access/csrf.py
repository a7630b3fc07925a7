"""Whether a form was sent by a page of ours: by its token, and by what the browser says of its origin (pure).

Both are asked of a request that a cookie speaks for (OWASP ASVS 5.0, 3.5). The token follows from the session's own, so
it needs no place in the database, ends with the session, and a page that leaks it gives away no session.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

FIELD = "csrf"  # of every form
SAME = ("same-origin", "none")  # none: typed or bookmarked, so nobody else's page


def token(session: str) -> str:
    """What the forms of a session carry; `session` is the cookie's value."""
    made = hmac.digest(session.encode(errors="replace"), b"tianlu form", hashlib.sha256)
    return base64.urlsafe_b64encode(made[:18]).decode()


def right(session: str, presented: str) -> bool:
    """Whether a form carries its session's token."""
    return hmac.compare_digest(token(session).encode(), presented.encode(errors="replace"))


def foreign(headers: Mapping[str, str], origin: str) -> bool:
    """Whether a browser says that another site's page sent this; `origin` is ours, e.g. https://catalogue.example.org.

    Sec-Fetch-Site can't be set by pages (W3C Fetch Metadata); browsers without it say Origin (RFC 6454) in every form
    that is sent. A program says neither.
    """
    if site := headers.get("Sec-Fetch-Site", ""):
        return site not in SAME
    if said := headers.get("Origin", ""):
        return _authority(said) != _authority(origin)
    return False


def _authority(origin: str) -> tuple[str, str]:
    parts = urlsplit(origin)
    return parts.scheme, parts.netloc.lower().removesuffix(":443" if parts.scheme == "https" else ":80")
