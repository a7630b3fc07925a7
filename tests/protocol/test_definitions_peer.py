"""MARC 21 definitions beside those of `marcvalidate` (MARC::Schema), on the same real records."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from catalog.model import Format
from config.errors import BadRecord
from dms.rules import catalogue, check, kinds
from dms.rules.definitions import tables
from dms.rules.model import Kind, Level, Profile
from protocols import detect, iso2709, reading
from protocols.marc import Record
from tests import data, programs, rule_cases

MESSAGES = {
    "unknown field": "field-undefined",
    "field is not repeatable": "field-repeated",
    "unknown subfield": "subfield-undefined",
    "subfield is not repeatable": "subfield-repeated",
    "unknown first indicator": "indicator-undefined",
    "unknown second indicator": "indicator-undefined",
}
CONTENT = dict.fromkeys(rule_cases.content_ids(), Level.OFF)
CHECKER = check.checker(Profile(levels=dict.fromkeys(catalogue.rules(), Level.NOTE) | CONTENT))
DEFINITIONS = tables.definitions(Format.MARC21, Kind.BIBLIOGRAPHIC)


class Told(NamedTuple):
    """What one of the two says: of which record, by its number, and where; `code` is a subfield or ind1, ind2."""

    record: int
    rule: str
    tag: str
    code: str


def former(told: Told) -> bool:
    """An indicator that was legal once: ours is `indicator-obsolete`, theirs some versions of the schema lack."""
    assert DEFINITIONS is not None
    field = DEFINITIONS.fields.get(told.tag)
    return (
        told.code in ("ind1", "ind2") and field is not None and any(each and each.former for each in field.indicators)
    )


# Where the two may differ, and why.
ONLY_THEIRS: dict[str, Callable[[Told], bool]] = {
    "tags with a 9, and names, are local: MARC 21 leaves them to everybody": lambda told: (
        told.rule == "field-undefined" and ("9" in told.tag or not told.tag.isdigit())
    ),
    "subfield $9 is local": lambda told: told.code == "9",
    "fields of KORMARC, which is read by the same table": lambda told: told.tag in ("012", "023", "053", "056"),
    "codes beyond ASCII, which they tell byte by byte": lambda told: not told.code.isascii() or told.code == "\x1f",
    "what was legal once is told by another rule": lambda told: former(told) or told[2:] == ("022", "c"),
}
ONLY_OURS: dict[str, Callable[[Told], bool]] = {
    "they don't look at an indicator that is always blank": lambda told: blank_only(told),
    "codes beyond ASCII": lambda told: not told.code.isascii() or not told.code.strip(),
    "they take anything in an 880, which we judge as the field that it stands for": lambda told: told.tag == "880",
}


def blank_only(told: Told) -> bool:
    assert DEFINITIONS is not None
    field = DEFINITIONS.fields.get(told.tag)
    if field is None or told.code not in ("ind1", "ind2"):
        return False
    codes = field.indicators[told.code == "ind2"]
    return codes is not None and codes.legal == {" "}


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """Bibliographic records of the collection that ISO 2709 can hold, 001 replaced by their number."""
    found: list[Record] = []
    for path in sorted(data.path("marc21-bib").rglob("*")):
        if path.suffix not in (".mrc", ".marc"):
            continue
        content = path.read_bytes()
        for each in reading.read(content, detect.carrier_of(content)).reads:
            fields = [field for field in each.record.fields if field[0] != "001"]
            record = Record(each.record.leader, (("001", str(len(found))), *fields))
            if kinds.kind_of(record, Format.MARC21) is Kind.BIBLIOGRAPHIC and is_plain(record):
                found.append(record)
    return found


def is_plain(record: Record) -> bool:
    """Whether it can be written at all, without fields that they refuse to split."""
    try:
        return bool(iso2709.write(record)) and all(text for _, text in record.fields)
    except BadRecord:
        return False


def theirs(path: Path) -> tuple[set[Told], set[int]]:
    """(what they tell, numbers of records that they can't read)."""
    done = subprocess.run([programs.need("marcvalidate"), str(path)], capture_output=True, check=False)
    told: set[Told] = set()
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        record, tag, message, *value = line.split("\t")
        if message in MESSAGES:
            number = "ind1" if "first" in message else "ind2" if "second" in message else "".join(value)
            code = "" if message in ("unknown field", "field is not repeatable") else number
            told.add(Told(int(record), MESSAGES[message], tag, code))
    skipped = {int(number) - 1 for number in re.findall(rb"in record (\d+)", done.stderr)}
    return told, skipped


def ours(records: list[Record]) -> set[Told]:
    found = CHECKER.check_many([(record, Format.MARC21, Kind.BIBLIOGRAPHIC) for record in records])
    return {
        Told(number, each.rule, each.tag, each.code)
        for number, findings in enumerate(found)
        for each in findings
        if each.rule in MESSAGES.values()
    }


def test_definitions_agree_with_another_program_s(records: list[Record], tmp_path: Path) -> None:
    path = tmp_path / "all.mrc"
    path.write_bytes(b"".join(map(iso2709.write, records)))
    their, skipped = theirs(path)
    our = {told for told in ours(records) if told.record not in skipped}
    assert len(records) > 3000
    assert len(our & their) > 2000
    assert len(skipped) < len(records) / 50
    assert {told for told in their - our if not any(is_so(told) for is_so in ONLY_THEIRS.values())} == set()
    assert {told for told in our - their if not any(is_so(told) for is_so in ONLY_OURS.values())} == set()
    assert [why for why, is_so in ONLY_THEIRS.items() if not any(map(is_so, their - our))] == []
    assert [why for why, is_so in ONLY_OURS.items() if not any(map(is_so, our - their))] == []
