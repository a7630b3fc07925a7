"""Carriers by lines and in XML: told by content, read, written and read back; what is none fails and says so."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import BadRecord, Misconfigured
from protocols import detect, iso2709, marc, reading, stream, writing
from protocols.gunzip import Input
from protocols.marc import Record
from protocols.reading import Batch
from tests import builders, data

SERIALIZERS = "marc-conformance/NatLibFi__marc-record-serializers"
LINES = "marc-conformance/NatLibFi__RecordManager/utils/LineBasedMarcFormatter"
ALEPH = "aleph-sequential/pkiraly__qa-catalogue"


def read(content: bytes | str, carrier: str = "") -> Batch:
    raw = content.encode() if isinstance(content, str) else content
    return reading.read(raw, carrier or detect.carrier_of(raw))


def shared(relative: str) -> Batch:
    return read(data.path(relative).read_bytes())


def written(record: Record, carrier: str, encoding: str = "utf-8") -> bytes:
    around = writing.AROUND[carrier]
    return around.before + writing.write(record, carrier, encoding).data + around.after


# ---- every MARC carrier gives a record back

_LEADERS = st.sampled_from(["00000nam a2200000 a 4500", "00000nam0 2200000   450 ", "00000cas a2200000 i 4500"])
_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")),
    min_size=1,
    max_size=30,
).filter(lambda text: "$$" not in text and "^" not in text)
_SUBFIELDS = st.lists(st.tuples(st.sampled_from("abcdehinptvxz0123456789"), _TEXT), min_size=1, max_size=4)
_DATA = st.tuples(
    st.integers(10, 999).map(lambda number: f"{number:03d}").filter(lambda tag: not tag.startswith("00")),
    st.tuples(st.sampled_from(["  ", "10", "1 ", " 0"]), _SUBFIELDS).map(lambda pair: marc.field(*pair)),
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    number = draw(st.integers(1, 999_999_999))
    controls = [
        ("001", f"{number:09d}"),
        ("005", "20240315103000.0"),
        ("008", "240315s2024    xx            000 0 chi d"),
    ]
    return Record(draw(_LEADERS), (*controls, *draw(st.lists(_DATA, min_size=1, max_size=8))))


@pytest.mark.parametrize("carrier", writing.AROUND)
@given(record=records())
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back_the_same(carrier: str, record: Record) -> None:
    content = written(record, carrier)
    assert detect.carrier_of(content) == carrier
    (found,) = read(content).reads
    assert found.record.fields == record.fields
    assert found.record.leader[5:9] + found.record.leader[17:20] == record.leader[5:9] + record.leader[17:20]
    assert reading.decode(found.raw, carrier, found.encoding) == found.record


def test_embedded_fields_survive_in_every_carrier() -> None:
    linked = marc.field(
        " 0", [("1", "001CN000123"), ("1", "2001 "), ("a", "四库全书"), ("v", "第3册"), ("1", "010  "), ("a", "7-5037")]
    )
    record = builders.a_cnmarc(local_id="000000009", f461=linked.replace(marc.DELIMITER, "$"))
    for carrier in writing.AROUND:
        (found,) = read(written(record, carrier)).reads
        assert found.record.first("461") == linked, carrier


@pytest.mark.parametrize("carrier", sorted(writing.ENCODED))
@pytest.mark.parametrize("encoding", ["gb18030", "marc-8", "big5"])
def test_carriers_are_written_in_other_encodings(carrier: str, encoding: str) -> None:
    record = builders.a_marc21(local_id="000000009", title="中國發展報告 {1994} $5", author="叶震")
    content = written(record, carrier, encoding)
    (found,) = reading.read(content, carrier, encoding=encoding).reads
    assert found.record.fields == record.fields


def test_documents_are_utf8_only() -> None:
    with pytest.raises(Misconfigured, match="always UTF-8"):
        writing.check("marcxml", "gb18030")
    with pytest.raises(Misconfigured, match="no such encoding"):
        writing.check("iso2709", "latin-99")
    assert writing.check("mrk", "GB18030") == "gb18030"


def test_what_a_carrier_cannot_say_is_refused() -> None:
    long = builders.a_marc21(f520="  $a" + "x" * 10_000)
    with pytest.raises(iso2709.TooLong, match="field 520 has 10005 bytes"):
        writing.write(long, "iso2709")
    assert read(written(long, "alephseq")).reads[0].record.first("520") == long.first("520")
    with pytest.raises(BadRecord, match="tag '42'"):
        writing.write(Record("", (("42", "  \x1fax"),)), "iso2709")


# ---- .mrk

MRK = """=LDR  00000nam\\\\2200000\\a\\4500
=001  1
=008  920806s1991\\\\\\\\nju\\\\\\\\\\\\\\\\\\\\\\000\\0\\eng\\d
=245  10$a{aelig} costs {dollar}5 {lcub}net{rcub}, {bsol}n
 and so on$bP{acute}e{uml}o
=260  \\\\$aParis$x{nonsense}

=LDR  00000nam\\\\2200000\\a\\4500
=001  2
=245  00$aNext"""


def test_mnemonics_and_wrapped_lines_of_mrk_are_read() -> None:
    batch = read(MRK)
    one, two = batch.reads
    assert one.record.leader == "00000nam  2200000 a 4500"
    assert one.record.first("008") == "920806s1991    nju           000 0 eng d"
    assert one.record.first("245") == "10\x1faæ costs $5 {net}, \\n and so on\x1fbPéö"
    assert one.record.first("260") == "  \x1faParis\x1fx{nonsense}"
    assert one.findings == (("mrk-mnemonic", "unknown, kept as they stand: {nonsense}"),)
    assert (two.record.first("001"), batch.failed) == ("2", [])


def test_mrk_of_the_manual_is_read() -> None:
    (found,) = shared(f"{ALEPH}/02.marcmaker").reads
    title = marc.subfields(found.record.first("245") or "")
    assert title[1][1] == "by John W. Smith III ; with an introduction and commentary by Spencer Yarborough."
    assert found.record.leader == "00000nam  2200000 a 4500"
    assert [each.record.first("003") for each in shared(f"{ALEPH}/04.marcmaker").reads] == ["SpMaBN", "SpMaBN"]


# ---- Aleph sequential


def test_aleph_without_001_takes_the_system_number_and_says_so() -> None:
    (found,) = shared(f"{SERIALIZERS}/aleph-sequential/noF001").reads
    assert found.record.first("001") == "000000004"
    assert found.findings == (("alephseq-001", "the record has no 001: its system number was taken"),)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("alephseq-example1.txt", 9),
        ("alephseq-example2.txt", 100),
        ("alephseq-example3.txt", 1),
        ("alephseq-example4.txt", 1),
        ("alephseq-example6-error.txt", 5),
        ("nkcr-sample-records.txt", 11),
    ],
)
def test_files_of_aleph_are_read_whole(name: str, count: int) -> None:
    batch = shared(f"{ALEPH}/{name}")
    assert (len(batch.reads), batch.failed) == (count, [])
    assert all(len(each.record.leader) == 24 and each.record.leader[20:22] == "45" for each in batch.reads)


def test_two_records_of_one_number_are_two() -> None:
    made = [builders.a_cnmarc(local_id="000000007", title=title) for title in ("天", "地")]
    batch = read(b"".join(writing.write(record, "alephseq").data for record in made))
    assert [each.record.fields for each in batch.reads] == [record.fields for record in made]
    assert not batch.failed


def test_leaders_of_aleph_that_lost_or_won_a_character_are_put_right() -> None:
    (short,) = shared(f"{ALEPH}/alephseq-example5-short-leader.txt").reads
    (long,) = shared(f"{ALEPH}/alephseq-example5-long-leader.txt").reads
    assert short.record.leader == "00000nam a22      a 4500"
    assert long.record.leader == "00000dam  22     uu 4500"  # DEL $aY: deleted
    assert dict(short.findings)["leader-length"] and dict(long.findings)["leader-length"]


def test_hyphens_are_blanks_where_the_leader_has_them() -> None:
    found = shared(f"{ALEPH}/nkcr-sample-records.txt").reads[0].record
    assert found.leader == "     nas a22      i 4500"
    assert found.first("008") == "190724c19999999xr ar p             cze  "
    assert found.first("003") == "CZ-PlERL"


def test_alma_leaves_the_alphabet_out() -> None:
    (found,) = shared(f"{ALEPH}/alephseq-example4.txt").reads
    assert found.record.leader == "01424nam a2200313 a 4500"
    assert (found.record.first("041"), found.record.first("001")) == ("  \x1faeng\x1faara", "990017782740205171")


def test_coded_fields_of_unimarc_in_aleph_have_blanks() -> None:
    lines = ["LDR   L 00000nam0^2200000^^^450^", "001   L 000000007", "100   L $$a19940101d1994^^^^em^y0chiy50^^^^^^ea"]
    lines += ["2001  L $$a天^工$$f宋应星", "210   L $$a上海$$d1994", "801 0 L $$aCN$$bNLC"]
    found = read("".join(f"000000007 {line}\n" for line in lines)).reads[0].record
    assert marc.value(found.first("100") or "", "a") == "19940101d1994    em y0chiy50      ea"
    assert marc.value(found.first("200") or "", "a") == "天^工"


# ---- the same record in several serialisations (expected results of the source)


def plain(path: Path) -> list[list[tuple[str, str]]]:
    """Records of the source's text form, read here with no help of ours: tag, blank, indicators, blank, subfields."""
    found: list[list[tuple[str, str]]] = []
    for line in path.read_text().splitlines():
        if line.startswith("LDR"):
            found.append([])
        elif line[7:8] == "‡":
            found[-1].append((line[:3], line[4:6] + line[7:].replace("‡", "\x1f")))
        else:
            found[-1].append((line[:3], line[7:].replace("^", " ")))
    return found


PAIRS = [
    *(f"aleph-sequential/{{}}{n}" for n in range(1, 9)),
    *(f"aleph-sequential/multiples_{{}}{n}" for n in (1, 2, 3)),
    *(f"aleph-sequential/splitfields-{{}}{n}" for n in (1, 2, 3)),
    *(f"iso2709/{{}}{n}" for n in (1, 2, 3)),
    *(f"marcxml/{{}}{n}" for n in (2, 3, 4)),
    "marcxml/2Records{}1",
    "marcxml/2Records{}2",
    "marcxml/{}-namespace-xml1",
    "json/{}1",
    "oai-marcxml/{}1",
    "oai-marcxml/2Records{}",
]


@pytest.mark.parametrize("pair", PAIRS)
def test_a_record_is_the_same_in_every_serialisation(pair: str) -> None:
    names = ("From", "To") if "Records{}" in pair else ("from", "to")
    batch = shared(f"{SERIALIZERS}/{pair.format(names[0])}")
    expected = plain(data.path(f"{SERIALIZERS}/{pair.format(names[1])}"))
    blanks = [
        [(tag, text.replace("^", " ") if marc.is_control(tag) else text) for tag, text in each.record.fields]
        for each in batch.reads
    ]
    assert not batch.failed
    assert blanks == expected


@pytest.mark.parametrize("name", ["aleph-sequential", "iso2709", "text"])
def test_what_is_no_record_is_refused(name: str) -> None:
    content = data.path(f"{SERIALIZERS}/{name}/erroneous").read_bytes()
    with pytest.raises(detect.UnknownCarrier, match="not a MARC file we read"):
        detect.carrier_of(content)
    forced = "marclines" if name == "text" else name.replace("aleph-sequential", "alephseq")
    batch = reading.read(content, forced)
    assert (len(batch.reads), len(batch.failed)) == (0, 1)


@pytest.mark.parametrize(
    "name", ["marcxml/erroneous", "oai-marcxml/erroneous1", "oai-marcxml/erroneous2", "json/erroneous"]
)
def test_erroneous_documents_fail(name: str) -> None:
    assert shared(f"{SERIALIZERS}/{name}").failed


@pytest.mark.parametrize("name", ["genieplus", "alma", "bad"])
def test_views_of_programs_are_read_as_their_xml(name: str) -> None:
    (found,) = shared(f"{LINES}/{name}.txt").reads
    (expected,) = shared(f"{LINES}/{name}.xml").reads
    assert found.record.leader == expected.record.leader
    controls = re.compile("[\x00-\x1e]")
    texts = [(tag, controls.sub("", text)) for tag, text in found.record.fields]
    assert texts == [(tag, controls.sub("", text)) for tag, text in expected.record.fields]


def test_lines_of_yaz_are_read() -> None:
    lines = "00366nam  22001698a 4500\n001    11224466 \n245 10 $a How to program $c Jack\n260    $a Penguin\n\n"
    (found,) = read(lines).reads
    assert found.record.fields == (
        ("001", "11224466 "), ("245", "10\x1faHow to program\x1fcJack"), ("260", "  \x1faPenguin"),
    )  # fmt: skip


# ---- stretches of lines


@pytest.mark.parametrize("carrier", ["mrk", "alephseq"])
def test_a_long_file_is_cut_where_a_record_begins(carrier: str, tmp_path: Path) -> None:
    made = [builders.a_cnmarc(local_id=f"{number:09d}", title=f"第{number}卷") for number in range(1, 400)]
    file = tmp_path / "long"
    file.write_bytes(b"".join(writing.write(record, carrier).data for record in made))
    seen: list[Record] = []
    with open(file, "rb") as opened:
        pieces = list(stream.stretches(Input(opened, "long"), carrier, size=1 << 14))
    for piece in pieces:
        assert not piece.fault
        seen += [each.record for each in reading.read(piece.data, carrier).reads]
    assert len(pieces) > 10
    assert [each.fields for each in seen] == [each.fields for each in made]
    assert sum(detect.LINES[carrier].count(piece.data) for piece in pieces) == len(made)


# ---- XML


def slim(fields: str, name: str = "record", space: str = "") -> str:
    return f"<{name}{space}><leader>00000nam a2200000 a 4500</leader>{fields}</{name}>"


LIVE = (
    "<controlfield tag='001'>{}</controlfield>"
    "<datafield tag='245' ind1='0' ind2='0'><subfield code='a'>T</subfield></datafield>"
)


def oai(*records: str) -> str:
    return (
        f"<OAI-PMH xmlns='http://www.openarchives.org/OAI/2.0/'><ListRecords>{''.join(records)}</ListRecords></OAI-PMH>"
    )


def live(ident: str, number: str) -> str:
    inner = slim(LIVE.format(number))
    return f"<record><header><identifier>{ident}</identifier></header><metadata>{inner}</metadata></record>"


def gone(ident: str) -> str:
    return f"<record><header status='deleted'><identifier>{ident}</identifier></header></record>"


def test_a_deleted_header_deletes_the_record_that_its_identifier_ends_in() -> None:
    page = read(oai(live("oai:lib:7", "7"), gone("oai:lib:8")))
    assert [(r.record.leader[5], r.record.first("001")) for r in page.reads] == [("n", "7"), ("d", "8")]
    assert not page.failed
    (alone,) = read(oai(gone("oai:alma.LIB:99123"))).reads
    assert (alone.record.leader[5], alone.record.first("001")) == ("d", "99123")


def test_where_identifiers_are_no_control_numbers_a_deletion_hits_nothing_else() -> None:
    page = read(oai(live("oai:lib:7", "ocm0815"), gone("oai:lib:8")))
    assert page.reads[1].record.first("001") == "oai:lib:8"


def test_records_packed_as_text_are_read() -> None:
    packed = slim(LIVE.format("5")).replace("<", "&lt;").replace(">", "&gt;")
    (found,) = read(
        f"<searchRetrieveResponse><records><record><recordData>{packed}</recordData></record></records></searchRetrieveResponse>"
    ).reads
    assert found.record.fields == (("001", "5"), ("245", "00\x1faT"))


def test_oai_marc_is_read_with_its_quotes_and_carets() -> None:
    text = (
        "<oai_marc status='n' type='a' level='m'><fixfield id='1'>\"x1\"</fixfield>"
        "<fixfield id='008'>\"920101s1992^^^^\"</fixfield>"
        "<varfield id='245' i1='1' i2='0'><subfield label='a'>T</subfield></varfield></oai_marc>"
    )
    (found,) = read(text).reads
    assert found.record.fields == (("001", "x1"), ("008", "920101s1992    "), ("245", "10\x1faT"))
    assert found.record.leader[5:8] == "nam"


@pytest.mark.parametrize("number", [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12])
def test_turbomarc_says_what_marcxml_says(number: int) -> None:
    folder = "marc-conformance/indexdata__yaz"
    (turbo,) = shared(f"{folder}/tmarc{number}.xml").reads
    (slim_,) = shared(f"{folder}/xml2marc{number}.xml").reads
    assert [tag for tag, _ in turbo.record.fields] == [tag for tag, _ in slim_.record.fields]


def test_pica_is_no_marc() -> None:
    (failed,) = shared("sru/LibreCat__Catmandu-SRU/picaxml.xml").failed
    assert failed.reason == "this is PICA+, not MARC"


def test_a_page_with_a_bad_record_loses_no_other() -> None:
    batch = shared("oai-pmh/indexdata__reservoir/pennstate-bad-rec-20221216.xml")
    assert len(batch.reads) + len(batch.failed) == 300
    assert len(batch.failed) <= 1


@pytest.mark.parametrize("kind", ["EAD", "ONIX"])
def test_formats_that_are_not_read_are_named(kind: str) -> None:
    root = {"EAD": "<?xml version='1.0'?><ead xmlns='urn:isbn:1-931666-22-9'>", "ONIX": "<ONIXMessage release='3.0'>"}[
        kind
    ]
    with pytest.raises(detect.UnknownCarrier, match=f"this is {kind}"):
        detect.carrier_of(root.encode())


# ---- hostile input: none costs more than its length

SOME = 1 << 20
HOSTILE = {
    "mrk of diacritics without a letter": ("mrk", b"=245  10$a" + b"{acute}" * (SOME // 7)),
    "mrk of empty lines": ("mrk", b"\n" * SOME),
    "mrk of leaders": ("mrk", b"=LDR  x\n" * (SOME // 8)),
    "aleph of continuations": ("alephseq", b"000000001 24510 L $$9^^$$ax^\n" * (SOME // 30)),
    "aleph, one endless record": ("alephseq", b"000000001 24510 L $$9^^$$ax^\n" * (SOME // 7)),
    "aleph of dollars": ("alephseq", b"000000001 245   L $$a" + b"$" * SOME),
    "lines of dollars": ("marclines", b"LDR    00000nam  2200000   4500\n245 10 $a" + b"$" * SOME),
    "deep Dublin Core": ("dc", b"<record>" + b"<dc>" * 200_000 + b"</record>"),
    "an endless ISBN": ("dc", b"<oai_dc:dc><dc:identifier>" + b"9-" * (SOME // 2) + b"</dc:identifier></oai_dc:dc>"),
    "deep MODS": ("mods", b"<mods>" + b"<subject>" * 100_000 + b"</mods>"),
    "records packed in records": ("marcxml", b"<record><a>" + b"&lt;record>" * (SOME // 12) + b"</a></record>"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_carriers_cost_no_more_than_their_length(name: str) -> None:
    carrier, content = HOSTILE[name]
    started = time.process_time()
    batch = reading.read(content, carrier)
    assert time.process_time() - started < 8  # a second on an idle machine; what looks twice at all takes minutes
    assert all(raw in content for raw in [each.raw for each in batch.reads] + [each.raw for each in batch.failed])
