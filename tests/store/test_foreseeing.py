"""What is foreseen of a record is what becomes of it."""

from __future__ import annotations

from pathlib import Path

from bench.generator import corpus
from catalog import clusters, records, sources
from catalog.database.pool import Database
from dms import foreseeing, formats
from dms.foreseeing import Foreseen
from protocols import reading, stream
from tests import builders
from tests.pipeline import Catalogue


def _raws(path: Path) -> list[bytes]:
    data = b"".join(each.data for each in stream.stretches(stream.open_input(str(path)), "iso2709"))
    return [part.lstrip() + b"\x1d" for part in data.split(b"\x1d")[:-1]]


def _corpus(folder: Path) -> list[Path]:
    corpus.generate(folder, count=240, seed=7, libraries=2)
    return sorted([*folder.glob("*.iso"), *folder.glob("*.mrc")])


async def _foreseen(catalogue: Catalogue, raw: bytes, instead: int | None = None) -> Foreseen:
    (read,) = reading.read(raw, "iso2709").reads
    fmt = formats.format_of(read.record, "auto")
    async with catalogue.database.connection() as conn:
        return await foreseeing.foresee(conn, formats.facts(read.record, fmt), instead)


async def _signature(catalogue: Catalogue, source: str, raw: bytes) -> int:
    (read,) = reading.read(raw, "iso2709").reads
    async with catalogue.database.connection() as conn:
        no = (await sources.get(conn, source)).no
        there = (await records.standing(conn, no, [read.record.first("001") or ""])).popitem()[1]
    assert there.sid is not None
    return there.sid


async def _cluster(catalogue: Catalogue, source: str, raw: bytes) -> int:
    sid = await _signature(catalogue, source, raw)
    async with catalogue.database.connection() as conn:
        return (await clusters.membership(conn, [sid]))[sid]


async def test_a_record_goes_where_it_was_foreseen_to_go(database: Database, tmp_path: Path) -> None:
    first, *others = _corpus(tmp_path)
    catalogue = await Catalogue(database).open()
    await catalogue.load("standing", _raws(first))
    named = [raw for path in others for raw in _raws(path) if reading.read(raw, "iso2709").reads[0].record.first("001")]
    joined = alone = 0
    for raw in named[:40]:
        foreseen = await _foreseen(catalogue, raw)
        async with database.connection() as conn:
            before = set((await conn.fetchval("select array_agg(distinct cluster) from membership")) or ())
        await catalogue.load("coming", [raw])
        went = await _cluster(catalogue, "coming", raw)
        assert (went if went in before else None) == foreseen.cluster
        joined += foreseen.cluster is not None
        alone += foreseen.cluster is None
    assert joined > 3, "the corpus has shared titles"
    assert alone > 3, "and titles of one library"


async def test_the_reasons_are_those_of_the_strongest_pair(database: Database) -> None:
    catalogue = await Catalogue(database).open()
    given = {"title": "园冶注释", "isbn": builders.isbn13(501)}
    await catalogue.load("standing", [builders.iso2709(builders.a_cnmarc(local_id="1", **given))])
    other = builders.iso2709(builders.a_cnmarc(local_id="2", **(given | {"title": "园冶注释 : 修订"})))
    foreseen = await _foreseen(catalogue, other)
    assert foreseen.cluster == await _cluster(
        catalogue, "standing", builders.iso2709(builders.a_cnmarc(local_id="1", **given))
    )
    assert foreseen.score == sum(points for _, points in foreseen.reasons) > 0
    nothing = await _foreseen(
        catalogue, builders.iso2709(builders.a_cnmarc(local_id="3", title="植物学大纲", isbn=builders.isbn13(77)))
    )
    assert nothing == Foreseen()


async def test_a_record_that_gives_an_isbn_a_second_title_is_foreseen_to_do_so(database: Database) -> None:
    catalogue = await Catalogue(database).open()
    given = {"author": "王漫步", "isbn": builders.isbn13(502)}
    await catalogue.load("standing", [builders.iso2709(builders.a_cnmarc(title="漫步新书修订", local_id="1", **given))])
    other = builders.iso2709(builders.a_cnmarc(title="漫步新书", local_id="2", **given))
    foreseen = await _foreseen(catalogue, other)
    assert foreseen.cluster is None
    assert len(foreseen.doubtful) == 1, "a person is asked"
    await catalogue.load("coming", [other])
    assert await _cluster(catalogue, "coming", other) not in foreseen.doubtful


async def test_the_title_of_what_is_replaced_counts_no_more(database: Database) -> None:
    catalogue = await Catalogue(database).open()
    given = {"author": "王漫步", "isbn": builders.isbn13(503)}
    before = builders.iso2709(builders.a_cnmarc(title="漫步新书", local_id="1", **given))
    await catalogue.load("standing", [before])
    after = builders.iso2709(builders.a_cnmarc(title="漫步新书修订", local_id="1", **given))
    assert (await _foreseen(catalogue, after)).cluster is None
    foreseen = await _foreseen(catalogue, after, instead=await _signature(catalogue, "standing", before))
    assert foreseen.cluster == await _cluster(catalogue, "standing", before)


async def test_nobody_is_asked_whether_a_record_is_the_one_that_it_replaces(database: Database) -> None:
    catalogue = await Catalogue(database).open()
    before = builders.iso2709(builders.a_cnmarc(title="海河夜话", author="陈水生", isbn="", local_id="1"))
    await catalogue.load("standing", [before])
    after = builders.iso2709(builders.a_cnmarc(title="海河夜话增订", author="陈水生", isbn="", local_id="1"))
    assert len((await _foreseen(catalogue, after)).doubtful) == 1, "of another library a person is asked"
    foreseen = await _foreseen(catalogue, after, instead=await _signature(catalogue, "standing", before))
    assert not foreseen.doubtful
