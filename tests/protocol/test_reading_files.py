"""Real files: what their own sources say of them, and every file at least as fully as the better of pymarc and YAZ."""

from __future__ import annotations

import gzip
import io
import json
import re
import subprocess
import unicodedata
from pathlib import Path

import pymarc
import pytest
from lxml import etree

from protocols import detect, dialect, reading
from protocols.marc import Record, value
from tests import data, programs

FOLDERS = ("marc21-bib", "unimarc-cnmarc", "marc-conformance", "authority", "holdings")
Gist = tuple[str, tuple[str, ...]]  # 001, values of the title field


def read(relative: str, encoding: str = "auto") -> reading.Batch:
    content = data.path(relative).read_bytes()
    return reading.read(content, detect.carrier_of(content), encoding=encoding)


def title(record: Record, code: str = "a") -> str:
    return value(record.first("245", "200") or "", code)


def test_bad_records_are_read_where_they_can_be() -> None:
    batch = read("marc-conformance/edsu__pymarc/bad_records.mrc")
    assert [title(each.record) for each in batch.reads] == ["The pragmatic programmer : "] * 7
    assert [bool(each.findings) for each in batch.reads] == [False, True, True, True, True, True, False]
    assert [each.ordinal for each in batch.failed] == [6]


def test_journals_with_line_ends_between_are_all_read() -> None:
    batch = read("marc21-bib/jorol__MARC-Schema/journals.mrc")
    assert len(batch.reads) == 100 and not any(each.findings for each in batch.reads)


def test_long_fields_are_whole() -> None:
    batch = read("marc-conformance/internetarchive__openlibrary/bin_input/wrapped_lines.mrc")
    assert [len(text[4:]) for text in batch.reads[0].record.all("520")] == [2290, 243]


@pytest.mark.parametrize("name", ["bnu_cnmarc_gb18030.iso", "bnu_cnmarc_utf8.iso"])
def test_cnmarc_has_no_mojibake(name: str) -> None:
    batch = read(f"unimarc-cnmarc/DigitalPlatform__dp2/{name}")
    assert title(batch.reads[0].record) == "'94中国发展报告"
    assert {dialect.family(each.record) for each in batch.reads} == {"cnmarc"}
    other = read("unimarc-cnmarc/DigitalPlatform__dp2/bnu_cnmarc_utf8.iso")
    assert [each.record.fields for each in batch.reads] == [each.record.fields for each in other.reads]


def test_cnmarc_with_wrong_lengths_is_read_by_terminators() -> None:
    batch = read("unimarc-cnmarc/1000copy__openilas/openilas_cnmarc_gb18030.iso")
    each = batch.reads[0]
    assert (each.encoding, each.findings[0][0]) == ("gb18030", "iso2709-directory")
    assert all("\ufffd" not in text for _, text in each.record.fields)
    assert all(text[2:3] == "\x1f" for tag, text in each.record.fields if not tag.startswith("00"))


def test_rusmarc_is_koi8_r() -> None:
    batch = read("unimarc-cnmarc/indexdata__idzebra/simple-rusmarc")
    assert len(batch.reads) == 72 and {each.encoding for each in batch.reads} == {"koi8-r"}
    text = "".join(title(each.record) for each in batch.reads)
    assert len(re.findall("[а-яё]", text)) > 0.6 * len(text)


def test_encodings_that_the_leader_gets_wrong() -> None:
    folder = "marc-conformance/ruby-marc__ruby-marc/"
    accented = read(folder + "marc8_accented_chars.marc").reads[0]
    assert value(accented.record.first("100") or "", "a") == "Serreau, Genevi\u00e8ve."
    assert "encoding-leader" in dict(accented.findings)
    escaped = read(folder + "escaped_character_reference.marc8.marc").reads[0].record
    assert value(escaped.first("260") or "", "a") == "Rio de Janeiro escaped replacement char: \ufffd ."
    assert "\ufffd" in value(read(folder + "bad_eacc_encoding.marc8.marc").reads[0].record.first("880") or "", "a")
    assert "=> \ufffd( <=" in title(read(folder + "utf8_with_bad_bytes.marc").reads[0].record)
    assert [each.record.all("001")[0][:1] for each in read(folder + "cp866_multirecord.marc").reads] == ["Н", "Н"]


@pytest.mark.parametrize("number", range(13))
def test_yaz_conversion_pairs(number: int) -> None:
    folder = data.path("marc-conformance/indexdata__yaz")
    charset = (folder / f"marc{number}.chr").read_text().strip()
    given = reading.read((folder / f"marc{number}.marc").read_bytes(), "iso2709", encoding=charset)
    expected = reading.read((folder / f"marc{number}.xml").read_bytes(), "marcxml")
    if number == 4:  # five bytes before the leader: YAZ keeps no field
        assert [len(each.record.fields) for each in given.reads] == [26] and not expected.reads
        return
    for each, other in zip(given.reads, expected.reads, strict=True):
        assert [tag for tag, _ in each.record.fields] == [tag for tag, _ in other.record.fields]
        pairs = zip(each.record.fields, other.record.fields, strict=True)
        # where the first delimiter is lost YAZ takes the next character for a code; danMARC (10, 11) and damaged
        # MARC-8 (12) say some characters in several ways
        sound = [(_folded(mine), _folded(theirs)) for (tag, mine), (_, theirs) in pairs if _delimited(tag, mine)]
        wrong = [pair for pair in sound if pair[0] != pair[1]]
        assert sound or number == 0
        if number in (10, 11, 12):
            assert title(each.record) == title(other.record)
        else:
            assert not wrong


def _delimited(tag: str, text: str) -> bool:
    return tag.startswith("00") or text.lstrip("0123456789 ").startswith("\x1f")


# A mark over two letters: YAZ writes one character and drops the second half, we keep the halves as LC's table may.
HALVES = {0xFE20: "\u0361", 0xFE21: None, 0xFE22: "\u0360", 0xFE23: None}


def _folded(text: str) -> str:
    """Text after NFC, with two indicators (danMARC has three)."""
    signs, delimiter, rest = text.partition("\x1f")
    whole = signs[:2] + delimiter + rest if delimiter else text
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", whole).translate(HALVES)).rstrip()


def files(*carriers: str) -> list[tuple[Path, bytes, str]]:
    """Every file of the collections that is of one of the carriers."""
    found = []
    for folder in FOLDERS:
        for path in sorted(data.path(folder).rglob("*")):
            if not path.is_file():
                continue
            content = path.read_bytes()
            content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
            try:
                carrier = detect.carrier_of(content)
            except detect.UnknownCarrier:
                continue
            if carrier in carriers:
                found.append((path, content, carrier))
    return found


def gist(record: Record) -> Gist:
    text = record.first("245", "200") or ""
    parts = tuple(unicodedata.normalize("NFC", part[1:]).strip() for part in text.split("\x1f")[1:])
    number = record.first("001") or ""
    return ("" if "\x1f" in number else number.strip()), parts


def by_pymarc(content: bytes) -> list[Gist]:
    try:
        records = [each for each in pymarc.MARCReader(io.BytesIO(content), permissive=True) if each is not None]
    except Exception:  # whatever pymarc does with broken files
        return []
    return [_gist_of(each) for each in records if each.fields]


def _gist_of(record: pymarc.Record) -> Gist:
    fields = record.get_fields("245") or record.get_fields("200")
    parts = (
        tuple(unicodedata.normalize("NFC", sub.value).strip() for sub in fields[0].subfields or ()) if fields else ()
    )
    number = record.get("001")
    return ((number.data or "") if number else "").strip(), parts


def by_yaz(path: Path, content: bytes, kind: str) -> list[Gist]:
    source = "utf-8" if kind != "marc" or content[9:10] == b"a" else "marc-8"
    command = [programs.need("yaz-marcdump"), "-i", kind, "-f", source, "-t", "utf-8", "-o", "marcxml", str(path)]
    output = subprocess.run(command, capture_output=True, timeout=60, check=False).stdout
    found = []
    root = etree.fromstring(output, etree.XMLParser(recover=True, huge_tree=True)) if output.strip() else None
    for each in (
        child
        for child in (root if root is not None else ())
        if isinstance(child.tag, str) and child.tag.endswith("record")
    ):
        children = [child for child in each if isinstance(child.tag, str)]
        fields = [child for child in children if not child.tag.endswith("leader")]
        if fields:
            number = next(((child.text or "").strip() for child in fields if child.get("tag") == "001"), "")
            named = {tag: child for tag in ("200", "245") for child in reversed(fields) if child.get("tag") == tag}
            subs = named.get("245", named.get("200", ()))
            parts = tuple(
                unicodedata.normalize("NFC", sub.text or "").strip() for sub in subs if isinstance(sub.tag, str)
            )
            found.append((number, parts))
    return found


@pytest.mark.full
@pytest.mark.filterwarnings("ignore")  # pymarc warns of every odd subfield code
def test_every_iso2709_file_is_read_as_fully_as_by_the_better_of_pymarc_and_yaz() -> None:
    cases = files("iso2709")
    assert len(cases) > 100
    compared = 0
    for path, content, _ in cases:
        batch = reading.read(content, "iso2709")
        ours = [gist(each.record) for each in batch.reads]
        theirs, yaz = by_pymarc(content), by_yaz(path, content, "marc")
        assert len(ours) >= max(len(theirs), len(yaz)), path
        if len(theirs) == len(yaz) == len(ours):
            for each, mine, one, other in zip(batch.reads, ours, theirs, yaz, strict=True):
                agrees = each.encoding == "marc-8" or each.raw.isascii() or each.raw[9:10] == b"a"
                if one == other and one[1] and agrees:  # both take the leader's word for the encoding
                    compared += 1
                    assert mine == one, (path, each.ordinal, each.encoding, each.findings)
    assert compared > 3000


def test_every_marcxml_file_is_read_as_fully_as_by_pymarc() -> None:
    cases = [case for case in files("marcxml") if len(case[1]) < 1 << 20]
    assert len(cases) > 50
    for path, content, _ in cases:
        try:
            parsed = pymarc.parse_xml_to_array(io.BytesIO(content))  # type: ignore[no-untyped-call]
            theirs = [each for each in parsed if each and each.fields]
        except Exception:  # whatever its parser does with broken XML
            theirs = []
        batch = reading.read(content, "marcxml")
        assert len(batch.reads) >= len(theirs), path
        if len(batch.reads) == len(theirs):
            assert [gist(each.record) for each in batch.reads] == [_gist_of(each) for each in theirs], path


def test_every_marc_in_json_file_is_read_as_fully_as_by_pymarc() -> None:
    for path, content, _ in files("marcjson"):
        try:
            theirs = pymarc.parse_json_to_array(content.decode())  # type: ignore[no-untyped-call]
        except Exception:  # not one JSON document, or not its form
            theirs = []
        batch = reading.read(content, "marcjson")
        assert len(batch.reads) >= len([each for each in theirs if each.fields]), path


@pytest.mark.parametrize("name", ["edsu__pymarc/batch.json", "traject__traject/test_data.utf8.json"])
def test_json_equals_its_iso2709_twin(name: str) -> None:
    batch = read(f"marc-conformance/{name}")
    assert batch.reads and not batch.failed
    whole = data.path(f"marc-conformance/{name}").read_text()
    assert len(batch.reads) == len(json.loads(whole)) if whole.startswith("[") else whole.count('"leader"')
