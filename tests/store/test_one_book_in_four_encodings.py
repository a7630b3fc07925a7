"""One book from four systems, each in its own MARC and encoding: one cluster, readable, exported byte for byte."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from catalog import bodies, changes, dictionaries, original, packing
from catalog.database.pool import Database
from catalog.model import Format
from protocols import iso2709, reading
from protocols.marc import Record, value
from services.delivery import forms
from services.delivery.forms import Going
from tests import builders
from tests.pipeline import Catalogue

TITLE, AUTHOR, PUBLISHER = "园冶图说校释", "赵农", "山东画报出版社"
ISBN = builders.isbn13(77)


def cnmarc(charset: str, local: tuple[str, str]) -> Record:
    """As CALIS (pinyin in $A, 905) or the National Library (pinyin in $9) write it."""
    pinyin = "A" if local[0] == "905" else "9"
    return Record(
        "00000nam  2200000   450 ",
        (
            ("001", f"{local[0]}77"),
            ("005", "20200315102030.0"),
            ("010", f"  \x1fa{ISBN}\x1fdCNY56.00"),
            ("100", f"  \x1fa20200315d2003    em y0chiy{charset}    ea"),
            ("101", "0 \x1fachi"),
            ("200", f"1 \x1fa{TITLE}\x1f{pinyin}yuan ye tu shuo jiao shi\x1ff{AUTHOR}著"),
            ("210", f"  \x1fa济南\x1fc{PUBLISHER}\x1fd2003"),
            ("215", "  \x1fa321页\x1fd24cm"),
            ("701", f" 0\x1fa{AUTHOR}\x1f{pinyin}zhao nong\x1f4著"),
            local,
        ),
    )


def marc21(number: str, leader09: str) -> Record:
    """Romanized, with the Chinese in 880."""
    return Record(
        f"00000nam {leader09}2200000 a 4500",
        (
            ("001", number),
            ("005", "20200315102030.0"),
            ("008", "200315s2003    cc a          000 0 chi  "),
            ("020", f"  \x1fa{ISBN}"),
            ("100", "1 \x1f6880-01\x1faZhao, Nong."),
            ("245", "10\x1f6880-02\x1faYuan ye tu shuo jiao shi /\x1fcZhao Nong zhu."),
            ("260", "  \x1f6880-03\x1faJinan :\x1fbShandong hua bao chu ban she,\x1fc2003."),
            ("300", "  \x1fa321 p. ;\x1fc24 cm."),
            ("880", f"1 \x1f6100-01/$1\x1fa{AUTHOR}."),
            ("880", f"10\x1f6245-02/$1\x1fa{TITLE} /\x1fc{AUTHOR}著."),
            ("880", f"  \x1f6260-03/$1\x1fa济南 :\x1fb{PUBLISHER},\x1fc2003."),
        ),
    )


BOOK = {
    "calis": (cnmarc("0120", ("905", "  \x1faTJU\x1fdTU986\x1fe24")), "gbk", Format.CNMARC),
    "nlc": (cnmarc("50  ", ("801", " 0\x1faCN\x1fbNLC\x1fc20200315")), "utf-8", Format.CNMARC),
    "loc": (marc21("2003000001", "a"), "utf-8", Format.MARC21),
    "rlin": (marc21("2003000002", " "), "marc-8", Format.MARC21),
}


@pytest_asyncio.fixture
async def catalogue(database: Database) -> AsyncIterator[Catalogue]:
    made = await Catalogue(database).open()
    for name, (record, encoding, _) in BOOK.items():
        await made.source(name, library=name.upper())
        await made.load(name, [iso2709.write(record, encoding)])
    yield made


def test_the_four_files_are_in_four_encodings() -> None:
    files = {name: iso2709.write(record, encoding) for name, (record, encoding, _) in BOOK.items()}
    assert TITLE.encode("gbk") in files["calis"] and TITLE.encode() in files["nlc"] and TITLE.encode() in files["loc"]
    assert b"\x1b$1" in files["rlin"] and files["rlin"].isascii()
    for name, data in files.items():
        assert int(data[:5]) == len(data), name


async def test_they_are_one_cluster_and_come_out_byte_for_byte(catalogue: Catalogue) -> None:
    partition = await catalogue.partition()
    assert [len(members) for members in partition] == [4]
    async with catalogue.database.connection() as conn:
        known = await dictionaries.every(conn)
        rows = await conn.fetch("select s.name, r.* from record r join source s using (source) order by s.name")
        (merged,) = [each for each in await changes.after(conn, 0, 100) if not each.deleted]
    assert len(rows) == 4
    for row in rows:
        source, encoding, fmt = BOOK[row["name"]]
        kept = original.record(bodies.open_body(row["body"], row["dictionary"], known), row["carrier"], row["encoding"])
        assert kept.fields == source.fields
        written = forms.write(Going(row["name"], kept, fmt), "iso2709", encoding)
        assert written == (iso2709.write(source, encoding), ())
    record = packing.unpack(merged.body)
    for encoding in ("utf-8", "gbk", "gb18030", "marc-8"):
        told = forms.write(Going(merged.id, record, merged.format), "iso2709", encoding)
        assert told.lost == ()
        (again,) = reading.read(told.data, "iso2709").reads
        assert again.record.fields[0] == record.fields[0]
        assert value(again.record.first("200", "880", "245") or "", "a") == value(
            record.first("200", "880", "245") or "", "a"
        )
        charset = {"utf-8": "50  ", "gbk": "0120", "gb18030": "0120", "marc-8": "    "}[encoding]
        if merged.format is Format.CNMARC:
            assert value(again.record.first("100") or "", "a")[26:30] == charset
            assert told.data[9:10] == b" "


@pytest.mark.parametrize(("encoding", "expected"), [("utf-8", b"a"), ("marc-8", b" ")])
def test_marc21_says_in_its_leader_what_it_is_in(encoding: str, expected: bytes) -> None:
    for leader09 in "a ":
        told = forms.write(Going("x", marc21("1", leader09), Format.MARC21), "iso2709", encoding)
        assert told.data[9:10] == expected and told.lost == ()
