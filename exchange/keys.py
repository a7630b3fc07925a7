"""The node's own key: made at first need, kept in a file of its owner alone, changed with a signed succession (shell).

Who knows only the old key can still tell that the new one is ours: the old key signed it. These statements travel with
every message (`Tianlu-Succession`), so a peer learns of a change at the next contact, however late that is.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec

from config import keyfile
from config.errors import Misconfigured
from config.secret import Secret
from protocols import suites
from protocols.suites import Suite

MOST = 4  # changes of keys that a message tells of
LONGEST = 4096  # characters of what a peer sends


class Succession(msgspec.Struct, array_like=True, frozen=True):
    """`old` names `new` as the next key of the node `symbol`."""

    symbol: str
    old_suite: str
    old: bytes
    suite: str
    new: bytes
    signature: bytes = b""

    @property
    def signed(self) -> bytes:
        """What the old key signs."""
        return msgspec.msgpack.encode(
            ("tianlu succession", self.symbol, self.old_suite, self.old, self.suite, self.new)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The node's key, and the successions that led to it, oldest first."""

    suite: Suite
    seed: Secret  # hexadecimal
    public: bytes
    successions: tuple[Succession, ...] = ()

    @property
    def fingerprint(self) -> bytes:
        """16 bytes that stand for the public key."""
        return self.suite.fingerprint(self.public)

    def sign(self, message: bytes) -> bytes:
        """A signature."""
        return self.suite.sign(bytes.fromhex(self.seed.reveal()), message)


class Keyring:
    """The key in a file, read again when the file changes: `tianlu peer rekey` is another process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[tuple[int, int], Key] | None = None

    def key(self) -> Key:
        """The key, made if there is none. Misconfigured if the file can't be used."""
        try:
            if not self.path.exists():
                _write(self.path, _made(suites.DEFAULT, ()), replace=False)
            seen = self.path.stat()
            mark = (seen.st_ino, seen.st_mtime_ns)
            if self._read is None or self._read[0] != mark:
                self._read = (mark, _parse(self.path))
        except OSError as error:
            raise Misconfigured(f"exchange.key: {self.path} can't be used: {error.strerror}") from error
        return self._read[1]

    def change(self, symbol: str) -> Key:
        """A new key, named by the old one as its successor."""
        old = self.key()
        new = _made(suites.DEFAULT, ())
        bare = Succession(symbol, old.suite.name, old.public, new.suite.name, new.public)
        told = msgspec.structs.replace(bare, signature=old.sign(bare.signed))
        _write(
            self.path,
            Key(suite=new.suite, seed=new.seed, public=new.public, successions=(*old.successions, told)[-MOST:]),
            replace=True,
        )
        return self.key()


def _made(suite: Suite, successions: tuple[Succession, ...]) -> Key:
    seed = secrets.token_bytes(suite.key_size)
    return Key(suite=suite, seed=Secret(seed.hex()), public=suite.public(seed), successions=successions)


def announced(key: Key) -> str:
    """The successions as a field's value; "" if the key was never changed."""
    return base64.b64encode(msgspec.msgpack.encode(key.successions)).decode() if key.successions else ""


def heir(text: str, symbol: str, suite: str, public: bytes) -> tuple[str, bytes]:
    """(suite, key) that follow from a known key by what a peer announces; the known one if nothing does."""
    if not text or len(text) > LONGEST:
        return suite, public
    try:
        told = msgspec.msgpack.decode(base64.b64decode(text, validate=True), type=tuple[Succession, ...])
    except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError):
        return suite, public
    for each in told[:MOST]:
        if (each.symbol, each.old_suite, each.old) == (symbol, suite, public) and suites.named(suite).verify(
            public, each.signed, each.signature
        ):
            suite, public = each.suite, each.new
    return suite, public


class _File(msgspec.Struct, frozen=True):
    suite: str
    seed: str
    successions: tuple[Succession, ...] = ()


def _parse(path: Path) -> Key:
    try:
        told = msgspec.json.decode(path.read_bytes(), type=_File)
        suite, seed = suites.named(told.suite), bytes.fromhex(told.seed)
    except (msgspec.DecodeError, ValueError) as error:
        raise Misconfigured(f"exchange.key: {path} is no key of a node: restore it from a backup") from error
    if len(seed) != suite.key_size:
        raise Misconfigured(f"exchange.key: {path} is damaged: restore it from a backup")
    return Key(suite=suite, seed=Secret(seed.hex()), public=suite.public(seed), successions=told.successions)


def _write(path: Path, key: Key, *, replace: bool) -> None:
    told = _File(suite=key.suite.name, seed=key.seed.reveal(), successions=key.successions)
    keyfile.write(path, msgspec.json.encode(told), replace=replace)
