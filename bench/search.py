"""Searching an index of works made for the purpose: how fast it is built, what it weighs, how long a reader waits.

Titles, names and pieces that are asked for are drawn from works spread over the whole index, so each request has
something to find. Times are of one thread, after a first round that is not counted.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import median

from bench import corpora, measure
from bench.generator.book import Book
from bench.generator.draw import Draw
from bench.generator.maker import Maker
from bench.generator.works import FAMILIES
from bench.options import Options
from bench.report import Report, Row
from catalog.model import Cluster, Description, Published
from catalog.search import fielded
from catalog.search.port import Key, Request
from catalog.search.tantivy import TantivyReader, TantivyWriter
from protocols.query import And, Node, Term

SIZE = 100_000
BATCH = 2_000  # works tokenised at once, as by the indexer
ASKED = 1_000  # requests of a kind
CUT = 50  # requests that walk along a list of words
COUNTED = 20  # requests with facets of a kind
_CHINESE = re.compile("[\u4e00-\u9fff]+")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def run(options: Options) -> Report:
    """Build, weigh, ask."""
    count = options.size or SIZE
    home = Path(tempfile.mkdtemp(prefix="index-", dir=corpora.folder()))
    try:
        kept, cpu, wall = _build(home, count)
        size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
        reader = TantivyReader(home)
        rows = [
            Row(name="index", value=count / cpu, unit="works/cpu-s", goal="≥ 17,000"),
            Row(name="index, committed", value=count / wall, unit="works/s"),
            Row(name="index size", value=size / count, unit="bytes/work"),
            *_asked(reader, kept),
            *_compiled(reader, kept),
            *_listed(reader, kept),
            *_facets(reader),
            Row(name="pieces of Chinese titles found", value=100 * _recall(reader, kept), unit="%", goal="100"),
            Row(name="memory of this process", value=measure.memory(os.getpid()) / (1 << 20), unit="MB"),
        ]
    finally:
        shutil.rmtree(home)
    notes = (
        f"{ASKED:,} requests of a kind without facets, {COUNTED} with; works of one volume and of several, invented",
    )
    return Report(bench="search", size=count, rows=tuple(rows), notes=notes)


def works(count: int) -> Iterator[Published]:
    """Invented works as the change feed gives them."""
    draw = Draw(corpora.SEED)
    maker = Maker(draw)
    books = (book for _ in iter(int, 1) for book in FAMILIES.spin(draw)(maker))
    for number, book in enumerate(islice(books, count), 1):
        libraries = {f"CN-G{1 + draw.below(60):03d}" for _ in range(1 + draw.below(3))}
        yield Published(
            cluster=Cluster(number),
            id=str(number),
            seq=number,
            at=NOW,
            deleted=False,
            description=described(book),
            libraries=tuple(sorted(libraries)),
        )


def described(book: Book) -> Description:
    """What a merged record would say of the book."""
    names = tuple([person.direct.simplified for person in book.authors])
    return Description(
        title=book.title.simplified,
        subtitle=book.subtitle.simplified,
        volume=book.designation,
        responsibility=", ".join(names) + book.role.simplified,
        authors=names,
        edition=book.edition.simplified,
        place=book.publisher.place.simplified,
        publisher=book.publisher.name.simplified,
        date=str(book.year or ""),
        year=book.year,
        series=(book.series.simplified,) if book.series.simplified else (),
        isbns=tuple([isbn.replace("-", "") for isbn in book.isbns]),
        subjects=(book.subject.heading.simplified if book.chinese else book.subject.heading_en,),
        classification=(book.subject.number,),
        languages=(book.language,),
        kind="article" if book.kind == "component" else book.kind,
        summary=book.abstract.simplified,
        pinyin=book.title.pinyin,
    )


def _build(home: Path, count: int) -> tuple[list[Published], float, float]:
    """Index the works; some of them, CPU seconds and seconds of indexing alone."""
    kept: list[Published] = []
    step = max(1, count // ASKED)
    cpu = wall = 0.0
    made = works(count)
    with TantivyWriter(home) as writer:
        writer.restart(1)
        while batch := list(islice(made, BATCH)):
            kept += [work for work in batch if work.seq % step == 0]
            began, clock = time.process_time(), time.perf_counter()
            writer.apply(batch)
            if batch[-1].seq % (BATCH * 10) == 0 or batch[-1].seq == count:
                writer.commit(1, batch[-1].seq)
            cpu += time.process_time() - began
            wall += time.perf_counter() - clock
        writer.publish()
    return kept, cpu, wall


def _asked(reader: TantivyReader, kept: Sequence[Published]) -> Iterator[Row]:
    """Median and 99th percentile of each kind of request."""
    chance = random.Random(corpora.SEED)
    texts: dict[str, Callable[[Description], tuple[str, str]]] = {
        "a whole title": lambda work: (work.title, "any"),
        "two characters or a word of a title": lambda work: (_piece(work.title, 2, chance), "any"),
        "four characters or a word of a title": lambda work: (_piece(work.title, 4, chance), "title"),
        "an author": lambda work: (work.authors[0] if work.authors else work.title, "author"),
        "a title in pinyin": lambda work: (work.pinyin.replace(" ", "") or work.title, "any"),
        "an author and a piece of the title": lambda work: (
            f"{work.authors[0] if work.authors else ''} {_piece(work.title, 2, chance)}",
            "any",
        ),
        "an ISBN": lambda work: (work.isbns[0] if work.isbns else work.title, "isbn" if work.isbns else "any"),
    }
    told = [work.description for work in kept if work.description]
    every: list[float] = []
    for name, ask in texts.items():
        requests = [Request(text=text, field=field, facets=()) for text, field in map(ask, told)]
        taken = _taken(reader, requests)
        every += taken
        yield from _rows(name, taken)
    yield from _rows("all of these", every, "≤ 1", "≤ 15")


def _rows(name: str, taken: Sequence[float], usual: str = "", worst: str = "") -> Iterator[Row]:
    ordered = sorted(taken)
    yield Row(name=f"{name}, p50", value=1000 * median(ordered), unit="ms", goal=usual)
    yield Row(name=f"{name}, p99", value=1000 * ordered[len(ordered) * 99 // 100], unit="ms", goal=worst)


def _taken(reader: TantivyReader, requests: Sequence[Request]) -> list[float]:
    taken = []
    for counted in (False, True):
        for request in requests:
            began = time.perf_counter()
            reader.search(request)
            if counted:
                taken.append(time.perf_counter() - began)
    return taken


def _compiled(reader: TantivyReader, kept: Sequence[Published]) -> Iterator[Row]:
    """The same pieces of titles as readers ask for them and as other programs do, in turn; then what only those ask."""
    chance = random.Random(corpora.SEED)
    pieces = [_piece(work.description.title, 3, chance) for work in kept if work.description]
    readers, programs = [], []
    for piece in pieces:
        readers += _taken(reader, [Request(text=piece, field="title", facets=())])
        programs += _answered(reader, [Term(index="title", text=piece)])
    yield from _rows("pieces of titles, typed", readers)
    yield from _rows("the same, compiled", programs)
    both = [And(Term(index="title", text=piece), Term(index="year", text="1990", relation=">=")) for piece in pieces]
    yield from _rows("a piece of a title from a year on", _answered(reader, both))
    begun = [Term(index="title", text=piece[:2], position="first") for piece in pieces[:CUT]]
    yield from _rows("the beginning of a title", _answered(reader, begun))
    whole = [
        Term(index="title", text=work.description.title, completeness="whole") for work in kept if work.description
    ]
    yield from _rows("a title and nothing else", _answered(reader, whole))
    latin = [piece for piece in pieces if piece.isascii() and len(piece) > 4][:CUT]
    ended = [Term(index="title", text=piece[2:], truncation="left") for piece in latin]
    yield from _rows("the end of a word", _answered(reader, ended or begun))


def _answered(reader: TantivyReader, asked: Sequence[Node]) -> list[float]:
    """Seconds that each takes, made ready for the engine included."""
    taken = []
    for counted in (False, True):
        for one in asked:
            began = time.perf_counter()
            reader.search(Request(compiled=fielded.compiled(one), facets=()))
            if counted:
                taken.append(time.perf_counter() - began)
    return taken


def _listed(reader: TantivyReader, kept: Sequence[Published]) -> Iterator[Row]:
    """Twenty titles around one, with their counts; then orders of a result of which every hit must be looked at."""
    taken = []
    for work in kept:
        began = time.perf_counter()
        reader.scan("title", work.description.title if work.description else "", before=5, count=20)
        taken.append(time.perf_counter() - began)
    yield from _rows("twenty titles of the list", taken)
    everything = fielded.compiled(Term(index="title", text="研究"))
    for name, keys in (("a title", (Key("title"),)), ("author and year", (Key("author"), Key("year")))):
        began = time.perf_counter()
        found = reader.search(Request(compiled=everything, keys=keys, facets=()))
        unit = f"ms ({found.total:,} works)"
        yield Row(name=f"sorted by {name}", value=1000 * (time.perf_counter() - began), unit=unit)


def _facets(reader: TantivyReader) -> Iterator[Row]:
    """All facets of everything, and of a common word: each request a fresh one, since counts are remembered."""
    for name, text in (("everything", ""), ("a common word", "研究")):
        requests = [Request(text=text, filters={"year": (f"-{2100 + n}",)}) for n in range(COUNTED)]
        taken = []
        for request in requests:
            began = time.perf_counter()
            found = reader.search(request)
            taken.append(time.perf_counter() - began)
        unit = f"ms ({found.total:,} works)"
        yield Row(name=f"five facets of {name}", value=1000 * median(taken), unit=unit, goal="≤ 20")


def _recall(reader: TantivyReader, kept: Sequence[Published]) -> float:
    """Of works with a Chinese title, those that a piece of it finds; the ISBN narrows the result to the work."""
    chance = random.Random(corpora.SEED + 1)
    asked = found = 0
    for work in kept:
        of = work.description
        if of is not None and of.isbns and of.pinyin:
            asked += 1
            run = chance.choice(_CHINESE.findall(of.title))
            piece = _piece(run, chance.randint(1, 4), chance)
            request = Request(text=f"{piece} {of.isbns[0]}", facets=())
            found += any(hit.cluster == work.cluster for hit in reader.search(request).hits)
    return found / asked if asked else 1.0


def _piece(title: str, length: int, chance: random.Random) -> str:
    """Neighbouring characters of a Chinese title, a word of another."""
    if " " in title:
        return chance.choice([word for word in title.split() if len(word) > 2] or [title])
    start = chance.randrange(max(1, len(title) - length + 1))
    return title[start : start + length]
