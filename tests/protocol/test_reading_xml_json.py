"""MARCXML and MARC-in-JSON: tolerant readers, safe against what XML can do, and writers that are read back."""

from __future__ import annotations

import json

import pytest
from lxml import etree

from protocols import marcjson, marcxml, reading
from protocols.marc import Record
from tests import data

LEADER = "00000nam a2200000 a 4500"
RECORD = Record(
    leader=LEADER,
    fields=(("001", "id1"), ("245", '10\x1faTom & <Jerry> "quoted"\x1fb中文'), ("650", " 0\x1faEmpty\x1fb")),
)
INNER = (
    "<leader>00000nam a2200000 a 4500</leader><controlfield tag='001'>{}</controlfield>"
    "<datafield tag='245' ind1='1' ind2='0'><subfield code='a'>{}</subfield></datafield>"
)


def element(number: int, title: str = "T", name: str = "record") -> str:
    return f"<{name}>{INNER.format(number, title)}</{name}>"


def read(text: str | bytes) -> reading.Batch:
    return reading.read(text.encode() if isinstance(text, str) else text, "marcxml")


def test_xml_is_read_back_as_written() -> None:
    found = read(f"<collection>{marcxml.write(RECORD)}</collection>")
    assert [each.record for each in found.reads] == [Record(leader=marcxml.leader(RECORD), fields=RECORD.fields)]
    assert found.reads[0].findings == ()


def test_written_xml_has_a_whole_leader_and_no_forbidden_characters() -> None:
    text = marcxml.write(Record(leader="xx", fields=(("001", "a\x00b"), ("245", "1\x1fa\x1b[1m"))))
    root = etree.fromstring(text)
    assert len(root[0].text or "") == 24 and (root[0].text or "")[20:] == "4500"
    assert root[1].text == "a b"
    assert root[2].get("ind2") == " "


@pytest.mark.parametrize(
    "document",
    [
        element(1),
        "<?xml version='1.0'?>\n" + element(1),
        f"<marc:collection xmlns:marc='http://www.loc.gov/MARC21/slim'>{element(1)}</marc:collection>",
        element(1).replace("<", "<m:").replace("<m:/", "</m:"),  # a prefix nobody declares
        f"<response><records><record><recordData>{element(1)}</recordData></record></records></response>",
        f"<OAI-PMH><record><header/><metadata>{element(1)}</metadata></record></OAI-PMH>",
        f"<c><!-- <record>{INNER} --><record\n type='Bibliographic'>{INNER.format(1, 'T')}</record ></c>",
    ],
)
def test_records_are_found_in_any_envelope(document: str) -> None:
    batch = read(document)
    assert [each.record.fields for each in batch.reads] == [(("001", "1"), ("245", "10\x1faT"))]
    assert not batch.failed


@pytest.mark.parametrize(
    ("title", "expected", "rule"),
    [
        ("a&#31;b", "a b", "xml-control-character"),
        ("a\x1fb", "a b", "xml-control-character"),
        ("a&#xFFFF;b", "a b", "xml-control-character"),
        ("caf&eacute;&nbsp;x", "caf\u00e9\u00a0x", "xml-entity"),
        ("a &unknown; b", "a \ufffd b", "xml-entity"),
        ("Tom & Jerry & Co", "Tom & Jerry & Co", "xml-ampersand"),
        ("a &amp; b<!-- no --> c", "a & b c", ""),
    ],
)
def test_forbidden_characters_and_entities_are_mended(title: str, expected: str, rule: str) -> None:
    batch = read(element(1, title))
    assert batch.reads[0].record.first("245") == "10\x1fa" + expected
    assert [name for name, _ in batch.reads[0].findings] == ([rule] if rule else [])


def test_invalid_bytes_become_replacement_characters() -> None:
    batch = read(element(1, "a?b").encode().replace(b"?", b"\xff"))
    assert batch.reads[0].record.first("245") == "10\x1faa\ufffdb"
    assert batch.reads[0].findings[0][0] == "encoding-invalid-bytes"


def test_a_broken_record_harms_no_neighbour() -> None:
    broken = element(2).replace("</subfield>", "")
    unended = element(3).replace("</record>", "")
    batch = read("<c>" + element(1) + broken + unended + element(4) + element(5)[:-30])
    assert [each.record.first("001") for each in batch.reads] == ["1", "4"]
    assert [each.raw.decode() for each in batch.failed] == [broken, unended, element(5)[:-30]]
    assert [each.ordinal for each in batch.failed] == [1, 2, 4]


def test_entities_of_the_document_are_never_expanded() -> None:
    bomb = "<!DOCTYPE c [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'><!ENTITY f SYSTEM 'file:///etc/hostname'>]>"
    batch = read(bomb + f"<c>{element(1, '&b;')}{element(2, '&f;')}</c>")
    assert [each.record.first("245") for each in batch.reads] == ["10\x1fa\ufffd"] * 2


def test_comments_that_never_end_cost_no_time() -> None:
    assert len(read("<!--" * 200_000 + element(1)).reads) == 1


def test_odd_leaders_and_fields_are_findings() -> None:
    short = element(1).replace(LEADER, "00000nam")
    none = element(2).replace(f"<leader>{LEADER}</leader>", "")
    untagged = element(3).replace("tag='245'", "")
    batch = read(short + none + untagged)
    assert [len(each.record.leader) for each in batch.reads] == [24, 24, 24]
    assert [each.findings[0][0] for each in batch.reads] == ["leader-length", "leader-missing", "xml-tag"]


def test_a_record_element_of_something_else_fails() -> None:
    batch = read("<c><record><title>x</title></record></c>")
    assert not batch.reads and "no MARC fields" in batch.failed[0].reason


def test_a_declared_encoding_is_used() -> None:
    text = "<?xml version='1.0' encoding='GB18030'?><collection>" + element(1, "中文") + "</collection>"
    batch = read(text.encode("gb18030"))
    assert batch.reads[0].record.first("245") == "10\x1fa中文"
    each = batch.reads[0]
    assert reading.decode(each.raw, "marcxml", each.encoding) == each.record


def test_three_records_of_which_the_second_has_forbidden_bytes() -> None:
    path = data.path("marc-conformance/ruby-marc__ruby-marc/three-records-second-bad.xml")
    batch = reading.read(path.read_bytes(), "marcxml")
    assert len(batch.reads) == 3
    assert [bool(each.findings) for each in batch.reads] == [False, True, False]


def test_json_is_read_back_as_written() -> None:
    line = marcjson.write(RECORD)
    assert "\n" not in line
    batch = reading.read((line + "\n" + line).encode(), "marcjson")
    assert [each.record for each in batch.reads] == [RECORD, RECORD]


ONE = {
    "leader": LEADER,
    "fields": [{"001": "1"}, {"245": {"ind1": "1", "ind2": "0", "subfields": [{"a": "T"}, {"b": "U"}]}}],
}


TOGETHER = {"ind1": "1", "ind2": "0", "subfields": [{"a": "T", "b": "U"}]}
SPELLED = [
    {"tag": "001", "value": "1"},
    {"tag": "245", "ind1": "1", "ind2": "0", "subfields": [{"code": "a", "value": "T"}, {"code": "b", "value": "U"}]},
]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ONE),
        json.dumps(ONE, indent=2),
        json.dumps([ONE], indent=1),
        "[\n" + json.dumps(ONE) + ",\n]",
        json.dumps({"records": [ONE]}),
        "\ufeff" + json.dumps(ONE),
        json.dumps({"leader": LEADER, "fields": [{"001": "1", "245": TOGETHER}]}),
        json.dumps({"leader": LEADER, "fields": SPELLED}),
    ],
)
def test_every_form_of_marc_in_json_is_read(text: str) -> None:
    batch = reading.read(text.encode(), "marcjson")
    assert [each.record.fields for each in batch.reads] == [(("001", "1"), ("245", "10\x1faT\x1fbU"))]


def test_json_with_parts_missing_is_read_with_findings() -> None:
    batch = reading.read(b'{"fields": [{"245": {"subfields": [{"a": null}]}}, 7]}', "marcjson")
    assert batch.reads[0].record.fields == (("245", "  \x1fa"),)
    assert {rule for rule, _ in batch.reads[0].findings} == {"leader-missing", "json-field"}


def test_a_broken_line_fails_alone() -> None:
    line = json.dumps(ONE).encode()
    batch = reading.read(line + b"\n" + line[:40] + b"\n{}\n" + line + b"\n", "marcjson")
    assert len(batch.reads) == 2 and [each.raw for each in batch.failed] == [line[:40], b"{}"]


def test_a_broken_object_of_a_document_fails_alone() -> None:
    text = json.dumps(ONE, indent=1)
    batch = reading.read(("[" + text + "," + text[:-30] + "," + text + "]").encode(), "marcjson")
    assert len(batch.reads) == 2 and len(batch.failed) == 1


def test_separators_and_lone_surrogates_in_json_do_not_get_through() -> None:
    batch = reading.read(
        b'{"leader": "x", "fields": [{"245": {"subfields": [{"a": "1\\u001f2\\ud8003"}]}}]}', "marcjson"
    )
    assert batch.reads[0].record.fields == (("245", "  \x1fa1 2\ufffd3"),)


def test_tags_and_codes_that_are_no_characters_do_not_get_through() -> None:
    text = r'{"leader": "", "fields": [{" ": "x"}, {"\ud800": "a"}, {"500": {"subfields": [{"\udc00": "b"}]}}]}'
    (read,) = reading.read(text.encode(), "marcjson").reads
    assert [tag for tag, _ in read.record.fields] == ["\ufffd", "500"] and "json-field" in dict(read.findings)
    assert all((tag + value).encode() for tag, value in read.record.fields)
