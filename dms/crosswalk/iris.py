"""Addresses as records have them, made fit for what is typed as a URI: MODS url, dcterms:URI (pure)."""

from __future__ import annotations

import re
from urllib.parse import quote

_SAFE = "!#$%&'()*+,/:;=?@~"
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NUMBERED = re.compile(r"[A-Za-z]+://\[[0-9A-Fa-f:.]+\]")


def iri(value: str) -> str:
    """The address with what it may not have escaped (RFC 3987, 2.2).

    Brackets stand around the address of a host and nowhere else (RFC 3986, 3.2.2), % before two digits.
    """
    host = found[0] if (found := _NUMBERED.match(value)) else ""
    return host + quote(_NO_ESCAPE.sub("%25", value[len(host) :]), safe=_SAFE)
