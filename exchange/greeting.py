"""What nodes say to each other when they join and at each hello: MessagePack maps (pure).

Unknown members are ignored and missing ones have a default, so that neighbouring releases talk. What isn't compatible
moves `LOWEST` or `HIGHEST`; nodes whose ranges don't overlap refuse each other in clear words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

import msgspec

from catalog.payload import Entry
from config.errors import BadRecord, Conflict
from exchange.model import PROTO, Cursor

LOWEST, HIGHEST = PROTO
MEDIA = "application/msgpack"
MOST_LIBRARIES = 2000  # in a join; others follow on the channel of notices

Path = Literal["uplink", "membership"]
T = TypeVar("T")


class NoCommonProtocol(Conflict):
    """Two releases too far apart."""

    code = "no-common-protocol"


class Join(msgspec.Struct, frozen=True, kw_only=True):
    """POST /x/join."""

    ticket: bytes  # public key made of the code's secret
    proof: bytes  # the ticket's signature over `codes.claim`
    symbol: str
    suite: str
    key: bytes  # public
    proto: tuple[int, int] = (1, 1)
    path: Path = "uplink"  # that the child would like
    libraries: Mapping[str, Entry] = {}  # by symbol: those that the child hosts


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """The answer."""

    symbol: str
    name: str
    suite: str
    key: bytes
    proto: int
    path: Path
    time: float  # Unix seconds
    reign: int = 0  # under which the child's library, which the parent hosts, is to move to it; 0 = it hosts none


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """POST /x/hello: `cursors` by channel, how far the child heard its parent."""

    proto: tuple[int, int] = (1, 1)
    caps: tuple[str, ...] = ()
    cursors: Mapping[str, Cursor] = {}


class Greeted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: `cursors` by channel, how far the parent heard the child."""

    proto: int
    caps: tuple[str, ...] = ()
    cursors: Mapping[str, Cursor] = {}
    time: float = 0.0


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Any refusal."""

    code: str
    reason: str = ""
    time: float = 0.0  # the receiver's, Unix seconds: the sender measures how far the clocks are apart


encode = msgspec.msgpack.Encoder().encode


def decode(body: bytes, kind: type[T]) -> T:
    """The message in a body; BadRecord if it isn't one."""
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"the body is no {kind.__name__}: {error}") from error


def agree(theirs: tuple[int, int], who: str) -> int:
    """The highest version that both speak."""
    low, high = theirs
    agreed = min(high, HIGHEST)
    if agreed < max(low, LOWEST):
        behind = "this node" if low > HIGHEST else who
        raise NoCommonProtocol(
            f"{who} speaks versions {low} to {high} of the protocol, this node {LOWEST} to {HIGHEST}: upgrade {behind}"
        )
    return agreed
