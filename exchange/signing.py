"""How our nodes sign (pure): who a key id names, what a tag says, which fields a signature must cover.

A request's tag names the node that it is for, an answer's the node that asked: what was signed for one node is nothing
to another, whatever address it came to.
"""

from __future__ import annotations

from dataclasses import dataclass

from config.errors import Refused
from exchange.keys import Key
from protocols import suites
from protocols.signatures.sign import Signer
from protocols.signatures.verify import BadSignature

SUCCESSION = "tianlu-succession"  # field with the changes of the sender's key
KEY = "tianlu-key"  # field with the public key of a node that the receiver knows only by fingerprint
# Fields with a meaning for the exchange: covered when they are there, and then nobody can add or change one.
BOUND_OF_REQUEST = ("content-type", "range", "if-range", "upload-offset", "upload-length")
BOUND_OF_ANSWER = ("content-type", "content-range", "etag", "upload-offset", "retry-after")


class UnknownKey(Refused):
    """The signature is by nobody we know."""

    code = "unknown-key"


class Replayed(BadSignature):
    """The very same request came before."""

    code = "replayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyId:
    """`<symbol>/<suite>/<fingerprint>`: whose key it is, of which suite, and which of several."""

    symbol: str
    suite: str
    fingerprint: bytes

    def __str__(self) -> str:
        return f"{self.symbol}/{self.suite}/{self.fingerprint.hex()}"


def key_id(text: str) -> KeyId:
    """A key id as it stands in a signature; UnknownKey if it isn't one."""
    try:
        symbol, suite, fingerprint = text.split("/")
        return KeyId(symbol=symbol, suite=suite, fingerprint=bytes.fromhex(fingerprint))
    except ValueError as error:
        raise UnknownKey("the signature's keyid isn't SYMBOL/SUITE/FINGERPRINT") from error


def tag(receiver: str) -> str:
    """What a signature for the node `receiver` is marked with."""
    return f"tianlu-1 {receiver}"


def signer(key: Key, symbol: str, receiver: str) -> Signer:
    """The node `symbol` with its key, signing for `receiver`."""
    return Signer(
        suite=key.suite,
        seed=bytes.fromhex(key.seed.reveal()),
        key_id=str(KeyId(symbol=symbol, suite=key.suite.name, fingerprint=key.fingerprint)),
        tag=tag(receiver),
    )


def matching(wanted: KeyId, suite: str, *keys: bytes | None) -> bytes | None:
    """Which of the known keys a key id names."""
    if wanted.suite != suite:
        return None
    known = suites.named(suite)
    return next((key for key in keys if key is not None and known.fingerprint(key) == wanted.fingerprint), None)
