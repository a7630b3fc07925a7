"""Every example that stands in a table of a crosswalk, and the records of the specification that BIBFRAME follows."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from lxml import etree

from catalog.model import Format
from dms.crosswalk import bibframe, rows, targets
from dms.crosswalk.model import Fate
from dms.crosswalk.rows import Example
from protocols import detect, reading
from protocols.marc import DELIMITER, Record
from tests import builders, data

TABLES = {
    "mods_marc21": ("mods", Format.MARC21),
    "mods_cnmarc": ("mods", Format.CNMARC),
    "dc_marc21": ("qdc", Format.MARC21),
    "dc_cnmarc": ("qdc", Format.CNMARC),
    "bibframe_marc21": ("bibframe", Format.MARC21),
    "schemaorg_marc21": ("schemaorg", Format.MARC21),
}
LEADERS = {Format.MARC21: builders.MARC21_LEADER, Format.CNMARC: builders.CNMARC_LEADER}


def examples() -> Iterator[object]:
    for name in TABLES:
        for row in rows.table(name).rows:
            for example in row.examples:
                yield pytest.param(name, example, id=f"{name} {example.given[:30]}")


@pytest.mark.parametrize(("name", "example"), list(examples()))
def test_an_example_of_a_table_is_converted_as_it_says(name: str, example: Example) -> None:
    form, fmt = TABLES[name]
    tag, text = example.given[:3], example.given[4:].replace("$", DELIMITER)
    leader = text if tag == "LDR" else LEADERS[fmt]
    record = Record(leader, () if tag == "LDR" else ((tag, text),))
    told = targets.TARGETS[form](record, fmt, "X.1")
    for made in example.made:
        assert (made[4:] not in told.text) if made.startswith("not ") else (made in told.text), told.text


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_examples_and_says_where_its_rows_come_from(name: str) -> None:
    table = rows.table(name)
    assert sum(len(row.examples) for row in table.rows) >= 5
    assert all(row.tags for row in table.rows)


def specification() -> list[Record]:
    """The input records of the specification."""
    found: list[Record] = []
    for path in sorted(data.path("marc-conformance/lcnetdev__marc2bibframe2").rglob("*.xml")):
        raw = path.read_bytes()
        found += [each.record for each in reading.read(raw, detect.MARCXML).reads]
    return found


def test_every_record_of_the_specification_becomes_bibframe() -> None:
    records = specification()
    assert len(records) >= 100
    for number, record in enumerate(records):
        told = targets.TARGETS["bibframe"](record, Format.MARC21, f"spec/{number}")
        root = etree.fromstring(bibframe.OPENING + told.text + bibframe.CLOSING)
        assert striped(root), told.text
        lost = [loss for _, losses in told.fates() for loss in losses if loss.fate is Fate.LOST]
        assert all(loss.why for loss in lost)


def striped(node: etree._Element) -> bool:
    """Whether nodes and properties alternate and a property has one value (RDF 1.1 XML Syntax, 2.2)."""
    for resource in node:
        for each in resource:
            if len(each) > 1 or (len(each) and (each.text or "").strip()) or not striped(each):
                return False
            if not len(each) and not each.text and not each.attrib:
                return False
    return True


@pytest.mark.parametrize("form", list(targets.TARGETS))
def test_every_subfield_of_the_specification_is_told(form: str) -> None:
    for record in specification():
        told = targets.TARGETS[form](record, Format.MARC21, "X.1")
        fates = told.fates()[1:]
        for (tag, text), (_, losses) in zip(record.fields, fates, strict=True):
            codes = [part[0] for part in text.split(DELIMITER)[1:] if part] if tag >= "010" else [""]
            assert {loss.code.partition("/")[0] for loss in losses} == set(codes), (tag, text)


def test_schema_org_is_json_with_types() -> None:
    for record in specification():
        found = json.loads(targets.TARGETS["schemaorg"](record, Format.MARC21, "X.1").text)
        assert found["@context"] == "https://schema.org" and "X.1" in found["identifier"]
