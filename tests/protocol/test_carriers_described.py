"""Dublin Core and MODS are carriers: an element becomes a MARC 21 record, and is kept so that it becomes it again."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols import detect, marc, reading, stream, tomarc
from protocols.gunzip import Input
from protocols.marc import Record
from protocols.reading import Batch
from tests import builders, data

DC = (
    "<oai_dc:dc xmlns:oai_dc='http://www.openarchives.org/OAI/2.0/oai_dc/' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
    "{}</oai_dc:dc>"
)
MODS = "<mods xmlns='http://www.loc.gov/mods/v3' version='3.7'>{}</mods>"


def read(text: str | bytes) -> Batch:
    raw = text.encode() if isinstance(text, str) else text
    return reading.read(raw, detect.carrier_of(raw))


def dc(**elements: str | list[str]) -> Record:
    parts = [
        f"<dc:{name}>{value}</dc:{name}>"
        for name, values in elements.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    (found,) = read(DC.format("".join(parts))).reads
    return found.record


def mods(inner: str) -> Record:
    (found,) = read(MODS.format(inner)).reads
    return found.record


def test_dublin_core_becomes_marc21() -> None:
    record = dc(
        title=["Gardens", "Walled gardens"], creator=["Harrow, Edith", "Royal Society"], date="2011-05",
        identifier=["id7", "urn:isbn:978-0-19-953556-6", "1234-5679", "doi:10.1000/xyz", "https://e.example/7"],
        language="en", subject="Horticulture", type="Image", format="text/html", relation="Other",
    )  # fmt: skip
    assert record.first("001") == "id7"
    assert record.leader[5:8] == "nkm"
    assert record.first("245") == "00\x1faGardens"
    assert record.first("246") == "33\x1faWalled gardens"
    assert record.first("100") == "1 \x1faHarrow, Edith\x1fecreator"
    assert record.first("700") == "0 \x1faRoyal Society\x1fecreator"
    assert record.first("020") == "  \x1fa978-0-19-953556-6"
    assert record.first("022") == "  \x1fa1234-5679"
    assert record.all("024") == ["8 \x1faid7", "7 \x1fa10.1000/xyz\x1f2doi"]
    assert marc.value(record.all("856")[0], "u") == "https://e.example/7"
    assert record.first("041") == "0 \x1faeng"
    coded = record.first("008") or ""
    assert (len(coded), coded[6:11], coded[35:38]) == (40, "s2011", "eng")


@pytest.mark.parametrize(
    "container",
    [
        "<srw_dc:dc xmlns:srw_dc='info:srw/schema/1/dc-schema' xmlns:dc='http://purl.org/dc/elements/1.1/'>{}</srw_dc:dc>",
        "<qdc:qualifieddc xmlns:qdc='http://x/' xmlns:dc='http://purl.org/dc/elements/1.1/'>{}</qdc:qualifieddc>",
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
        "<rdf:Description rdf:about='u7'>{}</rdf:Description></rdf:RDF>",
        "<dc:record xmlns:dc='http://purl.org/dc/elements/1.1/'>{}</dc:record>",
        "<records><dc xmlns='http://purl.org/dc/elements/1.1/'>{}</dc></records>",
    ],
)
def test_dublin_core_is_found_in_any_container(container: str) -> None:
    batch = read(container.format("<dc:title>A</dc:title><dc:creator>B</dc:creator>"))
    assert [each.record.first("245") for each in batch.reads] == ["00\x1faA"]
    assert not batch.failed


def test_refinements_of_dublin_core_have_fields_of_their_own() -> None:
    text = DC.replace("xmlns:dc", "xmlns:dcterms='http://purl.org/dc/terms/' xmlns:dc").format(
        "<dc:title>A</dc:title><dcterms:abstract>B</dcterms:abstract><dcterms:isPartOf>C</dcterms:isPartOf>"
        "<dcterms:extent>3 p.</dcterms:extent><dcterms:odd>D</dcterms:odd>"
    )
    (found,) = read(text).reads
    assert (found.record.first("520"), found.record.first("773")) == ("3 \x1faB", "0 \x1ftC")
    assert found.record.first("300") == "  \x1fa3 p."
    assert found.findings == (("crosswalk-left-out", "no MARC field for: odd"),)


def test_mods_becomes_marc21() -> None:
    record = mods(
        "<titleInfo><nonSort>The</nonSort><title>Gardens</title><subTitle>a guide</subTitle></titleInfo>"
        "<titleInfo type='alternative'><title>Walls</title></titleInfo>"
        "<name type='personal'><namePart type='given'>Edith</namePart><namePart type='family'>Harrow</namePart>"
        "<role><roleTerm type='code' authority='marcrelator'>aut</roleTerm></role></name>"
        "<name type='corporate'><namePart>Society</namePart><namePart>Press</namePart></name>"
        "<typeOfResource>cartographic</typeOfResource>"
        "<originInfo><place><placeTerm type='text'>Oxford</placeTerm><placeTerm type='code' authority='marccountry'>enk"
        "</placeTerm></place><publisher>OUP</publisher><dateIssued>c2011</dateIssued><edition>2nd</edition>"
        "<issuance>serial</issuance></originInfo><language><languageTerm type='code'>eng</languageTerm></language>"
        "<subject authority='lcsh'><topic>Gardens</topic><geographic>China</geographic></subject>"
        "<subject><geographic>Beijing</geographic></subject><relatedItem type='host'><titleInfo><title>Host</title>"
        "</titleInfo></relatedItem><identifier type='isbn'>9780199535566</identifier>"
        "<recordInfo><recordIdentifier>m7</recordIdentifier></recordInfo>"
    )
    assert record.first("001") == "m7"
    assert record.leader[6:8] == "es"
    assert record.first("245") == "04\x1faThe Gardens\x1fba guide"
    assert record.first("246") == "33\x1faWalls"
    assert record.first("100") == "1 \x1faHarrow, Edith\x1f4aut"
    assert record.first("710") == "2 \x1faSociety\x1fbPress"
    assert record.first("264") == " 1\x1faOxford\x1fbOUP\x1fcc2011"
    assert record.first("250") == "  \x1fa2nd"
    assert (record.first("008") or "")[6:18] == "s2011    enk"
    assert record.first("650") == " 0\x1faGardens\x1fzChina"
    assert record.first("651") == " 4\x1faBeijing"
    assert record.first("773") == "0 \x1ftHost"


def test_the_header_of_oai_names_the_record_and_deletes_it() -> None:
    live = "<record><header><identifier>oai:x:1</identifier></header><metadata>" + DC + "</metadata></record>"
    gone = "<record><header status='deleted'><identifier>oai:x:2</identifier></header></record>"
    inner = "<dc:title>A</dc:title><dc:identifier>other</dc:identifier>"
    batch = read(f"<OAI-PMH><ListRecords>{live.format(inner)}{gone}</ListRecords></OAI-PMH>")
    assert [(each.record.leader[5], each.record.first("001")) for each in batch.reads] == [
        ("n", "oai:x:1"),
        ("d", "oai:x:2"),
    ]
    assert not batch.failed


FILES = {
    "sru/DigitalPlatform__dp2/sample_dc.xml": ("dc", 10, 0),
    "sru/DigitalPlatform__dp2/sample_dcx.xml": ("dc", 10, 0),
    "sru/DigitalPlatform__dp2/sample_mods.xml": ("mods", 10, 0),
    "sru/LibreCat__Catmandu-SRU/mods.xml": ("mods", 5, 0),
    "sru/LibreCat__Catmandu-SRU/sru_oai_dc.xml": ("dc", 2, 0),
    "oai-pmh/indexdata__idzebra/oai-caltech.xml": ("dc", 100, 0),
    "oai-pmh/indexdata__idzebra/debug-record.xml": ("dc", 1, 0),
    "oai-pmh/mloesch__sickle/ListRecords.xml": ("dc", 2, 1),
    "oai-pmh/mloesch__sickle/ListRecords2.xml": ("dc", 2, 1),
    "oai-pmh/vufind-org__vufindharvest/subjectsplus.xml": ("dc", 1, 0),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_others_are_read_and_read_again_from_what_is_kept(name: str) -> None:
    content = data.path(name).read_bytes()
    carrier, count, deleted = FILES[name]
    assert detect.carrier_of(content) == carrier
    batch = reading.read(content, carrier)
    assert (len(batch.reads), batch.failed) == (count, [])
    assert sum(each.record.leader[5] == "d" for each in batch.reads) == deleted
    for each in batch.reads:
        assert reading.decode(each.raw, carrier, each.encoding) == each.record
        assert each.record.first("001") or "sru_oai_dc" in name  # which names its records nowhere


def test_the_same_titles_in_dublin_core_and_mods() -> None:
    folder = "sru/DigitalPlatform__dp2"
    titles = [
        [
            marc.value(each.record.first("245") or "", "a")
            for each in read(data.path(f"{folder}/{name}").read_bytes()).reads
        ]
        for name in ("sample_mods.xml", "sample_dc.xml")
    ]
    assert titles[0][0] == titles[1][0] == "'94中国发展报告"


def test_a_long_file_is_cut_between_records(tmp_path: Path) -> None:
    inner = "<dc:title>T{0}</dc:title><dc:identifier>n{0}</dc:identifier>"
    bare = "".join(DC.format(inner.format(number)) for number in range(500))
    wrapped = "".join(
        f"<record><header><identifier>o{n}</identifier></header><metadata>{DC.format(inner.format(n))}</metadata></record>"
        for n in range(500)
    )
    for text, first in ((f"<records>{bare}</records>", "n"), (f"<OAI-PMH>{wrapped}</OAI-PMH>", "o")):
        file = tmp_path / "long.xml"
        file.write_text(text)
        seen = []
        with open(file, "rb") as opened:
            for piece in stream.stretches(Input(opened, "long.xml"), "dc", size=1 << 14):
                batch = reading.read(piece.data, "dc")
                assert not batch.failed
                seen += [each.record.first("001") for each in batch.reads]
        assert seen == [f"{first}{number}" for number in range(500)]


@pytest.mark.parametrize("table", ["dublin", "mods"])
def test_maps_and_readers_that_rows_name_are_there(table: str) -> None:
    found = tomarc.table(table)
    for row in found.rows:
        for part in row.parts:
            assert part.read in tomarc.READERS and (not part.map or part.map in found.maps), row
        assert row.tag in tomarc.CODED or len(row.tag) == 3, row


def test_a_marc_record_in_dublin_core_elements_is_no_dublin_core() -> None:
    text = builders.marcxml(builders.a_marc21()).decode().replace("<leader>", "<!-- <dc:title> --><leader>")
    assert detect.carrier_of(text.encode()) == "marcxml"
