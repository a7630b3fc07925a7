"""Real records in Zebra are found by their ISBNs and copied as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.model import Format
from catalog.targets import Target
from config.secret import Secret
from dms import formats
from dms.rules.model import Profile as Rules
from protocols import marc, reading, writing
from protocols.http.guard import Rules as Ways
from services.copying import lines, queries, seeking, taking, z3950
from services.copying.candidates import Judge
from services.copying.choosing import Wish
from services.copying.seeking import Whole
from tests import data, targets

FILES = {  # → the dialect that keeps them as they are
    "unimarc-cnmarc/DigitalPlatform__dp2/bnu_cnmarc_utf8.iso": "cnmarc-calis",
    "marc21-bib/psu-libraries__psulib_traject/sample_psucat.mrc": "marc21",
}
MOST = 100  # records of each


@pytest.mark.parametrize("file", FILES)
async def test_every_book_is_found_by_its_isbn_and_keeps_its_title(file: str, tmp_path: Path) -> None:
    books: dict[int, marc.Record] = {}
    for each in reading.read(data.path(file).read_bytes(), "iso2709").reads:
        facts = formats.facts(each.record, formats.format_of(each.record, "auto"))
        for isbn in facts.isbns[:1]:
            books.setdefault(isbn, each.record)
    books = dict(list(books.items())[:MOST])
    assert books

    async def nothing(_target: Target) -> Secret:
        return Secret("")

    dialect = FILES[file]
    wish = Wish(format=Format.MARC21 if dialect == "marc21" else Format.CNMARC)
    with targets.zebra(tmp_path, b"".join(writing.write(each, "iso2709").data for each in books.values())) as port:
        target = targets.a_target("zebra", port=port)
        async with lines.of(z3950.opener(Ways(), nothing)) as kept:
            whole = Whole(targets=[target], wish=wish, judge=Judge(Rules()))
            found = [each async for each in seeking.seek_all(kept, whole, (queries.read(str(isbn)) for isbn in books))]
    for (isbn, record), sought in zip(books.items(), found, strict=True):
        assert sought.choice.ranked, (isbn, sought.notes)
        copied = taking.take(sought.choice.ranked[0], dialect)
        tag = "245" if dialect == "marc21" else "200"
        assert copied.record.first(tag) == record.first(tag)
        kept_tags = [tag for tag, _ in copied.record.fields]
        assert not [tag for tag in kept_tags if tag.startswith("9")]
