"""Composed types of ASN.1 as tables.

    SEQUENCE       a frozen msgspec struct; an element is optional where its field has a default
    SEQUENCE OF    tuple
    CHOICE         the value of the alternative, told by its Python type: where two alternatives have the same, one is
                   `wrapped` in a struct of its own

Unknown elements of a SEQUENCE are skipped, whatever the order; a missing or repeated one is Malformed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from protocols.z3950 import ber
from protocols.z3950.ber import CONSTRUCTED, CONTEXT, HIGH, INDEFINITE, Malformed, Source
from protocols.z3950.primitive import ANY, Pieces, Put, Take, Type, V, Way, element, value_of, written

SHORT = 64  # octets of a content that is read once
REMEMBERED = 256  # of each kind


class Implicit(Type[V]):
    """[n] IMPLICIT: the content of a type under another tag."""

    def __init__(self, tag: int, inner: Type[V]) -> None:
        self.key, self.inner, self.form, self.python, self.of = tag, inner, inner.form, inner.python, inner.of

    def ways(self) -> dict[int, Way]:
        return {self.key: Way(self.inner.take, self.form, self.of)}

    def take(self, source: Source, start: int, stop: int) -> V:
        return self.inner.take(source, start, stop)

    def put(self, value: V, out: Pieces) -> int:
        return self.inner.put(value, out)

    def writer(self) -> Put:
        return written(self.inner.put, ber.identifier(self.key, self.form))  # a call less than by `put`


class Explicit(Type[V]):
    """[n]: one whole element within the tag."""

    form = CONSTRUCTED

    def __init__(self, tag: int, inner: Type[V]) -> None:
        self.key, self.inner, self.python = tag, inner, inner.python
        self._ways = None if inner is ANY else inner.ways()
        self._put = inner.writer()

    def take(self, source: Source, start: int, stop: int) -> V:
        if self._ways is None:
            following = source.header(start, stop)[4]
            return source.data[start:following]  # type: ignore[return-value]
        return element(self._ways, source, start, stop)[0]  # type: ignore[no-any-return]

    def put(self, value: V, out: Pieces) -> int:
        return self._put(value, out)

    def writer(self) -> Put:
        return written(self._put, ber.identifier(self.key, self.form))  # a call less than by `put`


class SequenceOf(Type[tuple[V, ...]]):
    """SEQUENCE OF: each element is told apart by its tag alone."""

    key, form, python = 16, CONSTRUCTED, (tuple,)

    def __init__(self, inner: Type[V]) -> None:
        self.inner = inner
        self._ways = inner.ways()
        self._put = inner.writer()

    def take(self, source: Source, start: int, stop: int) -> tuple[V, ...]:
        values = []
        while start < stop:
            value, start = element(self._ways, source, start, stop)
            values.append(value)
        source.spend(len(values), start)
        return tuple(values)

    def put(self, value: tuple[V, ...], out: Pieces) -> int:
        put = self._put
        return sum([put(each, out) for each in reversed(value)])


class Recurring(SequenceOf[V]):
    """SEQUENCE OF what programs send again and again in the same octets: short contents are read once."""

    def __init__(self, inner: Type[V]) -> None:
        super().__init__(inner)
        self._read: dict[bytes, tuple[V, ...]] = {}

    def take(self, source: Source, start: int, stop: int) -> tuple[V, ...]:
        if stop - start > SHORT:
            return super().take(source, start, stop)
        octets = source.data[start:stop]
        found = self._read.get(octets)
        if found is None:
            found = super().take(source, start, stop)
            if len(self._read) >= REMEMBERED:
                self._read.clear()
            self._read[octets] = found
        return found


class Sequence(Type[V]):
    """SEQUENCE: a struct and the type of each of its fields."""

    key, form = 16, CONSTRUCTED

    def __init__(self, made: type[V], fields: Mapping[str, Type[Any]]) -> None:
        told = {field.name: field.required for field in msgspec.structs.fields(cast(type[msgspec.Struct], made))}
        if list(told) != list(fields):
            raise TypeError(f"{made.__name__}: fields {list(told)}, types of {list(fields)}")
        self.made, self.fields, self.python = made, fields, (made,)
        self.required = frozenset(name for name, required in told.items() if required)
        self._ways: dict[int, tuple[str, Take, int, Way]] = {}
        self._formed: dict[tuple[int, int], tuple[str, Take, int, Way]] = {}  # a second use of a tag, in the other form
        for name, each in fields.items():
            for tag, way in each.ways().items():
                known = name, way.take, way.form, way
                if self._ways.setdefault(tag, known) is known:
                    continue
                if self._ways[tag][2] == way.form:
                    raise TypeError(f"{made.__name__}: {name} and {self._ways[tag][0]} begin alike")
                self._formed[tag, way.form] = known
        self._puts = [(name, each.writer(), name in self.required) for name, each in reversed(list(fields.items()))]

    def take(self, source: Source, start: int, stop: int) -> V:
        ways, header, at, count = self._ways, source.header, start, 0
        data, safe = source.data, min(stop, len(source.data)) - 1
        values: dict[str, Any] = {}
        while at < stop:
            count += 1
            # Most headers are of two octets, and read here to save the call; `header` knows every one.
            if at < safe and (size := data[at + 1]) < INDEFINITE and (tag := data[at]) & HIGH != HIGH:
                tag, form, inside = tag & ~CONSTRUCTED, tag & CONSTRUCTED, at + 2
                end = following = inside + size
                if end > stop:
                    raise Malformed(at, f"a value that ends before octet {stop}")
            else:
                tag, form, inside, end, following = header(at, stop)
            known = ways.get(tag)
            if known is not None:
                name, take, usual, way = known
                if form != usual:
                    name, take, usual, way = self._formed.get((tag, form), known)
                if name in values:
                    raise Malformed(at, f"only one {name}")
                values[name] = take(source, inside, end) if form == usual else value_of(way, form, source, inside, end)
            at = following
        source.spend(count, at)
        if not self.required <= values.keys():
            raise Malformed(start, f"{', '.join(sorted(self.required - values.keys()))} of {self.made.__name__}")
        return self.made(**values)

    def put(self, value: V, out: Pieces) -> int:
        size = 0
        for name, put, required in self._puts:
            each = getattr(value, name)
            if each is not None or required:
                size += put(each, out)
        return size


class Choice(Type[V]):
    """CHOICE: told apart by the tag in octets and by the Python type of the value."""

    form = CONSTRUCTED

    def __init__(self, alternatives: Mapping[str, Type[Any]]) -> None:
        self.alternatives = alternatives
        self._ways: dict[int, Way] = {}
        self._puts: dict[type, Put] = {}
        for name, each in alternatives.items():
            writer = each.writer()
            for tag, way in each.ways().items():
                if self._ways.setdefault(tag, way) is not way:
                    raise TypeError(f"two alternatives of one tag: {name}")
            for python in each.python:
                if self._puts.setdefault(python, writer) is not writer:
                    raise TypeError(f"two alternatives of one Python type: {name}, {python}")
        self.python = tuple(self._puts)

    def ways(self) -> dict[int, Way]:
        return self._ways

    def writer(self) -> Put:
        puts = self._puts

        def put(value: Any, out: Pieces) -> int:
            return (puts.get(type(value)) or _of_a_subclass(puts, value))(value, out)

        return put


def _of_a_subclass(puts: dict[type, Put], value: Any) -> Put:
    for python, put in puts.items():
        if isinstance(value, python):
            return put
    raise TypeError(f"no alternative for a {type(value).__name__}")


class Wrapped(Type[V]):
    """A type whose values are kept in the one field of a struct (in no field, of a null), to be told from others."""

    def __init__(self, made: type[V], inner: Type[Any]) -> None:
        self.made, self.inner, self.python = made, inner, (made,)
        self._field: str | None = next(
            (field.name for field in msgspec.structs.fields(cast(type[msgspec.Struct], made))), None
        )

    def ways(self) -> dict[int, Way]:
        return {tag: self._wrapping(way) for tag, way in self.inner.ways().items()}

    def _wrapping(self, way: Way) -> Way:
        made, field = self.made, self._field

        def wrap(value: Any) -> Any:
            return made() if field is None else made(value)  # type: ignore[call-arg]

        of = way.of

        def take(source: Source, start: int, stop: int) -> Any:
            return wrap(way.take(source, start, stop))

        return Way(take, way.form, (lambda octets: wrap(of(octets))) if of else None)

    def writer(self) -> Put:
        inner, field = self.inner.writer(), self._field

        def put(value: Any, out: Pieces) -> int:
            return inner(None if field is None else getattr(value, field), out)

        return put


def implicit(number: int, inner: Type[V]) -> Type[V]:
    """[number] IMPLICIT inner."""
    return Implicit(ber.key(CONTEXT, number), inner)


def explicit(number: int, inner: Type[V]) -> Type[V]:
    """[number] inner."""
    return Explicit(ber.key(CONTEXT, number), inner)


def sequence(made: type[V], **fields: Type[Any]) -> Type[V]:
    """SEQUENCE { fields }, kept in a struct."""
    return Sequence(made, fields)


def sequence_of(inner: Type[V]) -> Type[tuple[V, ...]]:
    """SEQUENCE OF inner."""
    return SequenceOf(inner)


def recurring(inner: Type[V]) -> Type[tuple[V, ...]]:
    """SEQUENCE OF inner, which is mostly the same."""
    return Recurring(inner)


def choice(**alternatives: Type[Any]) -> Type[Any]:
    """CHOICE { alternatives }."""
    return Choice(alternatives)


def wrapped(made: type[V], inner: Type[Any]) -> Type[V]:
    """`inner` in a struct of its own."""
    return Wrapped(made, inner)
