"""Encodings in whole records: mixtures, neighbours, references, private use, marks at beginnings and ends of files."""

from __future__ import annotations

import io

import pytest

from protocols import detect, iso2709, reading, stream, writing
from protocols.charsets import codec, private
from protocols.charsets.encode import encode
from protocols.marc import Record, value

TITLES = ["红楼梦研究资料汇编", "中国图书馆分类法使用手册", "计算机网络与通信技术", "论语译注"]


def record(
    number: int, encoding: str, local: str = "天津图书馆", local_encoding: str = "", leader09: str = " "
) -> bytes:
    """A CNMARC record with a 905 in an encoding of its own."""
    title = TITLES[number % len(TITLES)]
    fields = (
        ("001", f"{number:07}"),
        ("100", "  \x1fa20200101d1982    em y0chiy0120    ea"),
        ("200", f"1 \x1fa{title}\x1ff曹雪芹著"),
        ("210", "  \x1fa北京\x1fc人民文学出版社\x1fd1982"),
        ("606", "0 \x1fa中国文学"),
        ("905", "  \x1fa天津图书馆"),
    )
    contents = [
        (tag, encode(text, local_encoding if tag == "905" and local_encoding else encoding).data)
        for tag, text in fields
    ]
    return bytes_of(f"00000nam {leader09}2200000   450 ", contents)


def bytes_of(leader: str, contents: list[tuple[str, bytes]]) -> bytes:
    """A sound record of fields that are bytes already."""
    entries, at = b"", 0
    for tag, content in contents:
        entries += b"%s%04d%05d" % (tag.encode(), len(content) + 1, at)
        at += len(content) + 1
    base = 24 + len(entries) + 1
    body = b"".join(content + b"\x1e" for _, content in contents)
    head = leader.encode()
    return b"%05d%b%05d%b" % (base + at + 1, head[5:12], base, head[17:24]) + entries + b"\x1e" + body + b"\x1d"


def titles(batch: reading.Batch) -> list[str]:
    return [value(each.record.first("200", "245") or "", "a") for each in batch.reads]


def locals_(batch: reading.Batch) -> list[str]:
    return [value(each.record.first("905") or "", "a") for each in batch.reads]


@pytest.mark.parametrize("count", [1, 30])
@pytest.mark.parametrize(("most", "local"), [("utf-8", "gb18030"), ("gb18030", "utf-8")])
def test_a_local_field_in_another_encoding_is_read_in_its_own(most: str, local: str, count: int) -> None:
    batch = reading.read(b"".join(record(n, most, local_encoding=local) for n in range(count)), "iso2709")
    assert titles(batch) == [TITLES[n % len(TITLES)] for n in range(count)]
    assert locals_(batch) == ["天津图书馆"] * count
    assert {each.encoding for each in batch.reads} == {"utf-8+gb18030"}
    assert all("encoding-mixed" in dict(each.findings) for each in batch.reads)
    kept = [reading.decode(each.raw, "iso2709", each.encoding) for each in batch.reads]
    assert kept == [each.record for each in batch.reads]


def test_one_mixed_record_among_many_of_one_encoding_is_found() -> None:
    data = [record(n, "gb18030", local_encoding="utf-8" if n == 17 else "") for n in range(40)]
    batch = reading.read(b"".join(data), "iso2709", wanted=frozenset(("001", "200", "905")))
    assert locals_(batch) == ["天津图书馆"] * 40
    assert [each.ordinal for each in batch.reads if each.findings] == [17]


def test_records_of_another_encoding_than_the_file_are_told() -> None:
    data = [record(n, "utf-8" if n in (3, 11) else "gb18030") for n in range(20)]
    batch = reading.read(b"".join(data), "iso2709")
    assert titles(batch) == [TITLES[n % len(TITLES)] for n in range(20)]
    told = {each.ordinal: dict(each.findings) for each in batch.reads if each.findings}
    assert {number: list(found) for number, found in told.items()} == {
        3: ["encoding-neighbours"],
        11: ["encoding-neighbours"],
    }


def test_marc21_of_two_encodings_that_says_so_is_not_told() -> None:
    marc8 = bytes_of("00000nam  2200000 a 4500", [("245", b"10\x1faSoci\xe2et\xe2e de g\xe2eographie")])
    utf8 = bytes_of("00000nam a2200000 a 4500", [("245", "10\x1faSociété de géographie".encode())])
    batch = reading.read(marc8 * 3 + utf8, "iso2709")
    assert titles(batch) == ["Société de géographie"] * 4
    assert not any(each.findings for each in batch.reads)


@pytest.mark.parametrize("hint", ["0120", "0121", "50  ", "####", "    ", "01"])
@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "big5"])
def test_what_100_says_of_the_encoding_is_a_hint_only(encoding: str, hint: str) -> None:
    title = "臺灣圖書館分類法使用手冊" if encoding == "big5" else TITLES[0]
    publisher = "臺灣學生書局" if encoding == "big5" else "人民文学出版社"
    for leader09 in " a0":
        data = bytes_of(
            f"00000nam {leader09}2200000   450 ",
            [
                ("100", f"  \x1fa20200101d1982    em y0chiy{hint}    ea".encode()),
                ("200", encode(f"1 \x1fa{title}", encoding).data),
                ("210", encode(f"  \x1fc{publisher}", encoding).data),
            ],
        )
        batch = reading.read(data, "iso2709")
        assert (titles(batch), batch.reads[0].encoding) == ([title], encoding)


def test_references_are_read_where_the_encoding_is_not_unicode() -> None:
    for encoding in ("gb18030", "gbk", "big5", "koi8-r", "cp1251", "latin-1", "marc-8", "iso-5426"):
        data = bytes_of("00000nam  2200000   450 ", [("001", b"1"), ("200", b"1 \x1fa&#x6F22;&#28450; &#xZ; \xa4\xa4")])
        read = reading.read(data, "iso2709", encoding=encoding).reads[0]
        assert value(read.record.first("200") or "", "a").startswith("漢漢 &#xZ; "), encoding
        assert reading.decode(data, "iso2709", read.encoding) == read.record
    kept = bytes_of("00000nam a2200000   450 ", [("001", b"1"), ("200", "1 \x1fa&#x6F22;中".encode())])
    assert titles(reading.read(kept, "iso2709")) == ["&#x6F22;中"]


def test_gb18030_private_use_is_what_it_is_assigned_to_since() -> None:
    text = "1 \x1fa中国\x1fb"
    data = bytes_of("00000nam  2200000   450 ", [("200", text.encode("gb18030") + b"\xa6\xd9\xfe\x59"), ("905", b"  ")])
    for wanted in (None, frozenset(("905",))):
        read = reading.read(data, "iso2709", encoding="gb18030", wanted=wanted).reads[0]
        assert read.encoding == f"gb18030/{private.GB18030_2022}"
        assert reading.decode(data, "iso2709", read.encoding).first("200") == text + "︐龴"


@pytest.mark.parametrize("carrier", ["iso2709", "marcxml", "mrk"])
@pytest.mark.parametrize("wanted", [None, frozenset(("001",))])
def test_a_sources_table_is_applied_and_remembered(carrier: str, wanted: frozenset[str] | None) -> None:
    table = private.body("E123\t堃\nE124\tU+20000\n")
    key = private.number(table)
    source = Record("00000nam a2200000   450 ", (("001", "1"), ("200", "1 \x1fa\ue123\x1ff\ue124 \ue125")))
    plain = Record(source.leader, (("001", "2"), ("200", "1 \x1fa中")))
    data = b"".join(writing.write(each, carrier).data for each in (source, plain))
    if carrier == "marcxml":
        data = b"<collection>" + data + b"</collection>"
    reads = reading.read(data, carrier, wanted=wanted, characters=table).reads
    assert [each.encoding for each in reads] == [f"utf-8/{key}", "utf-8"]
    for each in reads:  # the bytes stay, and are read so again
        whole = reading.decode(each.raw, carrier, each.encoding)
        assert ("\ue123" in each.raw.decode()) == (each is reads[0])
        assert whole.first("200") == ("1 \x1fa堃\x1ff\U00020000 \ue125" if each is reads[0] else "1 \x1fa中")
    assert reading.read(data, carrier).reads[0].encoding == "utf-8"


def test_marks_of_byte_order_before_records_and_in_the_middle_of_a_file() -> None:
    one, two = record(1, "utf-8"), record(2, "utf-8")
    for data in (b"\xef\xbb\xbf" + one + two, one + b"\xef\xbb\xbf" + two, one + b"\r\n\xef\xbb\xbf" + two + b"\r\n"):
        batch = reading.read(data, "iso2709")
        assert titles(batch) == [TITLES[1], TITLES[2]]
        assert not batch.failed
        assert batch.padding + sum(len(each.raw) for each in batch.reads) == len(data)


def test_line_ends_after_records_and_within_them() -> None:
    one, two = record(1, "gb18030"), record(2, "gb18030")
    after = reading.read(one + b"\r\n" + two + b"\r\n\x1a", "iso2709")
    assert titles(after) == [TITLES[1], TITLES[2]] and not any(each.findings for each in after.reads)
    wrapped = one.replace(b"\x1e", b"\x1e\r\n")
    within = reading.read(wrapped + two, "iso2709")
    assert [each.encoding for each in within.reads] == ["gb18030", "gb18030"]
    assert [title.strip() for title in titles(within)] == [TITLES[1], TITLES[2]]


@pytest.mark.parametrize("wide", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_xml_is_read(wide: str) -> None:
    text = (
        f'<?xml version="1.0" encoding="{wide.upper()}"?><collection><record><leader>00000nam a2200000   450 </leader>'
        '<controlfield tag="001">1</controlfield><datafield tag="200" ind1="1" ind2=" "><subfield code="a">红楼梦 𠀀'
        "</subfield></datafield></record></collection>"
    )
    data = text.encode(wide)
    assert detect.carrier_of(data) == "marcxml"
    pieces = stream.stretches(io.BytesIO(data), "marcxml")
    assert [title for piece in pieces for title in titles(reading.read(piece.data, "marcxml"))] == ["红楼梦 𠀀"]


@pytest.mark.parametrize("leader09", ["a", " ", "0", "-", "#"])
@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_a_leader_that_names_another_encoding_changes_nothing(encoding: str, leader09: str) -> None:
    batch = reading.read(record(0, encoding, leader09=leader09), "iso2709")
    assert titles(batch) == [TITLES[0]]
    assert ("encoding-leader" in dict(batch.reads[0].findings)) == (leader09 == "a" and encoding != "utf-8")


def test_an_override_is_followed_against_the_evidence() -> None:
    read = reading.read(record(0, "utf-8"), "iso2709", encoding="gb18030").reads[0]
    assert read.encoding.startswith("gb18030") and value(read.record.first("200") or "", "a") != TITLES[0]
    assert codec.known("GBK") == "gbk" and codec.known("gb2312") == "gbk"


def test_written_records_are_read_in_the_encoding_they_were_written_in() -> None:
    source = Record(
        "00000nam  2200000   450 ",
        (("001", "1"), ("200", "1 \x1fa红楼梦研究\x1ff曹雪芹著"), ("210", "  \x1fc文学出版社")),
    )
    for encoding in ("utf-8", "gb18030", "gbk", "marc-8"):
        told = iso2709.encoded(source, encoding)
        read = reading.read(told.data, "iso2709").reads[0]
        expected = {"gbk": "gb18030"}.get(encoding, encoding)
        assert (read.record.fields, read.encoding) == (source.fields, expected), encoding
