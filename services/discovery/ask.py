"""What is asked of a parent, and what it answers: the port, and the values that its JSON is read into (pure).

A parent is asked through its public interface (`/api/search`, `/api/scopes`), so what it answers is what anyone gets.
It may be slow, dead, of another release or hostile: whatever comes is bounded here, unknown members are ignored, and
anything that doesn't fit is `Unreachable`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta, Struct

from catalog.parents import Parent
from catalog.search.port import MOST_HITS
from config import errors

SEARCH, SCOPES = "api/search", "api/scopes"
MOST_HOPS = 3  # nodes that a question passes; one that has passed so many goes no further

State = Literal["known", "late", "unreachable"]
Pairs = tuple[tuple[str, str], ...]

_Line = Annotated[str, Meta(max_length=4_000)]
_Word = Annotated[str, Meta(max_length=300)]
_Lines = Annotated[tuple[_Line, ...], Meta(max_length=300)]
_Symbols = Annotated[tuple[_Word, ...], Meta(max_length=20_000)]
_Count = Annotated[int, Meta(ge=0, le=10**12)]


class Late(errors.Retry):
    """A parent didn't answer in time, or has more of our questions in hand than it may have."""

    code = "parent-late"


class Unreachable(errors.Unreachable):
    """A parent can't be reached, refuses, or answers what can't be understood."""

    code = "parent-unreachable"


class Level(Struct, frozen=True):
    """A level of a parent's scope bar."""

    scope: Annotated[str, Meta(max_length=40)]
    kind: Literal["library", "here", "city", "province", "alliance", "nation"]
    name: _Word = ""
    count: _Count | None = None
    state: State = "known"


class Hit(Struct, frozen=True):
    """A title that a parent found."""

    id: Annotated[str, Meta(max_length=60)]
    url: _Line
    title: _Line
    parallel: _Lines = ()
    responsibility: _Line = ""
    authors: _Lines = ()
    edition: _Line = ""
    publication: _Line = ""
    year: int | None = None
    kind: _Word = ""
    languages: _Lines = ()
    isbns: _Lines = ()
    issns: _Lines = ()
    libraries: _Symbols = ()
    updated: _Word = ""


class Value(Struct, frozen=True):
    """A value of a facet."""

    value: _Word
    label: _Word
    count: _Count


class Told(Struct, frozen=True):
    """An answer of `/api/scopes`, or with hits of `/api/search`."""

    scope: Annotated[str, Meta(max_length=40)]
    scopes: Annotated[tuple[Level, ...], Meta(max_length=20)]
    complete: bool = True  # False: the level's own node didn't answer, these are the titles of the one that did
    total: _Count = 0
    hits: Annotated[tuple[Hit, ...], Meta(max_length=MOST_HITS)] = ()
    facets: Annotated[dict[_Word, Annotated[tuple[Value, ...], Meta(max_length=300)]], Meta(max_length=20)] = {}


_decode = msgspec.json.Decoder(Told).decode


def told(body: bytes) -> Told:
    """The answer in a body; Unreachable if it is none."""
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreachable(f"The answer can't be understood: {error}") from error


class Asker(Protocol):
    """Asks parents. Answers may be some seconds old."""

    async def put(self, parent: Parent, what: str, parameters: Pairs, *, until: float, hops: int) -> Told:
        """The parent's answer to `what` (SEARCH or SCOPES). `until` is a time of the event loop by which this returns
        or raises `Late` or `Unreachable`; `hops` is how many nodes have passed the question on, this one included."""
        ...

    def last(self, parent: Parent, home: str) -> Sequence[Level]:
        """The levels of the parent's last answer to a question from this library; empty before the first."""
        ...
