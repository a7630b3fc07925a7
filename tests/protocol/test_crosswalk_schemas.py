"""Real records in MODS, Dublin Core and MARCXML are valid by the schemas.

MARCXML: what the Library of Congress's own schema allows, written for these tests; no Debian package has the original.
MODS: the Library of Congress's schema of 3.4 with what later versions added and the tables use. oai_dc and qualified
Dublin Core: subsets of the official schemas, written for these tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from catalog.model import Format
from dms.crosswalk import targets
from dms.formats import format_of
from dms.rules import catalogue, check
from dms.rules.model import Level, Profile
from protocols import detect, marcxml, reading
from protocols.marc import Record
from tests import data

SCHEMAS = Path(__file__).parent / "schemas"
LATER = {  # MODS 3.5: eventType; 3.6: nameIdentifier; 3.7: the version
    r'(<xs:enumeration value="3.4"/>)': r'\1<xs:enumeration value="3.7"/>',
    r'(<xs:element ref="affiliation"/>)': r'\1<xs:element name="nameIdentifier" type="xsString"/>',
    r'(<xs:complexType name="originInfoDefinition">.*?)(<xs:attribute name=)': r'\1<xs:attribute name="eventType"/>\2',
}
FOLDERS = ("marc21-bib", "unimarc-cnmarc")
UNSOUND = {"indicator-undefined", "subfield-undefined"}
EACH = 150  # records of one file


def mods_schema() -> etree.XMLSchema:
    text = (SCHEMAS / "mods-3-4.xsd").read_text(encoding="utf-8")
    for old, new in LATER.items():
        text, count = re.subn(old, new, text, count=1, flags=re.DOTALL)
        assert count == 1, old
    return etree.XMLSchema(etree.fromstring(text.encode(), base_url=str(SCHEMAS / "mods-3-7.xsd")))


def schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SCHEMAS / name))


def real() -> Iterator[tuple[Record, Format]]:
    for folder in FOLDERS:
        for path in sorted(data.path(folder).rglob("*")):
            if path.suffix in (".mrc", ".marc", ".iso"):
                raw = path.read_bytes()
                if detect.carrier_of(raw) == detect.ISO2709:
                    reads = reading.read(raw, detect.ISO2709).reads
                    yield from (
                        (each.record, format_of(each.record, "auto")) for each in reads[:: len(reads) // EACH + 1]
                    )


@pytest.mark.parametrize(
    ("target", "valid"),
    [("mods", mods_schema()), ("dc", schema("oai-dc.xsd")), ("qdc", schema("qualifieddc.xsd"))],
)
def test_real_records_are_valid(target: str, valid: etree.XMLSchema) -> None:
    records = list(real())
    assert len(records) > 500
    for record, fmt in records:
        root = etree.fromstring(targets.TARGETS[target](record, fmt, "CN-NODE.1").text)
        assert valid.validate(root), (record.first("001"), str(valid.error_log))


def test_real_records_are_valid_marcxml_or_a_rule_tells_why_not() -> None:
    """What a record says is kept as it stands, also where the schema has no such indicator or code."""
    valid, checker = schema("marcxml.xsd"), check.checker(Profile(levels=dict.fromkeys(catalogue.rules(), Level.NOTE)))
    count = wrong = 0
    for whole, fmt in real():
        count += 1
        told = tuple(
            each for each in whole.fields if each[0] != "880" and each[0][:1] != "9"
        )  # of others no rule tells
        record = Record(whole.leader, told)
        if not valid.validate(etree.fromstring(marcxml.write(record))):
            wrong += 1
            found = {one.rule for one in checker.check(record, fmt)}
            assert found & UNSOUND, (record.first("001"), str(valid.error_log), found)
    assert count > 500 and wrong < count / 10
