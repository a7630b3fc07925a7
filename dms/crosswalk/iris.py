"""Addresses as records have them, made fit for what is typed as a URI: MODS url, dcterms:URI (pure)."""

from __future__ import annotations

import re
from urllib.parse import quote

_SAFE = "!$&'()*+,/:;=?@~%"
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PARTS = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^/?#]*)([^#]*)(?:#(.*))?", re.DOTALL)
_AUTHORITY = re.compile(r"((?:[^@\[\]]*@)?)(\[[0-9A-Fa-f:.]+\]|[^:@\[\]]*)(:[0-9]+)?")  # user, host, port


def iri(value: str) -> str:
    """The address with what it may not have escaped, where it may not have it (RFC 3987, 2.2; RFC 3986, 3).

    Brackets stand around the address of a host and nowhere else, % before two digits, # once, a colon before a port or
    behind a scheme: of two addresses in one, the second is part of the first's name.
    """
    parts = _PARTS.fullmatch(_NO_ESCAPE.sub("%25", value))
    assert parts  # anything is: the path may be
    scheme, authority, segment, rest, fragment = parts.groups()
    made = f"{scheme}:" if scheme else ""
    if authority is not None:
        made += "//" + _authority(authority)
    # Without a scheme, what stands before a colon would be one.
    made += quote(segment, safe=_SAFE if made else _SAFE.replace(":", "")) + quote(rest, safe=_SAFE)
    return made if fragment is None else f"{made}#{quote(fragment, safe=_SAFE)}"


def _authority(said: str) -> str:
    if not (parts := _AUTHORITY.fullmatch(said)):
        return quote(said, safe=_SAFE.replace(":", "").replace("@", ""))
    user, host, port = parts.groups(default="")
    return quote(user, safe=_SAFE) + (host if host.startswith("[") else quote(host, safe=_SAFE)) + port
