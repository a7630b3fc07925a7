"""Seals small secrets in the database with a key in a file of the home folder: a dump of the database opens none.

AES-256-GCM (NIST SP 800-38D) with the place as associated data, so that no seal fits another account.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config import keyfile
from config.errors import Misconfigured
from config.secret import Secret

FILE = "seal.key"
KEY, NONCE = 32, 12  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The node's key for this."""

    key: Secret  # hexadecimal

    def close(self, text: bytes, place: str) -> bytes:
        """Sealed for a place, such as totp:17."""
        nonce = secrets.token_bytes(NONCE)
        return nonce + self._cipher().encrypt(nonce, text, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """What was sealed for this place. Misconfigured if it was with another key."""
        try:
            return self._cipher().decrypt(sealed[:NONCE], sealed[NONCE:], place.encode())
        except InvalidTag as error:
            raise Misconfigured(
                f"{FILE} is not the key that this node's secrets were sealed with: put back the file from the backup; "
                "or take one-time codes away with `tianlu user totp NAME --remove`, and type the passwords of targets "
                "once more (`tianlu target set NAME --prompt`)"
            ) from error

    def derived(self, place: str, size: int) -> bytes:
        """A secret that follows from the key and a place, for what isn't kept yet."""
        return hmac.digest(bytes.fromhex(self.key.reveal()), b"derived " + place.encode(), hashlib.sha256)[:size]

    def _cipher(self) -> AESGCM:
        return AESGCM(bytes.fromhex(self.key.reveal()))


def of(home: Path) -> Seal:
    """The seal of the node in this home; made when it is first needed, for its owner alone."""
    path = home / FILE
    try:
        if not path.exists():
            keyfile.write(path, secrets.token_hex(KEY).encode())
        text = path.read_text(encoding="ascii").strip()
        if len(bytes.fromhex(text)) != KEY:
            raise ValueError
    except OSError as error:
        raise Misconfigured(f"{path} can't be used: {error.strerror}") from error
    except ValueError as error:
        raise Misconfigured(f"{path} is damaged: put back the file from the backup") from error
    return Seal(key=Secret(text))
