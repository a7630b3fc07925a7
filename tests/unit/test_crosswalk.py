"""Crosswalks to MODS and Dublin Core: what the tables say is in the formats, and a record says there what it said."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import pytest
from lxml import etree

from catalog.model import Format
from dms.crosswalk import dublin, elements, linked, mods, rows, telling
from dms.crosswalk.crossing import Crossed
from dms.crosswalk.iris import iri
from protocols import marc
from protocols.marc import Record
from tests import builders

ANY_URI = '<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema"><s:element name="u" type="s:anyURI"/></s:schema>'

# MODS 3.7: what may stand in what, as far as the tables use it (Library of Congress, MODS User Guidelines).
TITLE = {"title", "subTitle", "partNumber", "partName", "nonSort"}
NAME = {"namePart", "role", "affiliation", "nameIdentifier"}
ORIGIN = {
    "place", "publisher", "dateIssued", "dateCreated", "copyrightDate", "dateOther", "edition", "issuance", "frequency",
}  # fmt: skip
RELATED = {"titleInfo", "name", "originInfo", "identifier", "part", "note"}
CHILDREN: Mapping[str, set[str]] = {
    "mods": {
        "titleInfo", "name", "typeOfResource", "genre", "originInfo", "language", "physicalDescription", "abstract",
        "tableOfContents", "targetAudience", "note", "subject", "classification", "relatedItem", "identifier",
        "location", "accessCondition", "recordInfo",
    },
    "titleInfo": TITLE,
    "name": NAME,
    "role": {"roleTerm"},
    "originInfo": ORIGIN,
    "place": {"placeTerm"},
    "language": {"languageTerm"},
    "languageOfCataloging": {"languageTerm"},
    "physicalDescription": {"extent", "form"},
    "subject": {
        "topic", "geographic", "geographicCode", "temporal", "titleInfo", "name", "genre",
        "cartographics", "occupation",
    },
    "cartographics": {"scale", "projection", "coordinates"},
    "relatedItem": RELATED,
    "part": {"text"},
    "location": {"url"},
    "recordInfo": {
        "recordIdentifier", "recordContentSource", "recordChangeDate", "recordCreationDate", "languageOfCataloging",
        "descriptionStandard",
    },
}  # fmt: skip
ATTRIBUTES: Mapping[str, set[str]] = {
    "titleInfo": {"type", "displayLabel", "transliteration", "valueURI", "authority"},
    "name": {"type", "usage", "authority"},
    "namePart": {"type"},
    "roleTerm": {"type", "authority"},
    "placeTerm": {"type", "authority"},
    "languageTerm": {"type", "authority"},
    "dateIssued": {"encoding"},
    "recordCreationDate": {"encoding"},
    "recordChangeDate": {"encoding"},
    "form": {"type", "authority"},
    "geographicCode": {"authority"},
    "note": {"type"},
    "genre": {"type", "authority", "valueURI"},
    "subject": {"authority", "valueURI"},
    "classification": {"authority", "edition"},
    "relatedItem": {"type", "displayLabel"},
    "identifier": {"type", "invalid"},
    "originInfo": {"eventType"},
    "typeOfResource": {"manuscript"},
    "abstract": {"displayLabel"},
    "accessCondition": {"type", "displayLabel"},
}
FORMATS = {"marc21": Format.MARC21, "cnmarc": Format.CNMARC}


@pytest.mark.parametrize("family", FORMATS)
def test_rows_for_mods_name_only_what_mods_has(family: str) -> None:
    for row in rows.table(f"mods_{family}").rows:
        for part in row.parts:
            above = "mods"
            steps = (*row.element, *part.to)
            for name, attributes, _ in steps:
                assert name in CHILDREN[above], f"{row.tags}: {name} in {above}"
                assert set(attributes) <= ATTRIBUTES.get(name, set()), f"{row.tags}: {name} {attributes}"
                above = name
            if part.attribute:
                assert part.attribute in ATTRIBUTES[steps[-1].name], f"{row.tags}: {part.attribute}"


@pytest.mark.parametrize("family", FORMATS)
def test_rows_for_dublin_core_name_only_what_it_has(family: str) -> None:
    fifteen = {
        "title", "creator", "subject", "description", "publisher", "contributor", "date", "type", "format",
        "identifier", "source", "language", "relation", "coverage", "rights",
    }  # fmt: skip
    for row in rows.table(f"dc_{family}").rows:
        prefix, _, name = row.element[0][0].partition(":")
        assert name in (fifteen if prefix == "dc" else dublin.REFINED), row.element
    assert set(dublin.REFINED.values()) - {""} <= fifteen


def texts(record: Record, fmt: Format, path: str) -> list[str]:
    root = etree.fromstring(mods.written(mods.crossed(record, fmt)))
    steps = "/".join(f"m:{step}" for step in path.split("/"))
    found = root.xpath(steps, namespaces={"m": mods.NAMESPACE})
    assert isinstance(found, list)
    return [str(each.text) for each in found if isinstance(each, etree._Element)]


def test_a_marc21_record_in_mods() -> None:
    record = builders.a_marc21(
        title="The Gardens :", subtitle="a guide /", author="Harrow, Edith", f041="1 $aeng$achi",
        f650=[" 0$aGardens$zChina$vHandbooks."], f773="0 $tThe Host$x1234-5679",
    )  # fmt: skip
    record = Record(
        record.leader, tuple((t, "14" + x[2:] if t == "245" else x) for t, x in record.fields)
    )  # four characters do not file
    get = functools.partial(texts, record, Format.MARC21)
    assert get("titleInfo[not(@type)]/nonSort") == ["The"]
    assert get("titleInfo[not(@type)]/title") == ["Gardens"]
    assert get("titleInfo[not(@type)]/subTitle") == ["a guide"]
    assert get("name[@usage='primary']/namePart") == ["Harrow, Edith"]
    assert get("language/languageTerm") == ["eng", "chi"]
    assert get("subject/topic") + get("subject/geographic") + get("subject/genre") == ["Gardens", "China", "Handbooks"]
    assert get("relatedItem[@type='host']/titleInfo/title") == ["The Host"]
    assert get("recordInfo/recordIdentifier") == [record.first("001")]


def test_a_cnmarc_record_with_embedded_fields_in_mods() -> None:
    series = marc.field(" 0", [("1", "001CN9"), ("1", "2001 "), ("a", "四库全书"), ("v", "第3册")])
    record = builders.a_cnmarc(title="天工开物", author="宋应星", f461=series.replace(marc.DELIMITER, "$"))
    get = functools.partial(texts, record, Format.CNMARC)
    assert get("titleInfo/title") == ["天工开物"]
    assert get("name/namePart") == ["宋应星"]
    assert get("relatedItem[@type='series']/titleInfo/title") == ["四库全书"]
    assert get("relatedItem[@type='series']/titleInfo/partNumber") == ["第3册"]
    assert get("relatedItem[@type='series']/identifier") == ["CN9"]
    assert get("classification[@authority='clc']") == ["N092"]


def test_standard_subfields_are_those_of_the_embedded_fields() -> None:
    embedded = marc.field(" 0", [("1", "2001 "), ("a", "四库全书"), ("b", "专著"), ("1", "011  "), ("a", "1000-0001")])
    assert linked.said(embedded) == [("1200$a", "t", "四库全书"), ("1200$b", "", "专著"), ("1011$a", "x", "1000-0001")]
    assert linked.said(" 0\x1ft四库全书") == [("t", "t", "四库全书")]


def test_scripts_of_one_field_share_a_group() -> None:
    fields = (
        ("245", "10\x1f6880-01\x1faTian gong"), ("700", "1 \x1faX"), ("880", "10\x1f6245-01/$1\x1fa天工"),
    )  # fmt: skip
    root = etree.fromstring(mods.written(mods.crossed(Record(builders.MARC21_LEADER, fields), Format.MARC21)))
    titles = root.findall(f"{{{mods.NAMESPACE}}}titleInfo")
    assert [title.get("altRepGroup") for title in titles] == ["01", "01"]


def fates(found: Crossed) -> dict[tuple[str, str], tuple[str, str]]:
    return {
        (loss.tag, loss.code): (str(loss.fate), loss.to or loss.why) for _, losses in found.fates() for loss in losses
    }


def test_what_becomes_of_every_subfield_is_told() -> None:
    record = builders.a_marc21(f951="  $aours$btoo", f020="  $a9787102004174$qpbk.", f246="33$aWalls$p")
    told = fates(mods.crossed(record, Format.MARC21))
    local = "local to the library or the system that wrote it"
    assert told["951", "a"] == told["951", "b"] == ("lost", local)
    assert told["020", "a"] == ("mapped", "identifier")
    assert told["020", "q"] == ("lost", telling.NO_ELEMENT)
    assert told["246", "p"] == ("lost", telling.EMPTY)
    assert told["LDR", "/6"] == ("mapped", "typeOfResource")
    assert told["008", "/7-10"] == ("mapped", "originInfo/dateIssued")


def test_simple_dublin_core_is_the_qualified_with_refinements_dumbed_down() -> None:
    record = builders.a_marc21(title="Gardens", f520="  $aOf walls.", f246="33$aWalled gardens")
    simple = dict.fromkeys(dublin.simple(dublin.crossed(record, Format.MARC21)))
    assert ("title", "Walled gardens") in simple and ("description", "Of walls") in simple
    qualified = dublin.written_qualified(dublin.crossed(record, Format.MARC21), "X.1")
    assert "<dcterms:abstract>Of walls</dcterms:abstract>" in qualified
    assert "<dc:identifier>X.1</dc:identifier>" in qualified


def test_a_path_says_elements_and_attributes() -> None:
    assert elements.path("a*/b[type=x y,z=1]") == (("a", {}, True), ("b", {"type": "x y", "z": "1"}, False))
    with pytest.raises(ValueError, match="no step of a path"):
        elements.path("a//b")


def test_text_is_escaped_and_what_xml_forbids_is_a_blank() -> None:
    made = elements.Element("t", {"a": '"<'}, "x\x0b&<y")
    assert elements.written(made) == '<t a="&quot;&lt;">x &amp;&lt;y</t>'
    assert elements.written(elements.Element("t", children=[elements.Element("c", {"a": "b"})])) == '<t><c a="b"/></t>'


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("http://a.cn/?q=Industrie+fran%C3%A7aise&cat[Groupe]=1", "http://a.cn/?q=Industrie+fran%C3%A7aise&cat%5BGroupe%5D=1"),
        ("http://[2001:db8::1]:80/a[1]", "http://[2001:db8::1]:80/a%5B1%5D"),
        ("http://a.cn/100% 图", "http://a.cn/100%25%20%E5%9B%BE"),
        ("http://a%20ou%20http://b", "http://a%20ou%20http%3A//b"),
        ("http://a.cn/x ; http://b.cn:80/y", "http://a.cn/x%20;%20http://b.cn:80/y"),
        ("http://http://a.cn", "http://http%3A//a.cn"),
        ("http://u:p@a.cn:8080/#b#c", "http://u:p@a.cn:8080/#b%23c"),
        ("http://a@b@c:x/", "http://a%40b%40c%3Ax/"),
        ("http://[::1]x/", "http://%5B%3A%3A1%5Dx/"),
        ("见：a b:c", "%E8%A7%81%EF%BC%9Aa%20b%3Ac"),
        ("10.1000/a:b", "10.1000/a:b"),
        ("", ""),
    ],
)  # fmt: skip
def test_an_address_is_escaped_where_it_has_to_be(said: str, written: str) -> None:
    assert iri(said) == written
    schema = etree.XMLSchema(etree.XML(ANY_URI))
    assert schema.validate(etree.XML(f"<u>{written.replace('&', '&amp;')}</u>"))
