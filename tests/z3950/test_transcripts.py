"""What yaz-client and zoomsh print for every service of a real node, held against transcripts that were read through.

`TIANLU_WRITE=1 pytest tests/z3950/test_transcripts.py` writes them again; read the difference before you keep it.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from catalog.database.pool import Database
from catalog.model import Format
from protocols import marcxml
from services.access import accounts
from services.access.policy import Grant, Role
from tests import access, builders
from tests.stocked import Stock
from tests.z3950 import programs, standing
from tests.z3950.standing import STOCK, Standing

TRANSCRIPTS = Path(__file__).parent / "transcripts"
PASSWORD = "kindling-1742-ashes"
MORE = tuple(
    Stock(
        record=builders.a_marc21(title=title, author="Harrow, Edith", local_id=f"m{number}"),
        format=Format.MARC21,
        holdings=(builders.a_holding(builders.HKS, item=f"M{number}"),),
    )
    for number, title in enumerate(
        ("Mineral waters", "A mineral atlas", "The computer in the library", "Computer science for geologists")
    )
)
CHANGING = (
    (re.compile(r"Elapsed: .*\n"), ""),
    (re.compile(r"^(Version: |implementationVersion ).*", re.MULTILINE), r"\1…"),
    (re.compile(r"(127\.0\.0\.1|localhost):\d+"), r"\1:PORT"),
    (re.compile(r"^(005 ).*", re.MULTILINE), r"\1…"),
    (re.compile(r"(tag=\"005\">|<recordChangeDate encoding=\"iso8601\">)[^<]*"), r"\1…"),
)


@pytest_asyncio.fixture
async def door(database: Database, home: Path) -> AsyncIterator[Standing]:
    async with standing.door(database, home, (*STOCK, *MORE)) as opened:
        async with database.connection() as conn:
            made = await accounts.add(
                conn, "wang", library="CN-TJU", password=access.kept(PASSWORD), by="os:root", must_change=False
            )
            for role in (Role.COPYIST, Role.SUBMITTER):
                await accounts.give(conn, made.account, Grant(role=role, library="CN-TJU"), "os:root")
        yield opened


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
@pytest.mark.parametrize("script", programs.NAMES)
async def test_programs_print_what_they_printed(script: str, charset: str, door: Standing, tmp_path: Path) -> None:
    record = tmp_path / "record.xml"  # yaz-client says XML of any record that it hands in
    record.write_text(marcxml.write(builders.a_cnmarc(title="园冶注释", isbn=builders.isbn13(77), local_id="Y1")))
    values = {"port": door.port, "user": "wang", "password": PASSWORD, "isbn": builders.isbn13(1), "record": record}
    said = await programs.said(script, values, charset)
    for pattern, instead in CHANGING:
        said = pattern.sub(instead, said)
    kept = TRANSCRIPTS / f"{script}.{charset}.txt"
    if os.environ.get("TIANLU_WRITE"):
        kept.write_text(said)
    assert said == kept.read_text()
