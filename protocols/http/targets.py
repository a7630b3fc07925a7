"""Reads the URL of a request, and whether it may be asked for (pure).

One reading only: what is judged is what the connection is made from. URLs that two programs could read in two ways
(blanks, control characters, backslashes, credentials, disguised addresses) are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from yarl import URL

from protocols.http import guard
from protocols.http.guard import Forbidden, Rules
from protocols.http.networks import Address

LONGEST, LONGEST_SHOWN = 8_000, 200  # characters of a URL
PORTS = {"http": 80, "https": 443}
AMBIGUOUS = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
EXACT = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")  # the characters of RFC 3986
HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
Parameters = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is asked for."""

    url: URL
    host: str  # lower case, without brackets and last dot
    port: int
    address: Address | None  # where the host is an IP address
    shown: str  # for messages: without credentials and query

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port (RFC 6454, 4)."""
        return self.url.scheme, self.host, self.port


def read(text: str, parameters: Parameters = ()) -> Target:
    """A URL as a target, percent-encoded as it came if it is so; `parameters` are added to its query.

    Forbidden if it is no URL of HTTP with a host, or one that hides what it means.
    """
    if len(text) > LONGEST or AMBIGUOUS.search(text):
        raise Forbidden(redacted(text), "it is too long, or has blanks, control characters or backslashes in it")
    try:
        url = URL(text, encoded=bool(EXACT.fullmatch(text)))
        port = url.port
    except ValueError as error:
        raise Forbidden(redacted(text), "it is no URL") from error
    if url.scheme not in PORTS:
        raise Forbidden(redacted(text), "only http and https are spoken")
    if "@" in url.raw_authority:
        raise Forbidden(redacted(text), "there are credentials in it")
    host = (url.raw_host or "").lower().removesuffix(".")
    if not host:
        raise Forbidden(redacted(text), "there is no host in it")
    shown = f"{url.scheme}://{url.raw_authority}{url.raw_path}"[:LONGEST_SHOWN]
    if not port:
        raise Forbidden(shown, "port 0 is none")
    if "%" in host:
        raise Forbidden(shown, "the host is percent-encoded, or names an interface of this machine")
    try:
        address = guard.literal(host)
        if address is not None and host != (url.raw_host or "").lower():
            raise ValueError("an address with a dot behind it")
    except ValueError as error:
        raise Forbidden(shown, f"{host} is no IP address in its usual spelling") from error
    bracketed = url.raw_authority.startswith("[")
    if (bracketed and address is None) or (address is None and not HOST.fullmatch(host)) or len(host) > 253:
        raise Forbidden(shown, "its host is no name and no address")
    if parameters:
        url = url.extend_query(list(parameters))
    return Target(url=url, host=host, port=port, address=address, shown=shown)


def onward(before: Target, location: str) -> Target:
    """Where a redirect leads. Forbidden if that is no target, or the way there is less safe than the one before."""
    try:
        if AMBIGUOUS.search(location):
            raise ValueError(location)
        joined = str(before.url.join(URL(location, encoded=bool(EXACT.fullmatch(location)))))
    except ValueError as error:
        raise Forbidden(redacted(location), f"it is no URL, and {before.shown} redirects there") from error
    found = read(joined)
    if before.url.scheme == "https" and found.url.scheme != "https":
        raise Forbidden(found.shown, f"{before.shown} redirects from https to http")
    return found


def admit(target: Target, rules: Rules, *, named: bool) -> bool:
    """May it be private, because the operator named it? Forbidden if it may not be asked for at all."""
    named = named or rules.allow.names(str(target.address or target.host), target.port)
    why = "" if named else guard.port(target.port)
    if target.address is not None:
        why = why or guard.address(target.address, rules.allow, named=named)
    elif not named:
        why = why or guard.name(target.host)
    if why:
        raise Forbidden(target.shown, why)
    return named


def redacted(text: str) -> str:
    """The beginning of what should be a URL, without what may be a secret and what a terminal may take for commands."""
    told = re.split(r"[?#]", text, maxsplit=1)[0].rpartition("@")[2][:LONGEST_SHOWN]
    return AMBIGUOUS.sub(" ", told) or "the URL"
