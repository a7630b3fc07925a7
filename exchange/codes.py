"""One-time codes: what a parent's operator hands to a library so that its node can join (pure).

A code holds the parent's address and symbol, the fingerprint of its key, and a secret. The secret never travels: it is
the seed of a key of its own, whose public half the parent keeps and whose signature binds the joining node's key. So
neither who listens on the way nor who reads the parent's database can join in the library's place.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from config.errors import Misconfigured
from config.secret import Secret
from protocols import suites
from protocols.suites import Suite

PREFIX = "TIANLU1"
SECRET = 16  # bytes
CHECK = 4  # bytes of checksum
GROUP = 5  # characters between hyphens
LONGEST = 2000  # characters
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U
_ALIKE = str.maketrans("ILOilo", "110110")


class NotACode(Misconfigured):
    """What was typed is no code at all, or one of a later release."""

    code = "not-a-code"


class Mistyped(Misconfigured):
    """A code with a wrong, missing or swapped character."""

    code = "mistyped-code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What a code says."""

    address: str  # of the parent: http(s)://host[:port]/
    symbol: str  # of the parent
    suite: Suite
    fingerprint: bytes  # of the parent's key
    secret: Secret  # hexadecimal


def write(code: Code) -> str:
    """The code as it is printed: groups of letters and digits that survive mail, telephone and capitals."""
    told = (code.suite.number, code.address, code.symbol, code.fingerprint, bytes.fromhex(code.secret.reveal()))
    packed = msgspec.msgpack.encode(told)
    text = _base32(packed + _checksum(packed))
    return "-".join([PREFIX, *(text[at : at + GROUP] for at in range(0, len(text), GROUP))])


def read(text: str) -> Code:
    """The code in what somebody typed: case, hyphens, spaces and line ends don't count. NotACode or Mistyped."""
    joined = "".join(text.split()).replace("-", "")
    if not joined.upper().startswith(PREFIX) or len(joined) > LONGEST:
        raise NotACode(f"this is no code of `tianlu invite`, which begins with {PREFIX}-")
    packed = _bytes(joined[len(PREFIX) :].translate(_ALIKE).upper())
    packed, check = packed[:-CHECK], packed[-CHECK:]
    if not packed or _checksum(packed) != check:
        raise Mistyped("the code has a typing error: compare it with what `tianlu invite` printed, or copy it whole")
    try:
        number, address, symbol, fingerprint, secret = msgspec.msgpack.decode(
            packed, type=tuple[int, str, str, bytes, bytes]
        )
    except msgspec.DecodeError as error:
        raise NotACode(f"the code is of a release that this one doesn't understand: {error}") from error
    return Code(
        address=address,
        symbol=symbol,
        suite=suites.numbered(number),
        fingerprint=fingerprint,
        secret=Secret(secret.hex()),
    )


def ticket(code_secret: Secret, suite: Suite) -> tuple[bytes, bytes]:
    """(seed, public key) of the key that a secret is the seed of."""
    seed = hashlib.sha256(b"tianlu invitation\0" + bytes.fromhex(code_secret.reveal())).digest()[: suite.key_size]
    return seed, suite.public(seed)


def claim(parent: bytes, symbol: str, key: bytes) -> bytes:
    """What the ticket's key signs: the library `symbol` joins the node with the fingerprint `parent`, with this key."""
    return msgspec.msgpack.encode(("tianlu join", parent, symbol, key))


def _checksum(packed: bytes) -> bytes:
    return hashlib.sha256(PREFIX.encode() + packed).digest()[:CHECK]


def _base32(content: bytes) -> str:
    bits = len(content) * 8
    number = int.from_bytes(content) << (-bits % 5)
    return "".join(ALPHABET[number >> at & 31] for at in range((bits + 4) // 5 * 5 - 5, -5, -5))


def _bytes(text: str) -> bytes:
    number = 0
    for sign in text:
        digit = ALPHABET.find(sign)
        if digit < 0:
            raise Mistyped(f"the code has a character that no code has: {sign!r}")
        number = number << 5 | digit
    size, rest = divmod(len(text) * 5, 8)
    if number & ((1 << rest) - 1):
        raise Mistyped("the end of the code has a typing error: compare it with what `tianlu invite` printed")
    return (number >> rest).to_bytes(size) if size else b""
