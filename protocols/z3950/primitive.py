"""Simple types of ASN.1 (ITU-T X.680, X.690): what stands in octets, and which Python value it is.

A `Type` knows both directions. Values are written back to front into a list of pieces, so that every length is known
when its header is due and a record's octets are copied once, when the pieces are joined.

    INTEGER, BOOLEAN, OBJECT IDENTIFIER, OCTET STRING    int, bool, tuple of int, bytes
    character strings    str, decoded as UTF-8 with surrogate escapes: octets of another charset are kept
    BIT STRING           frozenset of the numbers of the bits that are set
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from protocols.z3950 import ber
from protocols.z3950.ber import Malformed, Source
from protocols.z3950.limits import REQUESTS, Limits

V = TypeVar("V")
Oid = tuple[int, ...]
Pieces = list[bytes]  # of what is written, the last first

Take = Callable[[Source, int, int], Any]  # content from start to end -> value
Put = Callable[[Any, Pieces], int]  # value -> octets added to the pieces


class Way(NamedTuple):
    """What to do with one tag."""

    take: Take
    form: int  # CONSTRUCTED or 0
    of: Callable[[bytes], Any] | None  # of a string, which may come in segments


class Type(Generic[V]):
    """One ASN.1 type: `take` and `put` are about its content, the others about whole elements with their header."""

    key: int
    form: int = 0
    python: tuple[type, ...] = ()  # of its values
    of: Callable[[bytes], Any] | None = None

    def take(self, source: Source, start: int, stop: int) -> V:
        """The value of a content."""
        raise NotImplementedError

    def put(self, value: V, out: Pieces) -> int:
        """Write a content; how many octets it has."""
        raise NotImplementedError

    def ways(self) -> dict[int, Way]:
        """What its elements may begin with."""
        return {self.key: Way(self.take, self.form, self.of)}

    def writer(self) -> Put:
        """What writes whole elements."""
        return written(self.put, ber.identifier(self.key, self.form))

    @cached_property
    def _write_whole(self) -> Put:
        return self.writer()

    def decode(self, octets: bytes, limits: Limits = REQUESTS) -> V:
        """The value of one whole element. Malformed if it is none, or has anything behind it."""
        source = Source(octets, limits)
        value, following = element(self.ways(), source, 0, len(octets))
        if following != len(octets):
            raise Malformed(following, "nothing behind the value")
        return value  # type: ignore[no-any-return]

    def encode(self, value: V) -> bytes:
        """One whole element."""
        out: Pieces = []
        self._write_whole(value, out)
        out.reverse()
        return b"".join(out)


def written(content: Put, start: bytes) -> Put:
    """What writes a content behind identifier octets and its length."""
    short = ber.SHORT

    def put(value: Any, out: Pieces) -> int:
        size = content(value, out)
        head = start + (short[size] if size < 0x80 else ber.length(size))
        out.append(head)
        return size + len(head)

    return put


def element(ways: Mapping[int, Way], source: Source, at: int, stop: int) -> tuple[Any, int]:
    """The value of the element at an offset, and where the next one begins."""
    tag, form, start, end, following = source.header(at, stop)
    way = ways.get(tag)
    if way is None:
        raise Malformed(at, "one of the tags that may stand here")
    return value_of(way, form, source, start, end), following


def value_of(way: Way, form: int, source: Source, start: int, end: int) -> Any:
    """The value of a content that came in one form, which may be the other than is usual."""
    if form == way.form:
        return way.take(source, start, end)
    if form and way.of:
        return way.of(source.joined(start, end))
    raise Malformed(start, "a constructed value" if way.form else "a primitive value")


class _Integer(Type[int]):
    key, python = 2, (int,)

    def take(self, source: Source, start: int, stop: int) -> int:
        if stop - start == 1:
            octet = source.data[start]
            return octet if octet < 0x80 else octet - 0x100
        if not 0 < stop - start <= 8:
            raise Malformed(start, "an integer of one to eight octets")
        return int.from_bytes(source.data[start:stop], "big", signed=True)

    def put(self, value: int, out: Pieces) -> int:
        size = (value if value >= 0 else ~value).bit_length() // 8 + 1
        out.append(value.to_bytes(size, "big", signed=True))
        return size


class _Boolean(Type[bool]):
    key, python = 1, (bool,)

    def take(self, source: Source, start: int, stop: int) -> bool:
        if stop - start != 1:
            raise Malformed(start, "a boolean of one octet")
        return source.data[start] != 0

    def put(self, value: bool, out: Pieces) -> int:
        out.append(b"\x01" if value else b"\x00")  # not FF, though that is as good: old clients compare with 1
        return 1


class _Null(Type[None]):
    key, python = 5, (type(None),)

    def take(self, source: Source, start: int, stop: int) -> None:
        if stop != start:
            raise Malformed(start, "nothing in a null")

    def put(self, value: None, out: Pieces) -> int:
        return 0


class _Octets(Type[bytes]):
    key, python, of = 4, (bytes,), bytes

    def take(self, source: Source, start: int, stop: int) -> bytes:
        return source.data[start:stop]

    def put(self, value: bytes, out: Pieces) -> int:
        out.append(value)
        return len(value)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


class _Text(Type[str]):
    python, of = (str,), staticmethod(_text)

    def __init__(self, number: int) -> None:
        self.key = number

    def take(self, source: Source, start: int, stop: int) -> str:
        return source.data[start:stop].decode("utf-8", "surrogateescape")

    def put(self, value: str, out: Pieces) -> int:
        octets = value.encode("utf-8", "surrogateescape")
        out.append(octets)
        return len(octets)


class _Bits(Type[frozenset[int]]):
    key, python = 3, (frozenset,)

    def take(self, source: Source, start: int, stop: int) -> frozenset[int]:
        if not 1 <= stop - start <= 33 or source.data[start] > 7:
            raise Malformed(start, "a bit string of at most 32 octets")
        return _bits(source.data[start:stop])

    def put(self, value: frozenset[int], out: Pieces) -> int:
        octets = _bit_octets(value)
        out.append(octets)
        return len(octets)


@lru_cache(500)
def _bits(octets: bytes) -> frozenset[int]:
    whole = octets[1:]
    return frozenset(bit for bit in range(8 * len(whole) - octets[0]) if whole[bit >> 3] & 0x80 >> (bit & 7))


@lru_cache(500)
def _bit_octets(bits: frozenset[int]) -> bytes:
    count = max(bits, default=-1) + 1
    octets = bytearray((count + 7) // 8)
    for bit in bits:
        octets[bit >> 3] |= 0x80 >> (bit & 7)
    return bytes((8 * len(octets) - count,)) + octets


class _Oid(Type[Oid]):
    key, python = 6, (tuple,)

    def take(self, source: Source, start: int, stop: int) -> Oid:
        if not 0 < stop - start <= 64 or source.data[stop - 1] & 0x80:
            raise Malformed(start, "an object identifier of at most 64 octets")
        return _oid(source.data[start:stop])

    def put(self, value: Oid, out: Pieces) -> int:
        octets = _oid_octets(value)
        out.append(octets)
        return len(octets)


@lru_cache(1000)
def _oid(octets: bytes) -> Oid:
    arcs, number = [], 0
    for octet in octets:
        number = number << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(number)
            number = 0
    first = min(arcs[0] // 40, 2)
    return first, arcs[0] - 40 * first, *arcs[1:]


@lru_cache(1000)
def _oid_octets(oid: Oid) -> bytes:
    octets = bytearray()
    for arc in (oid[0] * 40 + oid[1], *oid[2:]):
        ends = [arc & 0x7F]
        while arc := arc >> 7:
            ends.append(0x80 | arc & 0x7F)
        octets += bytes(reversed(ends))
    return bytes(octets)


class _Any(Type[bytes]):
    """A whole element with its header, kept as it is; only where a tag or a place tells that one stands there."""

    python = (bytes,)

    def ways(self) -> dict[int, Way]:
        raise TypeError("ANY stands only within an explicit tag")

    def writer(self) -> Put:
        return OCTETS.put


INTEGER, BOOLEAN, NULL, OCTETS, BITS, OID, ANY = _Integer(), _Boolean(), _Null(), _Octets(), _Bits(), _Oid(), _Any()
GENERAL, VISIBLE, TIME, DESCRIPTOR = _Text(27), _Text(26), _Text(24), _Text(7)
