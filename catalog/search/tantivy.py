"""The index, kept by tantivy: the only file that knows the engine.

A home holds one folder an index, named by schema and epoch, and the file `current` that names the one in use; a new
index is built aside and then named. The place in the change feed is a document of its own, replaced in the commit that
reaches it, so index and place can't differ. Ids are texts: deleting by an unsigned term deletes nothing (tantivy 0.27).
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import tantivy

from catalog.model import Published
from catalog.search import folders, query, tree, worth
from catalog.search.document import Document, document, notation
from catalog.search.grams import Phrase
from catalog.search.port import FACETS, Hit, IndexBusy, NotBuilt, Request, Result

log = logging.getLogger(__name__)

SCHEMA = 1  # rises with every change of fields, tokens or folding: then the index is made again
HEAP = 64_000_000  # bytes of documents before a segment is written
REMEMBERED = 256  # counts of facets, for paging
MOST_FACET_VALUES = 200  # returned, the commonest
ALL_FACET_VALUES = 65_000  # counted in each segment, so that counts are exact
FEW = 100  # values of a filter that are looked up one by one
CURSOR = "cursor"  # id of the document that holds the place in the feed

TEXTS = ("title", "part", "series", "author", "subject", "imprint", "notes", "title_sound", "author_sound")
VALUES = ("exact", "spelled", "number", "notation")
FACET_FIELDS = {"library": "library", "language": "language", "kind": "kind", "class": "letter", "year": "year"}

_SYNTAX = re.compile(r"[\\.+*?()|\[\]{}^$#&\-~]")  # signs that the engine's patterns give a meaning

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
    builder.add_text_field("order", fast=True, tokenizer_name="raw", index_option="basic")
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
    entry.add_text("order", made.order)
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
        self._writer: tantivy.IndexWriter | None = None
        if self._folder:
            self._open()

    def _open(self) -> None:
        path = self._home / self._folder
        path.mkdir(exist_ok=True)
        try:
            self._index = tantivy.Index(self._schema, path=str(path), reuse=True)
        except (ValueError, OSError):
            log.warning("the search index in %s is damaged and is made again", path, exc_info=True)
            shutil.rmtree(path)
            path.mkdir()
            self._index = tantivy.Index(self._schema, path=str(path))
        self._writer = self._index.writer(HEAP, 1)

    def _engine(self) -> tantivy.IndexWriter:
        if self._writer is None:
            self.restart(0)
            self.publish()
        assert self._writer is not None
        return self._writer

    def apply(self, published: Sequence[Published]) -> None:
        """See `port.Writer`. Documents are made here, in the caller's thread."""
        engine = self._engine()
        for state in published:
            engine.delete_documents_by_term("id", str(state.cluster))
            made = document(state)
            if made is not None:
                engine.add_document(_entry(made))

    def commit(self, epoch: int, seq: int) -> None:
        """See `port.Writer`."""
        engine = self._engine()
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
        self._writer = self._index = None

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
        self._schema = schema()
        self._named = -1.0
        self._index: tantivy.Index | None = None
        self._counted: dict[object, Facets] = {}

    def search(self, request: Request) -> Result:
        """See `port.Reader`. Without a text the newest come first."""
        searcher = self._searcher()
        parsed = query.parse(request.text, request.field)
        asked = Asker(self._schema).whole(parsed, request)
        by_score = request.sort == "relevance" and bool(parsed.wanted)
        limit = max(request.limit, 1)  # the engine wants one
        if by_score:
            found = searcher.search(asked, limit, True, None, request.offset, weight_by_field="weight")
        elif request.sort == "title":
            found = searcher.search(asked, limit, True, "order", request.offset, tantivy.Order.Asc)
        else:
            found = searcher.search(asked, limit, True, "year", request.offset)
        page = found.hits[: request.limit]
        clusters = searcher.fast_field_values("cluster", [address for _, address in page]) if page else []
        place = _place(searcher, self._schema)
        return Result(
            total=int(found.count),  # type: ignore[attr-defined]  # its stub lacks it
            hits=tuple(
                Hit(cluster=int(cluster or 0), score=float(score) if by_score else 0.0)
                for cluster, (score, _) in zip(clusters, page, strict=True)
            ),
            facets=self._facets(searcher, asked, request, place),
            seq=place[1],
        )

    def place(self) -> tuple[int, int]:
        """Epoch and seq that readers see. Raises NotBuilt."""
        return _place(self._searcher(), self._schema)

    def reload(self) -> None:
        """See the last commit at once (else within a second). Raises NotBuilt."""
        self._searcher()
        if self._index is not None:
            self._index.reload()

    def _searcher(self) -> tantivy.Searcher:
        try:
            named = os.stat(self._home / "current").st_mtime_ns
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
            self._index, self._named = index, named
        return self._index.searcher()

    def _facets(
        self, searcher: tantivy.Searcher, asked: tantivy.Query, request: Request, place: tuple[int, int]
    ) -> Facets:
        """Counts of a request's facets; the next page of the same result does not count again."""
        filters = tuple(sorted(request.filters.items()))
        key = (place, request.text, request.field, filters, request.libraries, request.facets)
        counted = self._counted.get(key)
        if counted is None:
            counted = _count(searcher, asked, request.facets)
            if len(self._counted) >= REMEMBERED:
                self._counted.clear()
            self._counted[key] = counted
        return counted


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


class Asker:
    """Turns trees into engine queries."""

    def __init__(self, fields: tantivy.Schema) -> None:
        self._schema = fields

    def whole(self, parsed: tree.Query, request: Request) -> tantivy.Query:
        """The query of a request: what must fit, what must not, and what ranks."""
        must, may, never = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Occur.MustNot
        parts = [(must, self.node(node)) for node in parsed.wanted]
        parts += [(never, self.node(node)) for node in parsed.unwanted]
        parts += [(must, self._worth(filtered, 0.0)) for filtered in self._filters(request)]
        if not parsed.wanted:
            parts.append((must, self._worth(self._term("what", "cluster"), 1.0)))
        if parsed.whole:
            parts.append((may, self._worth(self._term("exact", parsed.whole), worth.WHOLE)))
        if len(parsed.piece) > 1 and len(parsed.wanted) > 1:
            parts.append((may, self._worth(self._piece("title", parsed.piece), worth.PIECE)))
        return tantivy.Query.boolean_query(parts)

    def node(self, node: tree.Node) -> tantivy.Query:
        """The query of one node."""
        match node:
            case tree.Text():
                return self._text(node)
            case tree.Sound():
                names = worth.SOUNDS.get(node.field, ())
                found = [self._piece(name, tuple(enumerate(way))) for name in names for way in node.ways]
                return self._worth(self._any(found), worth.SOUND)
            case tree.Spelled():
                return self._worth(self._term("spelled", node.letters), worth.SPELLED)
            case tree.Number():
                return self._worth(tantivy.Query.term_set_query(self._schema, "number", list(node.values)), worth.WHOLE)
            case tree.Stem():
                return self._stem(node)
            case tree.Year():
                return self._years(node.first, node.last)
            case tree.All():
                must = tantivy.Occur.Must
                return tantivy.Query.boolean_query([(must, self.node(part)) for part in node.parts])
            case tree.Either():
                return self._any([self.node(part) for part in node.parts])

    def _text(self, node: tree.Text) -> tantivy.Query:
        """A piece of text in any of its fields, each worth what it is worth."""
        if not node.tokens:
            return tantivy.Query.empty_query()
        found = []
        for name in worth.SEARCHED[node.field]:
            piece = self._piece(name, node.tokens)
            found.append(self._worth(piece, worth.FIELDS[name]))
            if name == "title":
                found.append(tantivy.Query.boost_query(piece, worth.ENGINE))
        return self._any(found)

    def _stem(self, node: tree.Stem) -> tantivy.Query:
        pattern = _SYNTAX.sub(r"\\\g<0>", node.stem) + ".*"
        if node.field == "class":
            return self._worth(tantivy.Query.regex_query(self._schema, "notation", pattern), worth.FIELDS["subject"])
        found = [
            self._worth(tantivy.Query.regex_query(self._schema, name, pattern), worth.FIELDS[name])
            for name in worth.SEARCHED[node.field]
        ]
        return self._any(found)

    def _filters(self, request: Request) -> list[tantivy.Query]:
        found = []
        for name, values in request.filters.items():
            if name == "year":
                found.append(self._any([self._years(*query.years(value)) for value in values]))
            elif name == "class":
                stems = (tree.Stem(field="class", stem=notation(value)) for value in values)
                found.append(self._any([self._stem(stem) for stem in stems]))
            else:
                found.append(self._among(FACET_FIELDS[name], values))
        if request.libraries is not None:
            found.append(self._among("library", sorted(request.libraries)))
        return found

    def _among(self, name: str, values: Sequence[str]) -> tantivy.Query:
        """Any of these values. For a set the engine walks its list of terms, which takes longer than a few look-ups."""
        if 0 < len(values) <= FEW:
            return self._any([self._term(name, value) for value in values])
        return tantivy.Query.term_set_query(self._schema, name, list(values))

    def _years(self, first: int, last: int) -> tantivy.Query:
        return tantivy.Query.range_query(self._schema, "year", tantivy.FieldType.Unsigned, first, last)

    def _term(self, name: str, value: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, name, value)

    def _piece(self, name: str, tokens: Phrase) -> tantivy.Query:
        if len(tokens) == 1:
            return self._term(name, tokens[0][1])
        return tantivy.Query.phrase_query(self._schema, name, list(tokens))

    @staticmethod
    def _any(found: list[tantivy.Query]) -> tantivy.Query:
        if len(found) == 1:
            return found[0]
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, one) for one in found])

    @staticmethod
    def _worth(found: tantivy.Query, worth: float) -> tantivy.Query:
        return tantivy.Query.const_score_query(found, worth)
