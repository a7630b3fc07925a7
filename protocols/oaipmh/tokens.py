"""Resumption tokens that need no memory: the place in the list itself, signed.

A token is base64url(JSON) `.` base64url(HMAC-SHA256, first 16 bytes). It survives restarts, may be used again, and is
refused when it is altered, foreign or older than `LIFETIME` (OAI-PMH 2.0, 3.5.1). The place is a keyset
(datestamp in microseconds, cluster number), so a page costs the same wherever it is in the list.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from config import errors

LIFETIME = timedelta(hours=24)
LONGEST = 2_000  # characters; ours are under 400


class BadToken(errors.Conflict):
    """The token is malformed, foreign or expired: begin the list anew."""

    code = "bad-resumption-token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which list, and the last record of it that was given."""

    verb: str
    prefix: str
    since: datetime | None = None  # lower bound asked for, inclusive
    until: datetime | None = None  # upper bound asked for, inclusive
    spec: str = ""  # set
    at: datetime  # datestamp of the last record given, with microseconds
    number: int  # its cluster number
    cursor: int  # records given before the next page


def _stamp(at: datetime | None) -> int | None:
    """Microseconds since 1970; whole numbers, because a float would round and lose or repeat records."""
    return None if at is None else (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _moment(stamp: int | None) -> datetime | None:
    return None if stamp is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=stamp)


def _signature(payload: bytes, key: bytes) -> bytes:
    return base64.urlsafe_b64encode(hmac.new(key, payload, hashlib.sha256).digest()[:16]).rstrip(b"=")


def mint(place: Place, *, key: bytes, now: datetime) -> str:
    """The token that continues after `place`."""
    values = [
        place.verb,
        place.prefix,
        _stamp(place.since),
        _stamp(place.until),
        place.spec,
        _stamp(place.at),
        place.number,
        place.cursor,
        int(now.timestamp()),
    ]
    text = json.dumps(values, separators=(",", ":")).encode()
    payload = base64.urlsafe_b64encode(text).rstrip(b"=")
    return (payload + b"." + _signature(payload, key)).decode("ascii")


def read(token: str, *, key: bytes, now: datetime) -> Place:
    """The place a token stands for. Raises `BadToken`."""
    payload, _, signature = token.encode("utf-8", "replace").partition(b".")
    if len(token) > LONGEST or not hmac.compare_digest(signature, _signature(payload, key)):
        raise BadToken("The resumption token is not one of ours; begin the list anew.")
    try:
        values = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
        verb, prefix, since, until, spec, at, number, cursor, issued = values
    except (binascii.Error, ValueError) as error:  # signed by us, written by another version
        raise BadToken("The resumption token is of another version; begin the list anew.") from error
    age = now - datetime.fromtimestamp(issued, UTC)
    if age > LIFETIME:
        raise BadToken("The resumption token has expired; begin the list anew from its last datestamp.")
    last = _moment(at)
    assert last is not None  # mint() never writes a place without one
    return Place(
        verb=verb,
        prefix=prefix,
        since=_moment(since),
        until=_moment(until),
        spec=spec,
        at=last,
        number=number,
        cursor=cursor,
    )
