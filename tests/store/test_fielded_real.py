"""Real records in an index: what each says of itself finds it, whichever way it is asked, and is in its list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog import packing
from catalog.model import Cluster, Format, Published
from catalog.search import fielded, headings
from catalog.search.fold import has_cjk, squeeze, words
from catalog.search.port import MOST_LISTED, Request
from catalog.search.tantivy import TantivyReader, TantivyWriter
from dms.describe import describe
from protocols import detect, dialect, marc, reading
from protocols.cql import parser, writer
from protocols.query import LONGEST_TERM, And, Node, Term, Unanswerable
from protocols.z3950 import rpn
from tests import data

FILES = (
    "dedup/domain-pairs/pairs.ndjson",
    "marc-conformance/indexdata__yaz/marccol1.u8.marc",
    "unimarc-cnmarc/skeeper75__kormarc.man/kormarc_100.xml",
    "unimarc-cnmarc/DigitalPlatform__dp2/bnu_cnmarc_utf8.iso",
    "unimarc-cnmarc/pkiraly__qa-catalogue/serial.bnr.1993.mrc",
    "marc21-bib/carpentries-incubator__pymarc_basics/NLNZ_1000_example_marc.marc",
    "marc21-bib/evergreen-library-system__Evergreen/jazz_1k.mrc",
    "marc21-bib/evergreen-library-system__Evergreen/hebrew.marc",
)
MOST = 80  # records of a file


def records() -> Iterator[tuple[marc.Record, Format]]:
    for name in FILES:
        body = data.path(name).read_bytes()
        for each in reading.read(body, detect.carrier_of(body) or "").reads[:MOST]:
            yield each.record, Format.MARC21 if dialect.family(each.record) == dialect.MARC21 else Format.CNMARC


@pytest.fixture(scope="module")
def states() -> list[Published]:
    return [
        Published(
            cluster=Cluster(number),
            id=f"CN-T.{number:06}",
            seq=number,
            at=datetime(2026, 5, 1, tzinfo=UTC),
            deleted=False,
            format=fmt,
            body=packing.pack(record),
            description=describe(record, fmt),
            libraries=("CN-T",),
        )
        for number, (record, fmt) in enumerate(records(), 1)
    ]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, states: list[Published]) -> Iterator[TantivyReader]:
    home: Path = tmp_path_factory.mktemp("index")
    with TantivyWriter(home) as keeper:
        keeper.apply(states)
        keeper.commit(1, len(states))
    yield TantivyReader(home)


def finds(reader: TantivyReader, asked: Node, cluster: int) -> bool:
    """Whether the cluster is found; the number narrows the result so that it is on the first page."""
    narrowed = And(Term(index="control", text=f"CN-T.{cluster:06}"), asked)
    return [hit.cluster for hit in reader.search(Request(compiled=fielded.compiled(narrowed), facets=())).hits] == [
        cluster
    ]


def said(state: Published) -> Iterator[Term]:
    """What a record says of itself, asked in every way that must find it."""
    description = state.description
    assert description is not None
    values = [
        *(("title", text) for text in (description.title, *description.parallel)),
        *(("author", text) for text in description.authors),
        *(("subject", text) for text in description.subjects),
        *(("series", text) for text in description.series),
        ("publisher", description.publisher),
        ("place", description.place),
    ]
    for index, text in values[:40]:
        if not words(text) or len(text) > 200:
            continue
        for structure in ("phrase", "all", "some", "exact"):
            yield Term(index=index, text=text, structure=structure)  # type: ignore[arg-type]
        yield Term(index=index, text=text, completeness="whole")  # type: ignore[arg-type]
        yield Term(index=index, text=text, position="first")  # type: ignore[arg-type]
        begun = " ".join(words(text)[:3])
        yield Term(index=index, text=begun, position="first", truncation="right")  # type: ignore[arg-type]
        yield Term(index=index, text=begun, structure="phrase", truncation="right")  # type: ignore[arg-type]
        yield Term(index="any", text=text, structure="phrase")
    for isbn in description.isbns:
        yield Term(index="isbn", text=isbn)
        yield Term(index="number", text=isbn[:10], truncation="right")
    for number in description.classification:
        if squeeze(number):
            yield Term(index="class", text=number)
    for language in description.languages:
        yield Term(index="language", text=language)
    if 0 < description.year < 10_000:
        yield Term(index="year", text=str(description.year), structure="exact")
        yield Term(index="year", text=str(description.year), relation="<=")
    yield Term(index="kind", text=description.kind)
    yield Term(index="changed", text="2026-05-01", relation=">=")
    own = packing.unpack(state.body).first("001") or ""
    if squeeze(own):
        yield Term(index="control", text=own)


def test_whatever_a_record_says_finds_it(reader: TantivyReader, states: list[Published]) -> None:
    asked = 0
    missed: list[tuple[Term, str]] = []
    for state in states:
        for term in said(state):
            asked += 1
            try:
                if not finds(reader, term, state.cluster):
                    missed.append((term, state.id))
            except Unanswerable as told:
                if told.why not in ("short", "term"):
                    missed.append((term, f"{told.why}: {told}"))
    assert asked > 20 * len(states)
    assert not missed, (len(missed), missed[:20])


def test_what_is_asked_of_real_records_survives_both_languages(states: list[Published]) -> None:
    for state in states[::7]:
        for term in said(state):
            assert rpn.read(rpn.write(term, str.encode), bytes.decode) == term
            if len(term.text) <= LONGEST_TERM and not (term.truncation == "right" and " " in term.text):
                assert parser.read(writer.text(term)) == term


def test_every_title_and_author_is_in_its_list(reader: TantivyReader, states: list[Published]) -> None:
    listed: dict[str, set[str]] = {}
    for index in ("title", "author", "subject", "class", "isbn", "publisher", "year"):
        keys: list[str] = []
        start = "0" if index == "year" else " "
        while True:
            stretch = reader.scan(index, start, before=0, count=MOST_LISTED)
            fresh = [one for one in stretch.values if headings.key(index, one.text) not in keys[-MOST_LISTED:]]
            keys += [headings.key(index, one.text) for one in fresh]
            if stretch.end or not fresh:
                break
            start = fresh[-1].text
        listed[index] = set(keys)
    for state in states:
        description = state.description
        assert description is not None
        for index, text in (*headings.of(description), *headings.listed(description)):
            if index in listed and (key := headings.key(index, text)):
                assert key in listed[index], (index, text)


def test_lists_of_chinese_titles_are_in_the_order_of_pinyin(reader: TantivyReader, states: list[Published]) -> None:
    chinese = next(
        state.description.title for state in states if state.description and has_cjk(state.description.title)
    )
    values = reader.scan("title", chinese, before=10, count=40).values
    orders = [headings.order("title", one.text) for one in values]
    assert len(values) == 40 and orders == sorted(orders)
    assert all(one.count >= 1 for one in values)
