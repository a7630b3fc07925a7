"""Suites: which key, signature, fingerprint and digest belong together, by name.

Every signature and digest that leaves a node names its suite, so that another one can be added beside the first
(e.g. SM2 with SM3) without a flag day. A suite that we don't know is refused, never guessed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import blake3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from config.errors import Refused

FINGERPRINT = 16  # bytes: nobody makes a second key with the same 128 bits


class UnknownSuite(Refused):
    """A peer uses a suite that this release doesn't have."""

    code = "unknown-suite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One suite. Keys are raw bytes: a private key is its seed."""

    name: str
    number: int  # in one-time codes, where letters are dear
    algorithm: str  # in the registry of RFC 9421, 6.2.2
    key_size: int  # bytes of a seed and of a public key
    public: Callable[[bytes], bytes]  # seed → public key
    sign: Callable[[bytes, bytes], bytes]  # seed, message → signature
    verify: Callable[[bytes, bytes, bytes], bool]  # public key, message, signature; False for malformed ones too
    digest: Callable[[bytes], bytes]  # 32 bytes, of content

    def fingerprint(self, public: bytes) -> bytes:
        """16 bytes that stand for a public key, the suite's name included."""
        return hashlib.sha256(self.name.encode() + b"\0" + public).digest()[:FINGERPRINT]


def spelled(fingerprint: bytes) -> str:
    """A fingerprint as people compare it: groups of four hexadecimal digits."""
    return fingerprint.hex(" ", 2)


def named(name: str) -> Suite:
    """The suite of this name; UnknownSuite if we have none."""
    suite = SUITES.get(name)
    if suite is None:
        known = ", ".join(SUITES)
        raise UnknownSuite(
            f"suite {name[:60]!r} is unknown here (known: {known}): upgrade this node or change the peer's"
        )
    return suite


def numbered(number: int) -> Suite:
    """The suite of this number; UnknownSuite if we have none."""
    for suite in SUITES.values():
        if suite.number == number:
            return suite
    raise UnknownSuite(f"suite number {number} is unknown here: upgrade this node")


def _ed25519_public(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def _ed25519_sign(seed: bytes, message: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def _ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _blake3(content: bytes) -> bytes:
    return blake3.blake3(content).digest()


ED25519 = Suite(
    name="ed25519-sha256-blake3",
    number=1,
    algorithm="ed25519",
    key_size=32,
    public=_ed25519_public,
    sign=_ed25519_sign,
    verify=_ed25519_verify,
    digest=_blake3,
)
SUITES: dict[str, Suite] = {ED25519.name: ED25519}
DEFAULT = ED25519
