"""The search port: what any engine is asked and answers. Values and protocols only.

Everything about a request is bounded here, so no engine meets a text, a page or a filter without end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, get_args

import msgspec

from catalog.model import Published
from catalog.search import tree
from config.errors import Conflict, Refused, Retry

LONGEST_TEXT = 300  # characters of a query: longer than any title that is typed, short enough to be cheap
MOST_HITS = 100  # a page
DEEPEST = 10_000  # hits that can be paged through; harvesting is for more
DEEPEST_BY_TITLE = 1_000  # sorting by a text costs the engine half a millisecond for each hit that is passed over
MOST_SORTED = 5_000  # hits that are sorted by several keys, or paged through in an order of one
MOST_KEYS = 4
MOST_VALUES = 5_000  # of one filter
MOST_LISTED = 100  # values of a list at once

FIELDS = (
    "any",
    "title",
    "author",
    "subject",
    "publisher",
    "series",
    "class",
    "isbn",
    "issn",
    "year",
)
FACETS = ("library", "language", "year", "kind", "class")

Sort = Literal["relevance", "newest", "title"]
SortIndex = Literal["title", "author", "year", "changed"]
SORTED_BY: tuple[SortIndex, ...] = get_args(SortIndex)
LISTS = ("title", "author", "subject", "series", "publisher", "place", "class", "isbn", "issn", "year")


class BadQuery(Refused):
    """A query that can't be answered; the message says what to change."""

    code = "bad-query"
    exit_code: ClassVar[int] = 2


class NotBuilt(Retry):
    """There is no index yet: a node that runs makes it from the change feed."""

    code = "index-not-built"


class IndexBusy(Conflict):
    """Another process writes this index."""

    code = "index-busy"


def deepest(sort: Sort) -> int:
    """How many hits can be paged through in this order."""
    return DEEPEST_BY_TITLE if sort == "title" else DEEPEST


@dataclass(frozen=True, slots=True)
class Key:
    """By what hits are sorted. What is unknown is less than anything known."""

    index: SortIndex
    descending: bool = False


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader asks. Raises BadQuery if it is out of bounds.

    Within a filter one value must fit, and all filters must. A year is `1998`, `1990-1999`, `1990-` or `-1911`; a class
    is the beginning of a class number, mostly a letter. `libraries` is the reader's scope: None is everywhere.
    """

    text: str = ""
    field: str = "any"
    compiled: tree.Query | None = None  # in the place of a text
    filters: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    libraries: frozenset[str] | None = None
    offset: int = 0
    limit: int = 20  # 0 = only totals
    sort: Sort = "relevance"
    keys: tuple[Key, ...] = ()  # in the place of `sort`
    facets: tuple[str, ...] = FACETS  # those to be counted

    def __post_init__(self) -> None:
        if len(self.text) > LONGEST_TEXT:
            raise BadQuery(f"The query has {len(self.text)} characters; shorten it to {LONGEST_TEXT}.")
        if self.field not in FIELDS:
            raise BadQuery(f"There is no search field {self.field!r}; use one of {', '.join(FIELDS)}.")
        for name, values in self.filters.items():
            if name not in FACETS:
                raise BadQuery(f"There is no filter {name!r}; use one of {', '.join(FACETS)}.")
            if len(values) > MOST_VALUES:
                raise BadQuery(f"The filter {name!r} has more than {MOST_VALUES} values.")
        if not 0 <= self.limit <= MOST_HITS:
            raise BadQuery(f"A page holds 0 to {MOST_HITS} hits, not {self.limit}.")
        if len(self.keys) > MOST_KEYS:
            raise BadQuery(f"Hits are sorted by at most {MOST_KEYS} keys.")
        if not 0 <= self.offset <= self.deepest - self.limit:
            raise BadQuery(f"Only the first {self.deepest:,} hits can be paged through; narrow the query.")
        if self.sort not in ("relevance", "newest", "title"):
            raise BadQuery(f"Hits are sorted by relevance, newest or title, not by {self.sort!r}.")
        if self.facets and (unknown := set(self.facets) - set(FACETS)):
            raise BadQuery(f"There is no facet {sorted(unknown)[0]!r}; use some of {', '.join(FACETS)}.")

    @property
    def deepest(self) -> int:
        """How many hits can be paged through."""
        return MOST_SORTED if self.keys else deepest(self.sort)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A cluster that fits."""

    cluster: int
    score: float  # comparable within one result only; 0 unless sorted by relevance


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A page of hits and what is known of all of them."""

    total: int
    hits: tuple[Hit, ...]
    facets: Mapping[str, tuple[tuple[str, int], ...]]  # value and exact count, the commonest first
    seq: int  # place in the change feed up to which changes are in this result


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A value in an ordered list."""

    text: str  # as written in the first record that had it
    count: int  # titles


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Values that follow each other in an ordered list."""

    values: tuple[Listed, ...]
    before: int  # how many of them come before the place that was asked for
    start: bool  # nothing comes before the first
    end: bool  # nothing comes behind the last


class Reader(Protocol):
    """Answers requests; as many as needed at once."""

    def search(self, request: Request) -> Result:
        """Raises BadQuery, `protocols.query.Unanswerable`, or NotBuilt when there is no index."""
        ...

    def numbers(self, request: Request) -> tuple[int, tuple[int, ...]]:
        """How many clusters fit, and those of the page: `search` without all that costs more. Raises as it does."""
        ...

    def place(self) -> tuple[int, int]:
        """Epoch and seq of the change feed up to which changes are seen. Raises NotBuilt."""
        ...

    def scan(
        self, index: str, text: str, *, before: int, count: int, libraries: frozenset[str] | None = None
    ) -> Stretch:
        """`count` values of a list (one of LISTS), `before` of them before the place where `text` would stand.

        Only values of titles that `libraries` hold (None = all), with how many those are. Where hardly any of a long
        list is theirs, fewer are returned. Raises BadQuery or NotBuilt.
        """
        ...


class Writer(Protocol):
    """Keeps one index; one writer at a time."""

    def apply(self, published: Sequence[Published]) -> None:
        """Take over the latest state of clusters. Applying one twice is the same as once."""
        ...

    def commit(self, epoch: int, seq: int) -> None:
        """Make everything applied visible and lasting, together with the place in the feed that it reaches."""
        ...

    def cursor(self) -> tuple[int, int]:
        """Epoch and seq of the last commit; (0, 0) of an empty index."""
        ...

    def restart(self, epoch: int) -> None:
        """Build from nothing aside, or go on building; readers keep the old index until `publish`."""
        ...

    def publish(self) -> None:
        """Let readers see what `restart` began."""
        ...
