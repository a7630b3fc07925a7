"""What leaves the node: a merged record in every form, and which links may be followed."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pymarc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from catalog import packing
from catalog.model import Cluster, Description, Format, Holding, Published
from dms import describe
from protocols import marc, marcjson, marcxml
from protocols.marc import Record
from protocols.oaipmh import provider
from services.delivery import identifiers, links, render, rows, slim
from tests import builders

AT = datetime(2026, 3, 1, 8, 30, 15, 999_999, tzinfo=UTC)
MARC = "{http://www.loc.gov/MARC21/slim}"
DC = "{http://purl.org/dc/elements/1.1/}"


def published(record: Record, format: Format = Format.MARC21, **given: object) -> Published:
    values: dict[str, object] = {
        "cluster": Cluster(10),
        "id": "CN-NODE.00000a",
        "seq": 1,
        "at": AT,
        "deleted": False,
        "format": format,
        "body": packing.pack(record),
        "description": describe.describe(record, format),
    }
    return Published(**(values | given))  # type: ignore[arg-type]


def test_the_numbers_of_a_record_are_those_of_its_cluster() -> None:
    record = builders.a_marc21(local_id="ocm00417", stamp="19990101000000.0", f003="DLC")
    fields = render.record(published(record)).fields
    assert fields[:2] == (("001", "CN-NODE.00000a"), ("005", "20260301083015.0"))
    assert [tag for tag, _ in fields].count("001") == [tag for tag, _ in fields].count("005") == 1
    assert "003" not in [tag for tag, _ in fields]


@pytest.mark.parametrize(
    ("record", "format", "coding"),
    [(builders.a_marc21(), Format.MARC21, "a"), (builders.a_cnmarc(), Format.CNMARC, " ")],
)
def test_the_leader_tells_the_encoding_as_its_format_wants(record: Record, format: Format, coding: str) -> None:
    wrong = Record(record.leader[:9] + "?" + record.leader[10:], record.fields)
    assert render.record(published(wrong, format)).leader[9] == coding


def test_cnmarc_names_the_character_set_it_is_written_in() -> None:
    coded = "20010912d1999    ekmy0chiy0120    ea"
    record = builders.a_cnmarc(f100=f"  $a{coded}")
    [text] = render.record(published(record, Format.CNMARC)).all("100")
    assert text == "  \x1fa20010912d1999    ekmy0chiy50      ea"
    short = builders.a_cnmarc(f100="  $a19990101")
    assert render.record(published(short, Format.CNMARC)).all("100") == ["  \x1fa19990101"]


@pytest.mark.parametrize(
    ("record", "format"),
    [(builders.a_marc21(title="Über Gärten"), Format.MARC21), (builders.a_cnmarc(), Format.CNMARC)],
)
def test_every_carrier_gives_the_record_back(record: Record, format: Format) -> None:
    of = published(record, format)
    fields = render.record(of).fields
    assert marcxml.read(render.as_marcxml(of).encode())[0].fields == fields
    assert marcjson.read(render.as_marcjson(of).encode())[0].fields == fields
    foreign = next(iter(pymarc.MARCReader(io.BytesIO(render.as_iso2709(of)), force_utf8=True)))
    assert foreign is not None
    assert foreign["001"].value() == of.id
    title = next(marc.value(text, "a") for tag, text in fields if tag in ("245", "200"))
    assert foreign["245" if format is Format.MARC21 else "200"]["a"] == title


def test_a_tombstone_renders_as_nothing() -> None:
    gone = published(builders.a_marc21(), deleted=True, body=b"", description=None)
    for write in (render.as_marcxml, render.as_iso2709, render.as_marcjson, render.as_dc):
        with pytest.raises(render.Tombstone):
            write(gone)


TOLD = Description(
    title="红楼梦",
    subtitle="校注本",
    volume="上册",
    parallel=("Dream of the red chamber",),
    responsibility="曹雪芹著",
    authors=("曹雪芹", "高鹗"),
    place="北京",
    publisher="人民文学出版社",
    date="2008.7",
    year=2008,
    isbns=("9787020002207",),
    subjects=("章回小说",),
    classification=("I242.4",),
    languages=("chi", "xxx"),
    links=("https://example.org/a?b&c",),
)


def test_dublin_core_says_what_the_record_says() -> None:
    record = builders.a_cnmarc(author="曹雪芹", f200="1 $a红楼梦$e校注本$h上册$f曹雪芹著")
    root = etree.fromstring(render.as_dc(published(record, Format.CNMARC)))
    said = [(child.tag.removeprefix(DC), child.text) for child in root]
    assert said[0] == ("title", "红楼梦 : 校注本 : 上册")
    assert {("creator", "曹雪芹"), ("language", "chi"), ("identifier", "CN-NODE.00000a")} <= set(said)


@given(st.text(), st.text())
def test_no_text_breaks_dublin_core_or_marcxml(title: str, note: str) -> None:
    told = Record(builders.MARC21_LEADER, (("245", f"00\x1fa{title}"), ("500", f"  \x1fa{note}")))
    etree.fromstring(render.as_dc(published(told)))
    clean = title.encode("utf-8", "replace").decode().replace("\x1f", "").replace("\x1e", "").replace("\x1d", "")
    record = Record(builders.MARC21_LEADER, (("245", marc.field("00", [("a", clean)])),))
    etree.fromstring(render.as_marcxml(published(record)).encode())


SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "protocol" / "schemas" / "marcxml.xsd"))
CHARACTERS = st.text(st.characters(codec="utf-8"), max_size=6)
FIELDS = st.tuples(
    st.text("0129aZ@# ", min_size=3, max_size=3) | st.just("245"), CHARACTERS | st.just("1#\x1fa<&\x1f&b")
)


@given(st.lists(FIELDS, max_size=5), CHARACTERS)
def test_no_record_makes_marcxml_invalid(fields: list[tuple[str, str]], leader: str) -> None:
    root = etree.fromstring(slim.write(Record(leader, tuple(fields))).encode())
    SCHEMA.assertValid(root)


def test_marcxml_keeps_every_subfield_that_has_a_name() -> None:
    text = marc.field("1|", [("a", "R&D <b>"), ("é", "lost"), ("&", "kept"), ("9", 'say "so"')])
    record = Record(builders.MARC21_LEADER, (("245", text), ("@@@", "  \x1faLost"), ("500", "  no subfield")))
    read, findings = marcxml.read(slim.write(record).encode())
    assert read.fields == (("245", '1 \x1faR&D <b>\x1f&kept\x1f9say "so"'),)
    assert not findings


def test_rows_speak_the_readers_language_and_leave_out_what_is_unknown() -> None:
    chinese = {row.label: row.values for row in rows.of(TOLD, "zh")}
    english = {row.label: row.values for row in rows.of(TOLD, "en")}
    assert chinese["出版发行"] == english["Published"] == ("北京 : 人民文学出版社, 2008.7",)
    assert chinese["语种"] == ("汉语", "xxx") and english["Language"] == ("Chinese", "xxx")
    assert chinese["文献类型"] == ("图书",) and english["Type"] == ("Book",)
    assert "Edition" not in english


def test_text_names_the_holding_libraries() -> None:
    held = [("CN-TJU", Holding(library="CN-TJU", call_number="I242.4/1")), ("CN-X", Holding(library="CN-X"))]
    lines = rows.text(TOLD, "CN-NODE.00000a", held, {"CN-TJU": "天津大学图书馆"}, "zh").splitlines()
    assert lines[:2] == ["红楼梦 : 校注本. 上册", "ID: CN-NODE.00000a"]
    assert lines[-2:] == ["  天津大学图书馆: I242.4/1", "  CN-X"]


def test_the_marc_view_shows_blanks_and_subfields() -> None:
    record = Record("00000nam0 2200000   450 ", (("200", "1 \x1fa红楼梦\x1ff曹雪芹著"),))
    assert render.as_lines(render.record(published(record, Format.CNMARC))).splitlines() == [
        "LDR    00000nam0 2200000   450 ",
        "001    CN-NODE.00000a",
        "005    20260301083015.0",
        "200 1# $a 红楼梦 $f 曹雪芹著",
    ]


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:msgbox(1)",
        "//example.org/a",
        "/records/1",
        "http:/example.org",
        "http://[broken",
        "https://example.org/" + "a" * 3000,
        "",
    ],
)
def test_only_web_addresses_become_links(address: str) -> None:
    assert links.safe(address) == ""


def test_a_web_address_stays_as_it_is() -> None:
    assert links.safe(" https://example.org/书?a=1&b=2#c ") == "https://example.org/书?a=1&b=2#c"


@pytest.mark.parametrize(
    ("symbol", "namespace"), [("CN-TJU", "cn-tju.tianlu"), ("310000", "n310000.tianlu"), ("A_b.C", "a-b-c.tianlu")]
)
def test_oai_identifiers_go_both_ways(symbol: str, namespace: str) -> None:
    assert identifiers.namespace(symbol) == namespace
    identifier = identifiers.oai(symbol, f"{symbol}.00000a")
    assert identifiers.cluster_of(identifier, symbol) == f"{symbol}.00000a"
    assert identifiers.cluster_of(identifier, "CN-OTHER") == ""


@given(st.sets(st.text(st.characters(codec="utf-8"), min_size=1), min_size=2, max_size=2))
def test_any_symbol_makes_a_legal_set_name_of_its_own(symbols: set[str]) -> None:
    specs = {identifiers.set_spec(each) for each in symbols}
    assert len(specs) == 2
    assert all(provider.SET_SPEC.fullmatch(each) for each in specs)
