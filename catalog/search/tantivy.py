"""The index, kept by tantivy; with `asking`, which makes its queries, the only file that knows the engine.

A home holds one folder an index, named by schema and epoch, and the file `current` that names the one in use; a new
index is built aside and then named. The place in the change feed is a document of its own, replaced in the commit that
reaches it, so index and place can't differ. Ids are texts: deleting by an unsigned term deletes nothing (tantivy 0.27).
"""

from __future__ import annotations

import fcntl
import itertools
import logging
import os
import shutil
import sqlite3
import time
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import tantivy

from catalog.model import Published
from catalog.search import folders, lists, query, sorting, tree, worth
from catalog.search.asking import FACET_FIELDS, Asker
from catalog.search.document import Document, document
from catalog.search.port import FACETS, Hit, IndexBusy, Key, NotBuilt, Request, Result, Stretch
from protocols.query import Unanswerable

log = logging.getLogger(__name__)

SCHEMA = 3  # rises with every change of fields, tokens or folding: then the index is made again
HEAP = 64_000_000  # bytes of documents before a segment is written
REMEMBERED = 256  # counts of facets, for paging
ORDERS = 64  # results sorted by several keys, for the same
MOST_FACET_VALUES = 200  # returned, the commonest
ALL_FACET_VALUES = 65_000  # counted in each segment, so that counts are exact
CURSOR = "cursor"  # id of the document that holds the place in the feed
FRESH = 0.05  # seconds in which a reader looks at one state of the index: opening one costs as much as a quick search

TEXTS = ("title", "part", "series", "author", "subject", "imprint", "place", "notes", "title_sound", "author_sound")
VALUES = ("exact", "spelled", "number", "notation", "heading", "ident")

Facets = Mapping[str, tuple[tuple[str, int], ...]]


def schema() -> tantivy.Schema:
    """The fields of `document.Document` as tantivy keeps them."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("what", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("state", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("cluster", fast=True)
    builder.add_unsigned_field("year", indexed=True, fast=True)
    builder.add_float_field("weight", fast=True)
    builder.add_unsigned_field("changed", fast=True)
    for name in ("order", "by"):
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in TEXTS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    for name in VALUES:
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("library", "language", "kind", "letter"):
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    return builder.build()


def _entry(made: Document) -> tantivy.Document:
    """A document as the engine takes it."""
    entry = tantivy.Document()
    entry.add_text("id", str(made.cluster))
    entry.add_text("what", "cluster")
    entry.add_unsigned("cluster", made.cluster)
    entry.add_unsigned("year", made.year)
    entry.add_float("weight", 2 ** worth.popularity(len(made.library)) - 2)  # tantivy multiplies by log2(2 + weight)
    entry.add_unsigned("changed", made.changed)
    entry.add_text("order", made.order)
    entry.add_text("by", made.by)  # also where there is none: the engine sorts absent values differently by segment
    entry.add_text("kind", made.kind)
    for name in (*TEXTS, *VALUES, "library", "language", "letter"):
        for value in getattr(made, name):
            entry.add_text(name, value)
    return entry


def _place(searcher: tantivy.Searcher, fields: tantivy.Schema) -> tuple[int, int]:
    """Epoch and seq that an index has reached."""
    found = searcher.search(tantivy.Query.term_query(fields, "id", CURSOR), 1).hits
    if not found:
        return 0, 0
    epoch, seq = str(searcher.doc(found[0][1]).get_first("state")).split()
    return int(epoch), int(seq)


class TantivyWriter:
    """`port.Writer` on a folder. Raises IndexBusy when another process writes there. A context manager."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        self._lock: IO[str] = (home / "writer.lock").open("w")
        try:
            # The kernel gives the lock back however the process ends.
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise IndexBusy(f"Another process writes the search index in {home}; stop it or use its node.") from error
        self._schema = schema()
        self._folder = folders.current(home, SCHEMA)
        self._index: tantivy.Index | None = None
        self._values: lists.Values | None = None
        self._writer: tantivy.IndexWriter | None = None
        if self._folder:
            self._open()

    def _open(self) -> None:
        path = self._home / self._folder
        path.mkdir(exist_ok=True)
        try:
            lists.check(path)
            self._index = tantivy.Index(self._schema, path=str(path), reuse=True)
        except (ValueError, OSError):
            log.warning("the search index in %s is damaged and is made again", path, exc_info=True)
            shutil.rmtree(path)
            path.mkdir()
            self._index = tantivy.Index(self._schema, path=str(path))
        self._values = lists.Values(path)
        self._writer = self._index.writer(HEAP, 1)

    def _engine(self) -> tuple[tantivy.IndexWriter, lists.Values]:
        if self._writer is None:
            self.restart(0)
            self.publish()
        assert self._writer is not None and self._values is not None
        return self._writer, self._values

    def apply(self, published: Sequence[Published]) -> None:
        """See `port.Writer`. Documents are made here, in the caller's thread."""
        engine, values = self._engine()
        for state in published:
            engine.delete_documents_by_term("id", str(state.cluster))
            made = document(state)
            if made is not None:
                engine.add_document(_entry(made))
                values.add(made.listed)

    def commit(self, epoch: int, seq: int) -> None:
        """See `port.Writer`."""
        engine, values = self._engine()
        values.commit()
        engine.delete_documents_by_term("id", CURSOR)
        place = tantivy.Document()
        place.add_text("id", CURSOR)
        place.add_text("state", f"{epoch} {seq}")
        engine.add_document(place)
        engine.commit()

    def cursor(self) -> tuple[int, int]:
        """See `port.Writer`."""
        if self._index is None:
            return 0, 0
        self._index.reload()
        return _place(self._index.searcher(), self._schema)

    def restart(self, epoch: int) -> None:
        """See `port.Writer`. A build of the same epoch that was cut short goes on."""
        self._release()
        self._folder = f"v{SCHEMA}-{epoch}"
        self._open()

    def publish(self) -> None:
        """See `port.Writer`. Removes what no reader will open again."""
        folders.publish(self._home, self._folder, SCHEMA)

    def _release(self) -> None:
        if self._writer is not None:
            self._writer.rollback()
            self._writer.wait_merging_threads()
        if self._values is not None:
            self._values.close()
        self._writer = self._index = self._values = None

    def close(self) -> None:
        """Forget what was not committed and let others write."""
        self._release()
        self._lock.close()

    def __enter__(self) -> TantivyWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class TantivyReader:
    """`port.Reader` on a folder; follows commits and new indexes by itself. Safe in several threads."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._current = str(home / "current")
        self._schema = schema()
        self._asker = Asker(self._schema)
        self._open: tuple[float, tantivy.Searcher] | None = None  # when by a clock that never goes back
        self._named = -1
        self._folder = ""
        self._index: tantivy.Index | None = None
        self._counted: dict[object, Facets] = {}
        self._orders: dict[object, array[int]] = {}

    def search(self, request: Request) -> Result:
        """See `port.Reader`. Without a text the newest come first."""
        searcher = self._searcher()
        parsed, asked = self._query(request)
        total, numbers, values = self._page(searcher, parsed, asked, request)
        scores = values if _by_score(parsed, request) else itertools.repeat(0.0, len(numbers))
        place = _place(searcher, self._schema)
        return Result(
            total=total,
            hits=tuple([Hit(cluster=number, score=score) for number, score in zip(numbers, scores, strict=True)]),
            facets=self._facets(searcher, asked, request, place) if request.facets else {},
            seq=place[1],
        )

    def numbers(self, request: Request) -> tuple[int, tuple[int, ...]]:
        """See `port.Reader`."""
        parsed, asked = self._query(request)
        total, numbers, _ = self._page(self._searcher(), parsed, asked, request)
        return total, tuple(numbers)

    def _query(self, request: Request) -> tuple[tree.Query, tantivy.Query]:
        parsed = request.compiled or query.parse(request.text, request.field)
        try:
            return parsed, self._asker.whole(parsed, request)
        except ValueError as error:
            raise _unanswerable(error) from error

    def _page(
        self, searcher: tantivy.Searcher, parsed: tree.Query, asked: tantivy.Query, request: Request
    ) -> tuple[int, Sequence[int], Sequence[Any]]:
        """How many fit, the clusters of a page, and the values by which they are in this order."""
        limit = max(request.limit, 1)  # the engine wants one
        try:
            if len(request.keys) > 1:
                order = self._order(searcher, asked, request)
                part = order[request.offset : request.offset + request.limit]
                return len(order), part, part
            if _by_score(parsed, request):
                found = searcher.search(asked, limit, True, None, request.offset, weight_by_field="weight")
            else:
                usual = Key("title") if request.sort == "title" else Key("year", descending=True)
                found = sorting.by(searcher, asked, request.keys[0] if request.keys else usual, limit, request.offset)
        except ValueError as error:
            raise _unanswerable(error) from error
        page = found.hits[: request.limit]
        numbers = sorting.clusters(searcher, [at for _, at in page])
        return sorting.total(found), numbers, [value for value, _ in page]

    def _order(self, searcher: tantivy.Searcher, asked: tantivy.Query, request: Request) -> array[int]:
        """All clusters by several keys; the next page of the same result does not sort again."""
        key = (*_asked(request, _place(searcher, self._schema)), request.keys)
        order = self._orders.get(key)
        if order is None:
            order = sorting.whole(searcher, asked, request.keys)
            if len(self._orders) >= ORDERS:
                self._orders.clear()
            self._orders[key] = order
        return order

    def scan(
        self, index: str, text: str, *, before: int, count: int, libraries: frozenset[str] | None = None
    ) -> Stretch:
        """See `port.Reader`."""
        searcher = self._searcher()

        def titles(key: str) -> int:
            return sorting.count(searcher, self._asker.listed(index, key, libraries))

        try:
            return lists.stretch(self._home / self._folder, index, text, before, count, titles)
        except sqlite3.Error as error:
            raise NotBuilt("The ordered lists of the search index are damaged; they are made again.") from error

    def place(self) -> tuple[int, int]:
        """See `port.Reader`."""
        return _place(self._searcher(), self._schema)

    def reload(self) -> None:
        """See the last commit at once (else within a second). Raises NotBuilt."""
        self._open = None
        self._searcher()
        if self._index is not None:
            self._index.reload()
        self._open = None

    def _searcher(self) -> tantivy.Searcher:
        """The index as it is, or was a moment ago. Between two searches the files of that state stay open."""
        now, known = time.monotonic(), self._open
        if known is not None and now - known[0] < FRESH:
            return known[1]
        found = self._opened()
        self._open = now, found
        return found

    def _opened(self) -> tantivy.Searcher:
        try:
            named = os.stat(self._current).st_mtime_ns
        except FileNotFoundError as error:
            raise NotBuilt("There is no search index yet; it is made while the node runs.") from error
        if self._index is None or named != self._named:
            folder = folders.current(self._home, SCHEMA)
            if not folder:
                raise NotBuilt("The search index is being made again after an upgrade; try again later.")
            try:
                index = tantivy.Index.open(str(self._home / folder))
            except (ValueError, OSError) as error:
                raise NotBuilt("The search index is damaged; it is made again while the node runs.") from error
            index.config_reader(reload_policy="commit")
            self._index, self._named, self._folder = index, named, folder
        return self._index.searcher()

    def _facets(
        self, searcher: tantivy.Searcher, asked: tantivy.Query, request: Request, place: tuple[int, int]
    ) -> Facets:
        """Counts of a request's facets; the next page of the same result does not count again."""
        key = (*_asked(request, place), request.facets)
        counted = self._counted.get(key)
        if counted is None:
            counted = _count(searcher, asked, request.facets)
            if len(self._counted) >= REMEMBERED:
                self._counted.clear()
            self._counted[key] = counted
        return counted


def _by_score(parsed: tree.Query, request: Request) -> bool:
    return request.sort == "relevance" and not request.keys and bool(parsed.wanted)


def _unanswerable(error: ValueError) -> Exception:
    """What the engine says of patterns that are too much for it, in our words; what is our fault stays as it is."""
    if "max expansions" in str(error):
        return Unanswerable("short", "", "Too many words begin so; write more letters of the word.")
    if "exceeds size limit" in str(error):
        return Unanswerable("masks", "", "Too many signs of a word are left open.")
    return error


def _asked(request: Request, place: tuple[int, int]) -> tuple[object, ...]:
    """What a result depends on, whichever page it is."""
    filters = tuple(sorted(request.filters.items()))
    return place, request.compiled or (request.text, request.field), filters, request.libraries


def _count(searcher: tantivy.Searcher, asked: tantivy.Query, names: Sequence[str]) -> Facets:
    """Counts of the values of each facet, exact because every segment reports all values."""
    sizes = {"size": MOST_FACET_VALUES, "segment_size": ALL_FACET_VALUES}
    wanted = {name: {"terms": {"field": FACET_FIELDS[name], **sizes}} for name in FACETS if name in names}
    counted: dict[str, Any] = searcher.aggregate(asked, wanted) if wanted else {}
    facets = {}
    for name in wanted:
        counts = [(_value(bucket["key"]), int(bucket["doc_count"])) for bucket in counted[name]["buckets"]]
        facets[name] = tuple(sorted((found for found in counts if found[0]), key=lambda found: (-found[1], found[0])))
    return facets


def _value(key: object) -> str:
    """A facet's value as text; '' for the year 0, which is none."""
    if isinstance(key, float | int):
        return str(int(key)) if key else ""
    return str(key)
