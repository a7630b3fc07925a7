"""Tables in the catalogue: loaded, loaded again, interrupted, with another template, and with rows that come back."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from catalog import bodies, dictionaries, original, quarantine, records
from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import Carrier
from dms.pipeline import Habits, habits_key
from exchange import landing
from protocols import detect
from protocols.marc import Record, value
from protocols.tables import template
from protocols.tables.opening import NoTemplate
from protocols.tables.template import Template
from tests import sheets
from tests.pipeline import Catalogue

HEADER = "题名,责任者,ISBN,出版社,出版年,索书号,条码,捐赠人\n"
ROWS = (
    "红楼梦,曹雪芹著,978-7-02-000220-7,人民文学出版社,1996,I242.4/1,A1,张三\n",
    "活着,余华著,9787506365437,作家出版社,2012,I247.57/2,A2,\n",
    ",没有题名,,,,,A3,\n",
)
OWN = """
name = "own"
title = "own"
format = "cnmarc"
leader = "00000nam0 2200000   450 "
require = ["title"]
rest = "979"
id = ["barcode"]
[columns]
title = ["题名"]
barcode = ["条码"]
[[fields]]
tag = "200"
indicators = "1 "
subfields = { a = { column = "title", after = "!" } }
"""


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    yield await Catalogue(database).open()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "books.csv"
    path.write_text(HEADER + "".join(ROWS), encoding="gb18030")
    return path


def write(path: Path, text: str, encoding: str = "utf-8") -> None:
    path.write_text(text, encoding=encoding)


class Cut(Exception):
    """The landing is cut short."""


async def send(
    catalogue: Catalogue, path: Path, chosen: Template | None = None, *, mode: str = "changes", cut: bool = False
) -> Load:
    """As `tianlu load` does it."""
    source = await catalogue.source("a")
    habits = habits_key(Habits(source=source, carrier="", encoding="auto"))

    def progress(_position: int, _records: int) -> None:
        if cut:
            raise Cut

    with contextlib.ExitStack() as stack:
        inputs = landing.open_inputs(stack, [str(path)], template=chosen, library=source.library)
        how = {"mode": mode, "encoding": "auto"}
        again = await landing.repeat(catalogue.database, source, inputs, **how, habits=habits)
        if again is not None:
            return again
        load = await landing.open_load(catalogue.database, source, inputs, mode=mode, encoding="auto", assured=False)
        with contextlib.suppress(Cut):
            await landing.land(catalogue.database, catalogue.queue, source, load, inputs, progress, habits=habits)
    if not cut:
        await catalogue.settle()
    return await catalogue.again(load.load)


async def kept(catalogue: Catalogue, local_id: str) -> Record:
    source = await catalogue.source("a")
    async with catalogue.database.connection() as conn:
        row = await records.get(conn, source.no, local_id)
        known = await dictionaries.every(conn)
    assert row is not None and row.carrier == Carrier.MARCJSON
    return original.record(bodies.open_body(row.body, row.dictionary, known), row.carrier, row.encoding)


async def test_a_table_becomes_records_with_holdings(catalogue: Catalogue, file: Path) -> None:
    load = await send(catalogue, file)
    assert (load.added, load.unreadable) == (2, 1)
    record = await kept(catalogue, "A1")
    assert value(record.first("969") or "", "b") == "张三"
    async with catalogue.database.connection() as conn:
        held = await conn.fetch("select local_id, call_number, item from holding order by local_id")
        (case,) = await quarantine.listing(conn, source=None, rule=None, limit=9)
    assert [tuple(row) for row in held] == [("A1", "I242.4/1", "A1"), ("A2", "I247.57/2", "A2")]
    assert case["reason"] == "row 4, column 题名: nothing is in it, and no record is without it"


async def test_the_same_table_again_changes_nothing(catalogue: Catalogue, file: Path) -> None:
    first = await send(catalogue, file)
    again = await send(catalogue, file)
    assert again.repeats == first.load
    write(file, HEADER + "".join(reversed(ROWS)), "utf-8-sig")
    other = await send(catalogue, file)
    assert (other.added, other.updated, other.unchanged) == (0, 0, 2)


async def test_rows_of_one_title_are_one_record_with_its_copies(catalogue: Catalogue, file: Path) -> None:
    head = "题名,ISBN,条码,索书号,馆藏地,控制号\n"
    rows = ["红楼梦,,A2,I242.4/1,分馆,N1\n", "活着,,A3,I247.57/2,总馆,N2\n", "红楼梦,,A1,I242.4/1,总馆,N1\n"]
    write(file, head + "".join(rows))
    assert (await send(catalogue, file)).added == 2
    async with catalogue.database.connection() as conn:
        held = await conn.fetch("select local_id, item, location from holding order by item")
        assert await conn.fetch("select * from finding") == []
    assert [tuple(row) for row in held] == [("N1", "A1", "总馆"), ("N1", "A2", "分馆"), ("N2", "A3", "总馆")]
    write(file, head + "\n" + "".join(reversed(rows)), "utf-8-sig")
    again = await send(catalogue, file)
    assert (again.added, again.updated, again.unchanged) == (0, 0, 2)
    write(file, head + "".join(rows[:2]))
    assert (await send(catalogue, file, mode="full")).updated == 1, "a copy went"


async def test_another_day_is_no_change(catalogue: Catalogue, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Tomorrow(datetime.date):
        @classmethod
        def today(cls) -> Tomorrow:
            return cls(2099, 1, 2)

    await send(catalogue, file)
    first = await kept(catalogue, "A1")
    monkeypatch.setattr("datetime.date", Tomorrow)
    write(file, HEADER + "".join(ROWS).replace("2012", "2013"), "gb18030")
    load = await send(catalogue, file)
    assert (load.updated, load.unchanged) == (1, 1)
    assert await kept(catalogue, "A1") == first
    assert value((await kept(catalogue, "A2")).first("100") or "", "a")[:8] == "20990102"
    (own,) = first.all("801")
    assert value(own, "b") == "LIB"


async def test_a_corrected_table_replaces_and_a_shorter_one_deletes(catalogue: Catalogue, file: Path) -> None:
    await send(catalogue, file)
    write(file, HEADER + ROWS[1].replace("2012", "2013"))
    load = await send(catalogue, file, mode="full")
    assert (load.updated, load.deleted) == (1, 1)


async def test_a_corrected_row_is_no_case_any_more(catalogue: Catalogue, file: Path) -> None:
    await send(catalogue, file)
    write(file, HEADER + "".join(ROWS).replace(",没有题名", "补上的题名,没有题名"))
    load = await send(catalogue, file)
    assert (load.added, load.unchanged, load.unreadable) == (1, 2, 0)
    async with catalogue.database.connection() as conn:
        assert await quarantine.listing(conn, source=None, rule=None, limit=9) == []


async def test_another_template_makes_other_records_of_the_same_table(catalogue: Catalogue, file: Path) -> None:
    await send(catalogue, file)
    load = await send(catalogue, file, template.parse(OWN, "own"))
    assert load.repeats is None
    assert load.updated == 2
    assert value((await kept(catalogue, "A1")).first("200") or "", "a") == "红楼梦!"


async def test_a_load_that_was_cut_short_goes_on(catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    write(path, HEADER + "".join(f"书名第{n}种,张三著,,某社,2001,I/{n},B{n},{'注' * 300}\n" for n in range(2500)))
    begun = await send(catalogue, path, cut=True)
    assert begun.landed > 0
    load = await send(catalogue, path)
    assert (load.load, load.added) == (begun.load, 2500)


async def test_a_workbook_is_loaded_like_any_table(catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "books.xls"
    path.write_bytes(sheets.xls("书目", [HEADER.strip().split(","), *(row.strip().split(",") for row in ROWS)]))
    load = await send(catalogue, path)
    assert (load.added, load.unreadable) == (2, 1)
    undone = await catalogue.undo(load.load)
    assert undone.deleted == 2


def test_what_is_a_table_and_what_is_not(tmp_path: Path) -> None:
    path = tmp_path / "any"
    with contextlib.ExitStack() as stack:
        path.write_text("甲,乙\n1,2\n")
        with pytest.raises(NoTemplate, match=r"甲, 乙"):
            landing.open_inputs(stack, [str(path)])
        path.write_text("not a table\n")
        with pytest.raises(detect.UnknownCarrier):
            landing.open_inputs(stack, [str(path)])
        with pytest.raises(NoTemplate):
            landing.open_inputs(stack, [str(path)], "csv")


async def test_a_template_is_a_habit_of_its_source(catalogue: Catalogue) -> None:
    made = await catalogue.source("t", template="books-zh")
    assert made.template == "books-zh"
    assert template.named(made.template).format == "cnmarc"
