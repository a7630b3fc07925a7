"""Structured fields (RFC 9651), as much as signatures need: dictionaries of byte sequences and of inner lists.

Bounded, and stricter than the RFC where laxness helps only attackers: a repeated key is refused instead of the last
one winning. What is read is written back in canonical form, which is what a signature covers.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from config.errors import Refused

LONGEST = 8192  # characters of a field
MOST_MEMBERS = 8
MOST_ITEMS = 32  # of an inner list, or parameters of one thing

_KEY = re.compile(r"[a-z*][a-z0-9_\-.*]{0,63}")
_STRING = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_INTEGER = re.compile(r"-?[0-9]{1,15}(?![0-9.])")
_BYTES = re.compile(r":([A-Za-z0-9+/]*={0,2}):")
_BOOLEAN = re.compile(r"\?([01])")
_SPACES = re.compile(r" *")
_OWS = re.compile(r"[ \t]*")

Value = str | int | bool | bytes
Params = tuple[tuple[str, Value], ...]
T = TypeVar("T")


class BadField(Refused):
    """A field is not what the standard says, or larger than we read."""

    code = "bad-field"


@dataclass(frozen=True, slots=True)
class Item:
    """A string with its parameters: in a signature's input, a component's identifier."""

    name: str
    params: Params = ()

    @property
    def identity(self) -> tuple[str, frozenset[tuple[str, Value]]]:
        """What makes two items the same: the order of parameters doesn't count (RFC 9421, 2)."""
        return self.name, frozenset(self.params)

    def __str__(self) -> str:
        return bare(self.name) + written(self.params)


@dataclass(frozen=True, slots=True)
class InnerList:
    """Items in parentheses, with parameters of the whole."""

    items: tuple[Item, ...]
    params: Params = ()

    def __str__(self) -> str:
        return f"({' '.join(map(str, self.items))}){written(self.params)}"


def bare(value: Value) -> str:
    """A bare value in canonical form. BadField for a string that no field can hold."""
    if isinstance(value, bool):
        return f"?{int(value)}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return f":{base64.b64encode(value).decode()}:"
    if not value.isascii() or not value.isprintable():
        raise BadField("a string in a structured field must be printable ASCII")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def written(params: Params) -> str:
    """Parameters in canonical form; true is written by its name alone."""
    return "".join(f";{name}" if value is True else f";{name}={bare(value)}" for name, value in params)


def byte_sequences(text: str) -> dict[str, bytes]:
    """A dictionary of byte sequences, as in `Signature` and `Content-Digest`; parameters are refused."""
    return _dictionary(text, _Scanner.byte_sequence)


def inner_lists(text: str) -> dict[str, InnerList]:
    """A dictionary of inner lists of strings, as in `Signature-Input`."""
    return _dictionary(text, _Scanner.inner_list)


def _dictionary(text: str, member: Callable[[_Scanner], T]) -> dict[str, T]:
    if len(text) > LONGEST:
        raise BadField(f"a field of {len(text):,} characters is longer than {LONGEST:,}")
    scanner = _Scanner(text.strip(" "))
    found: dict[str, T] = {}
    while scanner.left:
        if found:
            scanner.skip(_OWS)
            scanner.expect(",")
            scanner.skip(_OWS)
        key = scanner.take(_KEY, "a key")[0]
        if key in found:
            raise BadField(f"the key {key} stands twice in a field")
        if len(found) == MOST_MEMBERS:
            raise BadField(f"a field has more than {MOST_MEMBERS} members")
        scanner.expect("=")
        found[key] = member(scanner)
    return found


class _Scanner:
    """Reads from left to right; every step takes what it looked at, so reading is linear."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    @property
    def left(self) -> bool:
        return self.at < len(self.text)

    def skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def next_is(self, sign: str) -> bool:
        if not self.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        return True

    def expect(self, sign: str) -> None:
        if not self.next_is(sign):
            raise BadField(f"{sign!r} is missing at character {self.at + 1} of a field")

    def take(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        found = pattern.match(self.text, self.at)
        if not found:
            raise BadField(f"{what} is missing at character {self.at + 1} of a field")
        self.at = found.end()
        return found

    def string(self) -> str:
        return re.sub(r"\\(.)", r"\1", self.take(_STRING, "a string")[1])

    def byte_sequence(self) -> bytes:
        try:
            return base64.b64decode(self.take(_BYTES, "a byte sequence")[1], validate=True)
        except binascii.Error as error:
            raise BadField(f"a byte sequence isn't base64: {error}") from error

    def inner_list(self) -> InnerList:
        self.expect("(")
        items: list[Item] = []
        while True:
            self.skip(_SPACES)
            if self.next_is(")"):
                return InnerList(tuple(items), self.params())
            if len(items) == MOST_ITEMS:
                raise BadField(f"a list has more than {MOST_ITEMS} items")
            items.append(Item(self.string(), self.params()))
            if not self.text.startswith((" ", ")"), self.at):
                raise BadField(f"a space is missing at character {self.at + 1} of a field")

    def params(self) -> Params:
        found: dict[str, Value] = {}
        while self.next_is(";"):
            self.skip(_SPACES)
            key = self.take(_KEY, "a parameter's name")[0]
            if key in found:
                raise BadField(f"the parameter {key} stands twice")
            if len(found) == MOST_ITEMS:
                raise BadField(f"there are more than {MOST_ITEMS} parameters")
            found[key] = self.value() if self.next_is("=") else True
        return tuple(found.items())

    def value(self) -> Value:
        match self.text[self.at : self.at + 1]:
            case '"':
                return self.string()
            case ":":
                return self.byte_sequence()
            case "?":
                return self.take(_BOOLEAN, "?0 or ?1")[1] == "1"
            case _:
                return int(self.take(_INTEGER, "a value")[0])
