"""What EXPECTED.md of the shared data says of damaged files: each is read as far as its content allows, and each
repair is told. What the sources' own tests call an error is told as one."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Iterator

import pytest

from dms.rules import catalogue
from protocols import detect, reading, stream
from protocols.marc import Record, value, values
from tests import data

CONFORMANCE = "marc-conformance"
RUBY = f"{CONFORMANCE}/ruby-marc__ruby-marc"
LIBRARY = f"{CONFORMANCE}/internetarchive__openlibrary"
SERIALIZERS = f"{CONFORMANCE}/NatLibFi__marc-record-serializers"
RESERVOIR = "oai-pmh/indexdata__reservoir"


def read(relative: str, encoding: str = "auto") -> reading.Batch:
    """A file as a load reads it: its carrier found by content, and all that is told is a rule of the catalogue."""
    content = data.path(relative).read_bytes()
    batch = reading.read(content, detect.carrier_of(content), encoding=encoding)
    rules = catalogue.rules()
    assert all(rule in rules for each in batch.reads for rule, _ in each.findings)
    assert all(each.rule in rules and each.reason for each in batch.failed)
    return batch


def told(batch: reading.Batch, at: int = 0) -> set[str]:
    return {rule for rule, _ in batch.reads[at].findings}


def title(record: Record) -> str:
    return value(record.first("245") or "", "a")


# ---- ISO 2709


def test_of_eight_damaged_records_only_the_one_without_fields_is_lost() -> None:
    batch = read(f"{CONFORMANCE}/edsu__pymarc/bad_records.mrc")
    assert [each.ordinal for each in batch.reads] == [0, 1, 2, 3, 4, 5, 7]
    assert [told(batch, at) for at in range(7)] == [
        set(), {"iso2709-base"}, {"iso2709-base"}, {"iso2709-directory"}, {"iso2709-directory"}, {"iso2709-base"}, set()
    ]  # fmt: skip
    assert [(each.rule, each.reason) for each in batch.failed] == [("unreadable", "the record has no fields")]
    texts = {(title(each.record), value(each.record.first("245") or "", "b")) for each in batch.reads}
    assert texts == {("The pragmatic programmer : ", "from journeyman to master /")}


@pytest.mark.parametrize("name", ["marc_with_bad_utf8.utf8.marc", "utf8_with_bad_bytes.marc"])
def test_bytes_that_are_no_utf8_leave_every_value_valid(name: str) -> None:
    batch = read(f"{RUBY}/{name}")
    (each,) = batch.reads
    assert each.encoding == "utf-8" and not batch.failed
    assert all(text.encode() for _, text in each.record.fields)
    lost = any("\ufffd" in text for _, text in each.record.fields)
    assert lost == ("encoding-invalid-bytes" in told(batch))


@pytest.mark.parametrize("name", ["random_tag_order.dat", "random_tag_order2.dat"])
def test_a_directory_out_of_order_is_sound(name: str) -> None:
    batch = read(f"{RUBY}/{name}")
    assert len(batch.reads) == 1 and not told(batch) and not batch.failed
    tags = [tag for tag, _ in batch.reads[0].record.fields]
    assert tags != sorted(tags) and {"001", "245"} <= set(tags)


WRONG_LENGTHS = (
    "dasrmischepriv00rein_meta.mrc", "lesabndioeinas00sche_meta.mrc", "poganucpeoplethe00stowuoft_meta.mrc",
    "new_poganucpeoplethe00stowuoft_meta.mrc",
)  # fmt: skip


@pytest.mark.parametrize("name", WRONG_LENGTHS)
def test_a_wrong_record_length_costs_no_record(name: str) -> None:
    found = sorted(data.path(LIBRARY).rglob(name))
    assert found
    for path in found:
        batch = reading.read(path.read_bytes(), "iso2709")
        assert len(batch.reads) == 1 and not batch.failed
        assert told(batch) == {"iso2709-length", "iso2709-directory"}
        assert all(text[2:3] == "\x1f" for tag, text in batch.reads[0].record.fields if not tag.startswith("00"))


def pairs(kind: str) -> Iterator[str]:
    folder = data.ROOT / LIBRARY
    suffix = ".mrc" if kind == "bin" else "_marc.xml"
    for path in sorted((folder / f"{kind}_expect").glob("*.json")):
        if (folder / f"{kind}_input" / (path.stem + suffix)).exists():
            yield f"{kind}/{path.stem}"


@pytest.mark.parametrize("pair", [*pairs("bin"), *pairs("xml")] or ["bin/none"])
def test_titles_are_those_that_another_reader_expects(pair: str) -> None:
    kind, name = pair.split("/")
    expected = json.loads(data.path(f"{LIBRARY}/{kind}_expect/{name}.json").read_text())
    batch = read(f"{LIBRARY}/{kind}_input/{name}" + (".mrc" if kind == "bin" else "_marc.xml"))
    assert len(batch.reads) == 1 and not batch.failed
    record = batch.reads[0].record
    texts = " ".join(" ".join(values(text, "abnp")) for text in record.all("245", "880", "740", "130", "240"))
    assert _letters(expected["title"]) in _letters(texts)


def _letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


# ---- streams


@pytest.mark.parametrize(
    ("name", "records"),
    [
        ("marc21-bib/jorol__MARC-Schema/journals.mrc", 100),
        ("marc21-bib/evergreen-library-system__Evergreen/oss.marc", 42),
        ("unimarc-cnmarc/indexdata__idzebra/simple-rusmarc", 72),
        ("unimarc-cnmarc/xbib__marc/periouni_first2000.mrc", 2000),
        ("holdings/indexdata__reservoir/mfhd.marc", 14),
    ],
)
def test_every_record_of_a_stream_is_read(name: str, records: int) -> None:
    batch = read(name)
    assert (len(batch.reads), len(batch.failed)) == (records, 0)
    with data.path(name).open("rb") as file:
        pieces = [each for each in stream.stretches(file, "iso2709", size=5000) if not each.fault]
    assert sum(len(reading.read(each.data, "iso2709").reads) for each in pieces) == records


def test_holdings_follow_their_bibliographic_records() -> None:
    batch = read("holdings/indexdata__reservoir/mfhd.marc")
    assert [each.record.leader[6] in "uvxy" for each in batch.reads] == [False, True] * 7
    parents = [(each.record.first("004") or "").strip() for each in batch.reads[1::2]]
    assert parents == [(each.record.first("001") or "").strip() for each in batch.reads[::2]]
    assert batch.reads[1].record.first("001") == "203780362" and batch.reads[13].record.first("001") == "385266588"
    orphan = read("holdings/indexdata__reservoir/mfhd-no-parent.marc").reads[0].record
    assert orphan.leader[6] == "x" and orphan.first("004")


# ---- XML and JSON


def test_a_page_with_invalid_bytes_is_read_whole() -> None:
    batch = read(f"{RESERVOIR}/pennstate-bad-rec-20221216.xml")
    assert len(batch.reads) == 300 and not batch.failed
    assert sum("encoding-invalid-bytes" in told(batch, at) for at in range(300)) == 1


@pytest.mark.parametrize(
    ("name", "live", "deleted"),
    [
        ("oai-response-2.xml", 0, 0), ("oai-response-3.xml", 0, 1), ("oai-response-4.xml", 0, 0),
        ("oai-response-5.xml", 1, 1), ("small-bad-entities.xml", 0, 0),
    ],
)  # fmt: skip
def test_odd_pages_give_what_is_in_them(name: str, live: int, deleted: int) -> None:
    status = [each.record.leader[5] for each in read(f"{RESERVOIR}/{name}").reads]
    assert (len(status) - status.count("d"), status.count("d")) == (live, deleted)


def test_a_forbidden_byte_in_the_second_of_three_records_harms_none() -> None:
    batch = read(f"{RUBY}/three-records-second-bad.xml")
    assert [told(batch, at) for at in range(3)] == [set(), {"xml-control-character"}, set()]


def test_xml_that_is_not_well_formed_as_a_whole_gives_its_records() -> None:
    assert len(read("holdings/evergreen-library-system__Evergreen/serials_marc21.xml").reads) == 7
    (broken,) = read(f"{CONFORMANCE}/NatLibFi__RecordManager/record/marc-broken.xml").reads
    assert broken.record.first("001") == "63" and len(broken.record.fields) > 30


@pytest.mark.parametrize("name", ["invalid-1-broken-json.json", "invalid-2-no-fields.json"])
def test_broken_json_comes_back_with_a_reason(name: str) -> None:
    batch = read(f"dedup/indexdata__reservoir/{name}")
    assert not batch.reads and [each.rule for each in batch.failed] == ["unreadable"]


@pytest.mark.parametrize(
    "name",
    ["aleph-sequential/erroneous", "iso2709/erroneous", "json/erroneous", "marcxml/erroneous", "text/erroneous",
     "oai-marcxml/erroneous1", "oai-marcxml/erroneous2"],
)  # fmt: skip
def test_what_its_source_calls_erroneous_is_no_sound_file(name: str) -> None:
    content = data.path(f"{SERIALIZERS}/{name}").read_bytes()
    try:
        carrier = detect.carrier_of(content)
    except detect.UnknownCarrier:
        return
    pieces = list(stream.stretches(io.BytesIO(content), carrier))
    assert any(reading.read(each.data, carrier).failed for each in pieces)
