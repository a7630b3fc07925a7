"""Octets of the Basic Encoding Rules (ITU-T X.690, clause 8): headers, lengths of both kinds, and where a value ends.

Everything that comes from outside is bounded here: a length is held against the value around it, what is inside a value
of indefinite length is looked through once however often its end is asked for, and elements are counted. A `Source`
lives as long as the decoding of one APDU.
"""

from __future__ import annotations

from config.errors import BadRecord
from protocols.z3950.limits import REQUESTS, Limits

CONSTRUCTED = 0x20
CONTEXT = 0x80
HIGH = 31  # the low five bits of an identifier whose number follows in octets of its own
INDEFINITE = 0x80
TWO_OCTETS = 0x82  # a length in the two octets that follow
MAX_TAG_OCTETS = 4  # of a tag number: 2**28 is far above all that any definition uses
MAX_LENGTH_OCTETS = 8


class Malformed(BadRecord):
    """Octets that are no value of the type asked for; the message names the offset and what was expected there."""

    code = "malformed"

    def __init__(self, offset: int, expected: str) -> None:
        super().__init__(f"octet {offset}: expected {expected}")
        self.offset = offset
        self.expected = expected


def key(tag_class: int, number: int) -> int:
    """A tag as one number, without the bit that tells primitive from constructed."""
    return tag_class | number if number < HIGH else number << 8 | tag_class | HIGH


def identifier(of: int, form: int) -> bytes:
    """Identifier octets of a tag made by `key`."""
    if of & HIGH != HIGH:
        return bytes((of | form,))
    number = of >> 8
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(0x80 | number & 0x7F)
    return bytes((of & 0xFF | form, *reversed(octets)))


SHORT = [bytes((size,)) for size in range(0x80)]  # length octets of short values


def length(size: int) -> bytes:
    """Length octets, definite, as few as can be."""
    if size < 0x80:
        return SHORT[size]
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def _header(data: bytes | bytearray, at: int) -> tuple[int, int, int, int]:
    """Key, form, start and size of the content at an offset; size -1: indefinite. IndexError: octets are missing."""
    first = data[at]
    form = first & CONSTRUCTED
    tag = first & 0xDF
    opened = at
    at += 1
    if first & HIGH == HIGH:
        number = 0
        while True:
            octet = data[at]
            at += 1
            number = number << 7 | octet & 0x7F
            if octet < 0x80:
                break
            if at - opened > MAX_TAG_OCTETS:
                raise Malformed(opened, f"a tag number of at most {MAX_TAG_OCTETS} octets")
        tag |= number << 8
    size = data[at]
    at += 1
    if size < 0x80:
        return tag, form, at, size
    if size == INDEFINITE:
        if not form:
            raise Malformed(opened, "a definite length of a primitive value")
        return tag, form, at, -1
    count = size & 0x7F
    if count > MAX_LENGTH_OCTETS:
        raise Malformed(at - 1, f"a length of at most {MAX_LENGTH_OCTETS} octets")
    if at + count > len(data):
        raise IndexError
    return tag, form, at + count, int.from_bytes(data[at : at + count], "big")


class Source:
    """The octets of one APDU while it is decoded, with what may still be spent on it."""

    __slots__ = ("_ends", "_size", "data", "depth", "left", "limits")

    def __init__(self, data: bytes, limits: Limits = REQUESTS) -> None:
        self.data = data
        self._size = len(data)
        self.limits = limits
        self.left = limits.elements
        self.depth = 0  # of what is being decoded by types that contain themselves
        self._ends: dict[int, int] = {}  # start of a content of indefinite length -> its end

    def header(self, at: int, stop: int) -> tuple[int, int, int, int, int]:
        """Key, form, start and end of the content of the value at an offset, and where the next one begins."""
        data = self.data
        if at + 4 <= self._size:  # the forms that nearly all headers have, quickly; `_header` knows every one
            first, second, size = data[at], data[at + 1], -1
            tag = first & 0xDF
            if first & HIGH != HIGH:
                if second < INDEFINITE:
                    start, size = at + 2, second
                elif second == TWO_OCTETS:
                    start, size = at + 4, data[at + 2] << 8 | data[at + 3]
            elif second < 0x80 and data[at + 2] < INDEFINITE:
                start, size = at + 3, data[at + 2]
                tag |= second << 8
            if size >= 0:
                following = start + size
                if following > stop:
                    raise Malformed(at, f"a value that ends before octet {stop}")
                return tag, first & CONSTRUCTED, start, following, following
        try:
            tag, form, start, size = _header(data, at)
        except IndexError:
            raise Malformed(len(data), "the rest of a header") from None
        if size < 0:
            end = self._ends.get(start)
            if end is None:
                end = self._end(start, stop)
            following = end + 2
        else:
            following = end = start + size
        if following > stop:
            raise Malformed(at, f"a value that ends before octet {stop}")
        return tag, form, start, end, following

    def spend(self, elements: int, at: int) -> None:
        """Count elements; they are counted when they have been read, at most one value's too late."""
        self.left -= elements
        if self.left < 0:
            raise Malformed(at, f"at most {self.limits.elements} elements")

    def enter(self, at: int) -> None:
        """Go one level down in a type that contains itself; the caller goes up again."""
        self.depth += 1
        if self.depth > self.limits.depth:
            raise Malformed(at, f"at most {self.limits.depth} values within one another")

    def joined(self, start: int, stop: int) -> bytes:
        """The content of a string that was sent in segments (X.690, 8.7.3), which may be segmented in turn."""
        parts: list[bytes] = []
        self.enter(start)
        at, count = start, 0
        while at < stop:
            _, form, inside, end, following = self.header(at, stop)
            parts.append(self.joined(inside, end) if form else self.data[inside:end])
            at = following
            count += 1
        self.depth -= 1
        self.spend(count, at)
        return b"".join(parts)

    def _end(self, start: int, stop: int) -> int:
        """Where a content of indefinite length ends. All that are within it are kept too, so each is scanned once."""
        data, ends = self.data, self._ends
        opened = [start]
        at, count = start, 0
        while opened:
            if at + 2 > stop:
                raise Malformed(at, "the end of a value of indefinite length")
            count += 1
            if not data[at] and not data[at + 1]:
                ends[opened.pop()] = at
                at += 2
                continue
            try:
                _, _, inside, size = _header(data, at)
            except IndexError:
                raise Malformed(len(data), "the rest of a header") from None
            if size >= 0:
                at = inside + size
            elif inside in ends:
                at = ends[inside] + 2
            else:
                opened.append(inside)
                at = inside
                if len(opened) > self.limits.depth:
                    raise Malformed(at, f"at most {self.limits.depth} values within one another")
        self.spend(count, at)
        return ends[start]


class Frames:
    """Cuts a stream of octets into APDUs. What has been looked at is not looked at again when more arrives."""

    __slots__ = ("_at", "_data", "_level", "_limits", "broken")

    def __init__(self, limits: Limits = REQUESTS) -> None:
        self._limits = limits
        self._data = bytearray()
        self._at = 0  # where the next header is looked for, counted from the start of the APDU
        self._level = 0  # values of indefinite length that are open there
        self.broken: Malformed | None = None  # why nothing comes behind what was given

    def __len__(self) -> int:
        """Octets that wait for the rest of their APDU."""
        return len(self._data)

    def feed(self, data: bytes) -> list[bytes]:
        """The APDUs that are whole now. Malformed as soon as what has come can't become one within the limits; those
        that came whole before it are given first, and `broken` tells that it comes.
        """
        if self.broken:
            raise self.broken
        self._data += data
        whole: list[bytes] = []
        try:
            while (size := self._size()) is not None:
                whole.append(bytes(memoryview(self._data)[:size]))
                del self._data[:size]
                self._at = self._level = 0
        except Malformed as error:
            self.broken = error
            if not whole:
                raise
        return whole

    def _size(self) -> int | None:
        data = self._data
        while True:
            try:
                tag, form, start, size = _header(data, self._at)
            except IndexError:
                self._within(len(data))
                return None
            if size < 0:
                self._level += 1
                if self._level > self._limits.depth:
                    raise Malformed(self._at, f"at most {self._limits.depth} values within one another")
                self._at = start
                continue
            if self._level and not (tag or form or size):
                self._level -= 1
            self._within(start + size)
            if not self._level:
                return start + size if start + size <= len(data) else None
            self._at = start + size

    def _within(self, octets: int) -> None:
        if octets > self._limits.octets:
            raise Malformed(self._at, f"an APDU of at most {self._limits.octets} octets")
