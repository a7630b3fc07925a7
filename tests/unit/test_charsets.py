"""Bytes to text: MARC-8 with its sets, other encodings, and the judgement which one it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Misconfigured
from protocols.charsets import codec, evidence, marc8, points, sniff
from tests import data

RUSSIAN = "Основы библиотечного дела и библиографии. Учебное пособие для студентов, Москва: Просвещение"
CHINESE = "中国图书馆分类法使用手册，国家图书馆编，北京：书目文献出版社，一九九九年"
TRADITIONAL = "臺灣圖書館分類法使用手冊，國家圖書館編，臺北：學生書局，民國八十八年"
FRENCH = "Société de géographie : mémoires présentés à l'Académie des sciences, où paraît l'été"
GERMAN = "Die Gemälde der Münchener Künstler, erläutert für die Schüler höherer Schulen, Köln"


def test_marc8_equals_the_published_pairs_line_by_line() -> None:
    folder = data.path("marc-conformance/edsu__pymarc")
    marc8_lines = (folder / "test_marc8.txt").read_bytes().split(b"\n")
    utf8_lines = (folder / "test_utf8.txt").read_bytes().split(b"\n")
    wrong = [
        number
        for number, (given_, expected) in enumerate(zip(marc8_lines, utf8_lines, strict=True))
        if marc8.decode(given_)[0] != expected.decode()
    ]
    assert len(marc8_lines) >= 1516
    assert wrong == []


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (b"Citt\xe1a", "Citt\u00e0"),  # a mark comes before its letter
        (b"\xe2\xe3a", unicodedata.normalize("NFC", "a\u0301\u0302")),  # two marks, in their order
        (b"\xebi\xeca", "i\ufe20a\ufe21"),  # the halves of a ligature stay with their letters
        (b"\x1bgabc\x1bs abc", "\u03b1\u03b2\u03b3 abc"),  # Greek symbols by technique 1, and back
        (b"H\x1bb2\x1bsO 10\x1bp3\x1bs", "H\u2082O 10\u00b3"),  # subscript, superscript
        (b"\x1b$1!0!\x1b(B.", "\u4e00."),  # EACC in G0
        (b"\x1b$)1\xa1\xb0\xa1 a", "\u4e00 a"),  # EACC in G1, ASCII still in G0
        (b"\x1b(NAB\x1b(B", "\u0430\u0431"),  # basic Cyrillic in G0
        (b"\x1b)N\xc1\xc2", "\u0430\u0431"),  # and in G1
        (b"\x1b(2abc\x1b(B", "\u05d1\u05d2\u05d3"),  # Hebrew
        (b"\x1b)!E\xb5\xa2", "\u00e6\u00d8"),  # ANSEL named in full
        (b"Soci\xe2et\xe2e \x1b%G\xe6\xbc\xa2\xc3\xa9\x1b%@ Citt\xe1a", "Société 漢é Città"),  # a passage in UTF-8
        (b"\x1b%G\xe6\xbc\xa2", "漢"),
        (b"&#x4F60; &#xZZ;", "\u4f60 &#xZZ;"),  # LC's lossless form
        (b"\x88The \x89title", "\u0098The \u009ctitle"),  # non-sorting marks
    ],
)
def test_marc8_sets_and_marks(given_: bytes, expected: str) -> None:
    assert marc8.decode(given_) == (expected, 0)


def test_marc8_loses_only_what_has_no_meaning() -> None:
    text, lost = marc8.decode(b"10\xffa before \x1b$1!\x1b(B\x1fb after \x1b and \xe2e")
    assert lost == 3
    assert text.startswith("10\ufffda before ") and text.endswith("\x1fb after  and \u00e9")


def test_marc8_starts_every_subfield_from_the_default_sets() -> None:
    assert marc8.decode(b"  \x1fa\x1b(Nabc\x1fbabc")[0].endswith("\x1fbabc")


@given(st.binary(max_size=80))
def test_marc8_never_fails_and_keeps_the_subfields(noise: bytes) -> None:
    text, lost = marc8.decode(noise)
    assert text.count("\x1f") == noise.count(b"\x1f")
    assert lost >= 0 and text.isprintable() in (True, False)
    text.encode("utf-8")


def test_the_quick_way_of_marc8_equals_the_full_one() -> None:
    # the quick way is taken when no escape is there; an escape to the default sets forces the full one
    for high in range(0x80, 0x100):
        for sample in (b"a%co" % high, b"%c%ca" % (high, 0xE2), b"x%c" % high):
            assert marc8.decode(sample) == marc8.decode(b"\x1b(B" + sample)


def test_other_encodings_decode_by_name() -> None:
    assert codec.decode("中文".encode("gb18030"), "gb18030") == ("中文", 0)
    assert codec.decode("書碁".encode("cp950"), codec.known("Big5")) == ("書碁", 0)
    assert codec.decode(b"\xc2a", codec.known("ISO5426")) == ("\u00e1", 0)
    assert codec.decode(b"k\xf8n @@ @00E5 @\xe5", codec.known("danmarc")) == ("køn @ å ꜳ", 0)
    assert codec.decode(b"a\xff\xd6\xd0", "gb18030")[1] == 1
    assert {codec.known(name) for name in ("MARC8", "marc-8", "ANSEL")} == {"marc-8"}


def test_an_unknown_encoding_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Misconfigured, match="gb18030"):
        codec.known("klingon-8")


@pytest.mark.parametrize(
    ("sample", "hint", "expected"),
    [
        (b"plain", sniff.Hint(), "utf-8"),
        (FRENCH.encode(), sniff.Hint(), "utf-8"),
        (CHINESE.encode("gb18030"), sniff.Hint(family="cnmarc"), "gb18030"),
        (CHINESE.encode("gb18030"), sniff.Hint(leader09="a"), "gb18030"),
        (TRADITIONAL.encode("cp950"), sniff.Hint(family="cnmarc"), "big5"),
        (RUSSIAN.encode("koi8-r"), sniff.Hint(family="cnmarc"), "koi8-r"),
        (RUSSIAN.encode("cp1251"), sniff.Hint(), "cp1251"),
        (RUSSIAN.encode("cp866"), sniff.Hint(), "cp866"),
        (FRENCH.encode("latin-1"), sniff.Hint(), "latin-1"),
        (GERMAN.encode("latin-1"), sniff.Hint(leader09="a"), "latin-1"),
        (b"Soci\xe2et\xe2e de g\xe2eographie \xe1a l'\xe2etranger", sniff.Hint(), "marc-8"),
        (b"Soci\xe2et\xe2e de g\xe2eographie \xe1a l'\xe2etranger", sniff.Hint(leader09="a"), "marc-8"),
        (b"Istori\xebi\xeca Rossi\xe6i", sniff.Hint(), "marc-8"),
        (b"Soci\xc2et\xc2e de g\xc2eographie, \xc1a la M\xc8unchen", sniff.Hint(family="cnmarc"), "iso-5426"),
        (b"\x1b$1!0!\x1b(B", sniff.Hint(leader09="a"), "marc-8"),
        (b"a \x1b%G\xe6\xbc\xa2\x1b%@", sniff.Hint(leader09="a"), "marc-8"),
        ((CHINESE * 3).encode() + b"\xff\xe4", sniff.Hint(leader09="a"), "utf-8"),
    ],
)
def test_the_encoding_is_judged_on_the_bytes(sample: bytes, hint: sniff.Hint, expected: str) -> None:
    assert sniff.decide(sample, hint).name == expected


def test_a_short_record_follows_its_neighbours() -> None:
    short = "李白".encode("gb18030")
    context = sniff.Context()
    part = sniff.sample(RUSSIAN.encode("koi8-r"))
    context.add(part, sniff.scores(part, sniff.Hint()))
    assert context.leaning() == "koi8-r"
    assert sniff.decide(short, sniff.Hint(family="cnmarc")).name == "gb18030"
    letters = "Том".encode("koi8-r")
    assert sniff.decide(letters, sniff.Hint(), context).name == "koi8-r"


def test_a_record_with_much_to_say_does_not_follow() -> None:
    context = sniff.Context()
    part = sniff.sample(RUSSIAN.encode("koi8-r"))
    context.add(part, sniff.scores(part, sniff.Hint()))
    assert sniff.decide(CHINESE.encode("gb18030"), sniff.Hint(family="cnmarc"), context).name == "gb18030"


def test_bytes_that_fit_nothing_are_not_sure() -> None:
    assert not sniff.decide(b"a\x80b\x81 \xa0", sniff.Hint()).sure
    assert sniff.decide(b"bad \xc0 and \x80", sniff.Hint(leader09="a")).name == "utf-8"


@given(st.lists(st.text(st.characters(codec="gb18030", exclude_characters="\x1d")), max_size=8))
def test_a_stretch_is_scored_as_its_records_are(records: list[str]) -> None:
    scorer = evidence.scorers()["gb18030"]
    whole = [scorer.score(b"".join(each.encode("gb18030") for each in record if each >= "\x80")) for record in records]
    codes = points.code_points("".join(f"{record}\x1d" for record in records))
    assert points.gb18030(codes).tolist() == pytest.approx(whole)


def test_half_a_pair_in_danmarc_is_no_character() -> None:
    assert codec.decode(b"a@DDDDb@00E6", codec.DANMARC) == ("a\ufffdb\u00e6", 1)
