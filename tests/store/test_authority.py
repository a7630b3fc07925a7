"""Authority records are kept, found by heading and variant, and shown nowhere else."""

from __future__ import annotations

import pytest

from catalog import authority, heading, sources
from catalog.authority import Authority
from catalog.database.pool import Database
from catalog.naming import Naming
from catalog.search.port import BadQuery
from dms import resharing
from protocols import stream
from protocols.marc import Record, field
from tests import builders, data
from tests.pipeline import Catalogue

LEADER = "00000nz  a2200000n  4500"
CNMARC_LEADER = "00000nx  a2200000   45  "


@pytest.fixture
async def catalogue(database: Database) -> Catalogue:
    return await Catalogue(database).open()


def an_authority(number: str, *fields: tuple[str, str], leader: str = LEADER) -> Record:
    texts = [(tag, field(text[:2], [(part[0], part[1:]) for part in text[2:].split("$")[1:]])) for tag, text in fields]
    return Record(leader, (("001", number), ("008", "960101|| anannbabn          |a ana      "), *texts))


LU_XUN = an_authority(
    "a1",
    ("024", "7 $a0000000121441970$2isni"),
    ("035", "  $a(DLC)n  79021164"),
    ("100", "1 $a魯迅,$d1881-1936"),
    ("400", "1 $a周树人,$d1881-1936"),
    ("400", "1 $wnna$aLu, Hsün"),
    ("500", "1 $iSpouse:$a许广平$4 x"),
)
DICKENS = an_authority("a2", ("100", "1 $aDickens, Charles,$d1812-1870"), ("400", "1 $aBoz"))
TALE = an_authority("a3", ("100", "1 $aDickens, Charles,$d1812-1870.$tTale of two cities"))
HISTORY = an_authority("a4", ("150", "  $aHistory$xMethodology$vDickens"), ("550", "  $wg$aHumanities"))


async def found(catalogue: Catalogue, text: str, **how: int | None) -> list[str]:
    async with catalogue.database.connection() as conn:
        _, rows = await authority.find(conn, heading.asked(text), **how)  # type: ignore[arg-type]
    return [row.local_id for row in rows]


async def give(catalogue: Catalogue, *records: Record, mode: str = "changes") -> int:
    load = await catalogue.give("auth", builders.iso2709(*records), mode=mode)
    return load.load


@pytest.mark.parametrize(
    "text",
    ["鲁迅", "魯迅", "周樹人", "树人", "lu xun", "LUXUN", "lx", "Hsün Lu", "hsun", "n79021164", "0000000121441970"],
)
async def test_an_authority_is_found_by_all_that_names_it(catalogue: Catalogue, text: str) -> None:
    await give(catalogue, LU_XUN, DICKENS)
    assert await found(catalogue, text) == ["a1"]


async def test_what_is_told_of_an_authority(catalogue: Catalogue) -> None:
    await give(catalogue, LU_XUN)
    async with catalogue.database.connection() as conn:
        total, rows = await authority.find(conn, heading.asked("鲁迅"))
    assert total == 1
    assert rows[0] == Authority(
        source="auth",
        local_id="a1",
        library="LIB",
        kind=Naming.PERSON,
        heading="魯迅, 1881-1936",
        variants=("周树人, 1881-1936", "Lu, Hsün"),
        related=("许广平",),
        identifiers=("a1", "0000000121441970", "(DLC)n  79021164"),
    )


async def test_the_best_match_comes_first(catalogue: Catalogue) -> None:
    await give(catalogue, HISTORY, TALE, DICKENS, an_authority("a5", ("100", "1 $aBoz")))
    assert await found(catalogue, "Dickens, Charles, 1812-1870") == ["a2", "a3"]
    assert await found(catalogue, "boz") == ["a5", "a2"]  # a heading before a variant
    assert await found(catalogue, "dick") == ["a2", "a3", "a4"]  # its beginning before a word in it
    assert await found(catalogue, "dickens", kind=Naming.TITLE) == ["a3"]
    assert await found(catalogue, "dickens", offset=1, limit=1) == ["a3"]
    assert await found(catalogue, "humanities") == ["a4"]
    assert await found(catalogue, "cities dickens") == ["a3"]
    assert await found(catalogue, "迅") == []


async def test_no_phrase_reaches_from_one_name_into_the_next(catalogue: Catalogue) -> None:
    await give(catalogue, an_authority("a1", ("150", "  $a中国"), ("450", "  $a国家"), ("450", "  $a文学")))
    assert await found(catalogue, "国家") == ["a1"]
    assert await found(catalogue, "国文") == []
    assert await found(catalogue, "家文") == []


async def test_unimarc_authorities_have_their_headings_in_block_two(catalogue: Catalogue) -> None:
    record = Record(
        CNMARC_LEADER,
        (
            ("001", "c1"),
            ("100", field("  ", [("a", "20010101achiy0110    ea")])),
            ("152", field("  ", [("a", "CALIS")])),
            ("200", field(" 0", [("a", "鲁迅"), ("A", "lu xun"), ("f", "1881-1936")])),
            ("400", field(" 0", [("a", "周树人")])),
            ("500", field(" 0", [("a", "周作人")])),
        ),
    )
    await give(catalogue, record)
    async with catalogue.database.connection() as conn:
        _, (row,) = await authority.find(conn, heading.asked("luxun"))
    assert (row.kind, row.heading, row.variants, row.related) == (
        Naming.PERSON, "鲁迅, 1881-1936", ("周树人",), ("周作人",),
    )  # fmt: skip


async def test_a_new_version_replaces_what_was_told(catalogue: Catalogue) -> None:
    first = await give(catalogue, DICKENS)
    again = await give(catalogue, an_authority("a2", ("100", "1 $aDickens, C."), ("400", "1 $aSparks, Timothy")))
    assert (await found(catalogue, "boz"), await found(catalogue, "sparks")) == ([], ["a2"])
    await catalogue.undo(again)
    assert (await found(catalogue, "boz"), await found(catalogue, "sparks")) == (["a2"], [])
    await catalogue.undo(first)
    assert await found(catalogue, "dickens") == []


async def test_a_deleted_authority_is_gone(catalogue: Catalogue) -> None:
    await give(catalogue, DICKENS, HISTORY)
    await give(catalogue, Record("00000dz  a2200000n  4500", DICKENS.fields))
    assert await found(catalogue, "dickens") == ["a4"]
    await give(catalogue, DICKENS, mode="full")
    assert await found(catalogue, "history") == []


async def test_what_is_not_shared_is_not_found(catalogue: Catalogue) -> None:
    await give(catalogue, DICKENS)
    source = await catalogue.source("auth")
    async with catalogue.database.transaction() as conn:
        await sources.share(conn, source.no, {"level": "nothing"})
        await resharing.share_next(conn)
    assert await found(catalogue, "dickens") == []


async def test_a_record_that_becomes_a_bibliographic_one_is_no_authority_any_more(catalogue: Catalogue) -> None:
    await give(catalogue, DICKENS)
    await give(catalogue, builders.a_marc21(local_id="a2", title="Dickens"))
    assert await found(catalogue, "dickens") == []


async def test_authorities_are_in_no_cluster(catalogue: Catalogue) -> None:
    await give(catalogue, LU_XUN, DICKENS)
    async with catalogue.database.connection() as conn:
        assert await conn.fetchval("select count(*) from merged") == 0


async def test_whole_files_of_authorities_are_found(catalogue: Catalogue) -> None:
    wanted = {
        "evergreen-library-system__Evergreen/auth-1066.mrc": (1066, "Mao Erdong", "Hungarians"),
        "evergreen-library-system__Evergreen/auth-subset100.mrc": (17, "Maloy, Eileen", "Arnoldson"),
        "indexdata__idzebra/collection-namemrc.xml": (20, "", ""),
        "indexdata__idzebra/collection-subjmrc.xml": (20, "", ""),
        "indexdata__idzebra/collection-clasmrc.xml": (20, "HF1", "Middle class"),
        "pkiraly__qa-catalogue/authority.sample.xml": (10, "", ""),
    }
    there = 0
    for n, (name, (records, *texts)) in enumerate(wanted.items()):
        with stream.open_input(str(data.path(f"authority/{name}"))) as opened:
            load = await catalogue.give(f"auth-{n}", opened.read())
        assert load.added == records, load.counts
        async with catalogue.database.connection() as conn:
            assert await authority.count(conn) == (there := there + records)
        for text in filter(None, texts):
            assert await found(catalogue, text), (name, text)
    async with catalogue.database.connection() as conn:
        rows = await conn.fetch("select heading, variants from authority where cardinality(variants) > 0")
    for row in rows[::20]:
        assert await found(catalogue, row["heading"]), row
        assert await found(catalogue, row["variants"][0]), row


def test_a_question_without_letters_is_refused() -> None:
    with pytest.raises(BadQuery):
        heading.asked("?!")
