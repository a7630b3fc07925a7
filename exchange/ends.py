"""The two ends of a stream, as the shells of the exchange are given them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from catalog import notices, peers
from catalog.payload import CLUSTERS, HANDOVER, NOTICES
from exchange import outward
from exchange.keys import Key
from exchange.model import Signer, Trusted, Verifier
from exchange.outward import Policy
from protocols import suites
from protocols.suites import Suite

CHANNELS = (CLUSTERS, NOTICES)
KNOWN = (*CHANNELS, HANDOVER)  # the last one only while a library moves
FEEDS = {CLUSTERS: "clusters", NOTICES: notices.FEED, HANDOVER: "handover"}  # the feed behind a channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """This node."""

    symbol: str
    signer: Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Another node."""

    no: int  # row of table `peer`
    symbol: str
    role: str  # what it is to us: parent or child
    source: int | None  # of a child: the source that its records are of
    policy: Policy  # what we publish to it
    published: str  # the policy as it is written, to see that it changed
    trusted: Trusted  # its keys


@dataclass(frozen=True, slots=True)
class _Own:
    key: Callable[[], Key]

    @property
    def suite(self) -> str:
        return self.key().suite.name

    def digest(self, data: bytes) -> bytes:
        return self.key().suite.digest(data)

    def sign(self, data: bytes) -> bytes:
        return self.key().sign(data)


@dataclass(frozen=True, slots=True)
class _Theirs:
    suite: Suite
    keys: tuple[bytes, ...]

    def digest(self, data: bytes) -> bytes:
        return self.suite.digest(data)

    def verify(self, data: bytes, signature: bytes) -> bool:
        return any(self.suite.verify(key, data, signature) for key in self.keys)


def me(symbol: str, key: Callable[[], Key]) -> Me:
    """This node. `key` gives the key that it signs with at any time (`Keyring.key`)."""
    return Me(symbol=symbol, signer=_Own(key))


def peer(known: peers.Peer) -> Peer:
    """A peer, with the keys that are trusted now."""
    return Peer(
        no=known.no,
        symbol=known.symbol,
        role=known.role,
        source=known.source,
        policy=outward.policy(known.policy),
        published=msgspec.json.encode(known.policy, order="deterministic").decode(),
        trusted=_trusted(known),
    )


def _trusted(known: peers.Peer) -> dict[str, Verifier]:
    keys = (known.key,) if known.former is None else (known.key, known.former)
    return {known.suite: _Theirs(suites.named(known.suite), keys)}
