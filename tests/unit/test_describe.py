"""What lists, pages and the index see of a record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from catalog.model import Description, Format
from dms import addresses, isbd
from dms.describe import describe
from dms.formats import resources
from protocols import detect, dialect, marc, reading, stream
from protocols.marc import Record
from services.delivery import rows
from tests import data

CNMARC, MARC21 = Format.CNMARC, Format.MARC21


def a_record(*fields: str, leader: str = "00000nam a2200000   4500") -> Record:
    """Fields written `TAG 10$aText`, `_` for a blank indicator; control fields `TAG value`."""
    pairs = (
        (f[:3], f[4:] if marc.is_control(f[:3]) else f[4:6].replace("_", " ") + f[6:].replace("$", marc.DELIMITER))
        for f in fields
    )
    return Record(leader, tuple(pairs))


def cnmarc(*fields: str, leader: str = "00000nam0 2200000   450 ") -> Description:
    return describe(a_record(*fields, leader=leader), CNMARC)


def marc21(*fields: str, leader: str = "00000nam a2200000   4500") -> Description:
    return describe(a_record(*fields, leader=leader), MARC21)


# ---- CNMARC ----------------------------------------------------------------------------------------------------------

CODED = "100 __$a20020204d1982    em y0chiy0120    ea"


def test_a_chinese_book_is_described_in_full() -> None:
    described = cnmarc(
        "010 __$a7-02-000220-X$dCNY59.70",
        CODED,
        "101 0_$achi",
        "200 1_$a红楼梦$AHong Lou Meng$e校注本$h第三卷$i大观园$f(清)曹雪芹著$g高鹗续",
        "205 __$a2版",
        "210 __$a北京$c人民文学出版社$d1982",
        "215 __$a3册 (1648页)$c图$d20cm",
        "225 2_$a中国古典文学读本丛书$v12",
        "300 __$a附录。",
        "330 __$a本书是一部小说。",
        "510 1_$aDream of red mansions",
        "606 0_$a章回小说$x研究$y中国$z清代",
        "690 __$aI242.4$v5",
        "701 _0$a曹雪芹$4著",
        "702 _0$a高鹗$4续",
        "856 40$uhttps://example.org/hlm",
    )
    assert described == Description(
        title="红楼梦",
        subtitle="校注本",
        volume="第三卷 大观园",
        parallel=("Dream of red mansions",),
        responsibility="(清)曹雪芹著 ; 高鹗续",
        authors=("曹雪芹", "高鹗"),
        edition="2版",
        place="北京",
        publisher="人民文学出版社",
        date="1982",
        year=1982,
        extent="3册 (1648页) : 图 ; 20cm",
        series=("中国古典文学读本丛书 ; 12",),
        isbns=("9787020002207",),
        subjects=("章回小说--研究--中国--清代",),
        classification=("I242.4",),
        languages=("chi",),
        summary="本书是一部小说。",
        notes=("附录。",),
        links=("https://example.org/hlm",),
        pinyin="Hong Lou Meng",
    )


def test_pinyin_stands_in_9_where_the_national_library_puts_it() -> None:
    assert cnmarc("200 1_$a红楼梦$9hong lou meng$f曹雪芹").pinyin == "hong lou meng"


def test_titles_without_a_collective_title_are_all_shown() -> None:
    assert cnmarc("200 1_$a呐喊$a彷徨$c朝花夕拾$f鲁迅著").title == "呐喊 ; 彷徨. 朝花夕拾"


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("461 _0$12001_$a二十四史$v第3种", "二十四史 ; 第3种"),
        ("410 _0$12001 $a中国发展报告书", "中国发展报告书"),
        ("462 _0$t资治通鉴$v上", "资治通鉴 ; 上"),
    ],
)
def test_the_set_is_the_series_where_nothing_is_transcribed(link: str, expected: str) -> None:
    assert cnmarc("200 1_$a史记", link).series == (expected,)
    assert cnmarc("200 1_$a史记", "225 2_$a丛书", link).series == ("丛书",)


def test_western_names_are_inverted_and_chinese_ones_are_not() -> None:
    described = cnmarc("200 1_$aX", "701 _1$aWilson$bChris$f1969-", "701 _0$a老舍", "711 02$a中国$b科学院")
    assert described.authors == ("Wilson, Chris", "老舍", "中国科学院")


@pytest.mark.parametrize(
    ("fields", "leader6", "kind"),
    [
        (["200 1_$aX"], "am", "book"),
        (["200 1_$aX"], "as", "serial"),
        (["200 1_$aX"], "ls", "serial"),
        (["200 1_$aX", "463 _0$12001 $a期刊"], "aa", "article"),
        (["200 1_$aX$b电子资源"], "am", "electronic"),
        (["200 1_$aX", "135 __$adrcn"], "am", "electronic"),
        (["200 1_$aX"], "em", "map"),
        (["200 1_$aX"], "cm", "score"),
        (["200 1_$aX"], "jm", "sound"),
        (["200 1_$aX"], "gm", "video"),
        (["200 1_$aX", "328 __$a博士论文"], "am", "thesis"),
        (["200 1_$aX", "205 __$a清乾隆刻本"], "am", "ancient"),
        (["200 1_$aX", "101 0_$achi", "210 __$d1890"], "am", "ancient"),
        (["200 1_$aX", "101 0_$aeng", "210 __$d1890"], "am", "book"),
        (["200 1_$a上海县志"], "am", "gazetteer"),
        (["200 1_$a杂志"], "am", "book"),
        (["200 1_$a红楼梦志"], "am", "book"),
        (["200 1_$a湘潭王氏族谱"], "am", "genealogy"),
        (["200 1_$a泰山刻石$b拓片"], "am", "rubbing"),
        (["200 1_$aX", "105 __$ay   z   100yy"], "am", "conference"),
        (["200 1_$aX", "105 __$ay   m   000yy"], "am", "thesis"),
        (["200 1_$aX", "110 __$acaa 0"], "as", "newspaper"),
        (["200 1_$a羊城晚报"], "as", "newspaper"),
        (["200 1_$aX", "110 __$aga  0"], "ls", "website"),
        (["200 1_$aX$b电子图书"], "lm", "ebook"),
    ],
)
def test_the_kind_of_a_cnmarc_record(fields: list[str], leader6: str, kind: str) -> None:
    assert cnmarc(*fields, leader=f"00000n{leader6}0 2200000   450 ").kind == kind


def test_a_misplaced_coded_year_gives_way_to_the_transcribed_one() -> None:
    assert cnmarc("100 __$a  20020204d1982", "210 __$d1999.5").year == 1999
    assert cnmarc("100 __$a20020204u        em", "210 __$d民国二十三年").year == 1934


# ---- MARC 21 ---------------------------------------------------------------------------------------------------------


def test_marks_that_introduce_the_next_subfield_are_taken_off() -> None:
    described = marc21(
        "008 010203s2005    nyua     b    001 0 eng d",
        "020 __$a0262033844 (hbk.) :$c$80.00",
        "100 1_$aCormen, Thomas H.,$d1956-$eauthor.",
        "245 10$aIntroduction to algorithms :$ba survey /$cThomas H. Cormen ... [et al.].",
        "250 __$a3rd ed.",
        "260 __$a[Cambridge, Mass.] :$bMIT Press,$cc2005.",
        "300 __$axix, 1292 p. :$bill. ;$c24 cm. +$e1 CD.",
        "490 1_$aMIT series ;$vv. 2",
        "650 _0$aComputer programming$xData processing$vHandbooks, manuals, etc.",
        "082 00$a005.1/33$222",
    )
    assert described == Description(
        title="Introduction to algorithms",
        subtitle="a survey",
        responsibility="Thomas H. Cormen ... [et al.]",
        authors=("Cormen, Thomas H.",),
        edition="3rd ed.",
        place="Cambridge, Mass.",
        publisher="MIT Press",
        date="c2005",
        year=2005,
        extent="xix, 1292 p. : ill. ; 24 cm + 1 CD",
        series=("MIT series ; v. 2",),
        isbns=("9780262033848",),
        subjects=("Computer programming--Data processing--Handbooks, manuals, etc.",),
        classification=("005.133",),
        languages=("eng",),
    )


def test_the_original_script_comes_first_and_the_romanised_form_beside_it() -> None:
    described = marc21(
        "008 010203s1982    cc            000 1 chi d",
        "100 1_$6880-01$aCao, Xueqin,$dapproximately 1717-1763.",
        "245 10$6880-02$aHong lou meng /$cCao Xueqin zhu.",
        "260 __$6880-03$aBeijing :$bRen min wen xue chu ban she,$c1982.",
        "880 1_$6100-01/$1$a曹雪芹,$d约1717-1763.",
        "880 10$6245-02/$1$a红楼梦 /$c曹雪芹著.",
        "880 __$6260-03/$1$a北京 :$b人民文学出版社,$c1982.",
        "880 __$6500-00/$1$a附录.",
    )
    assert (described.title, described.responsibility) == ("红楼梦", "曹雪芹著")
    assert described.parallel == ("Hong lou meng",)
    assert described.pinyin == "Hong lou meng"
    assert described.authors == ("曹雪芹", "Cao, Xueqin")
    assert (described.place, described.publisher, described.notes) == ("北京", "人民文学出版社", ("附录",))


def test_a_han_title_with_its_pinyin_in_880_stays_the_title() -> None:
    described = marc21("245 10$6880-01$a红楼梦", "880 10$6245-01$aHong lou meng")
    assert (described.title, described.parallel) == ("红楼梦", ("Hong lou meng",))


def test_a_second_title_statement_is_known_too() -> None:
    described = marc21("245 10$aबिहानी टुसा", "245 10$aBihānī Ṭusā")
    assert (described.title, described.parallel) == ("बिहानी टुसा", ("Bihānī Ṭusā",))


def test_a_parallel_title_is_no_subtitle() -> None:
    described = marc21("245 10$aWar and peace =$bVoĭna i mir /$cTolstoy.", "246 31$aVoĭna i mir")
    assert (described.title, described.subtitle, described.parallel) == ("War and peace", "", ("Voĭna i mir",))


def test_part_number_and_part_title_are_the_volume() -> None:
    assert marc21("245 10$aFaust.$nPart two,$pHelena /$cGoethe.").volume == "Part two Helena"


def test_publication_is_told_apart_from_manufacture_and_copyright() -> None:
    described = marc21("264 _4$c©2011", "264 _3$aLeipzig :$bPrinter", "264 _1$aBerlin :$bVerlag,$c[2012]")
    assert (described.place, described.publisher, described.date) == ("Berlin", "Verlag", "[2012]")


@pytest.mark.parametrize(
    ("fields", "leader6", "kind"),
    [
        (["245 10$aX"], "am", "book"),
        (["245 10$aX"], "as", "serial"),
        (["245 10$aX"], "ab", "article"),
        (["245 10$aX", "008 010203s2005    nyu     ob    001 0 eng d"], "am", "ebook"),
        (["245 10$aX", "502 __$aThesis (Ph. D.)"], "am", "thesis"),
        (["245 10$aX"], "em", "map"),
        (["245 10$aX"], "gm", "video"),
        (["245 10$aX"], "tm", "manuscript"),
        (["245 10$aX", "502 __$aThesis"], "tm", "thesis"),
        (["245 00$aX", "008 010203c20059999nyuwr w       0   a0eng d"], "mi", "website"),
        (["245 00$aX", "008 010203c20059999nyudr n       0   a0eng d"], "as", "newspaper"),
        (["245 00$aX", "008 010203s2005    nyu           101 0 eng d"], "am", "conference"),
        (["245 10$6880-01$aShanghai xian zhi", "880 10$6245-01$a上海縣志", "041 0_$achi"], "am", "gazetteer"),
        (["245 10$aX", "650 _0$aSmith family$vGenealogy"], "am", "genealogy"),
        (["245 10$aX", "008 010203s1890    cc            000 1 chi d"], "am", "ancient"),
    ],
)
def test_the_kind_of_a_marc21_record(fields: list[str], leader6: str, kind: str) -> None:
    assert marc21(*fields, leader=f"00000n{leader6} a2200000   4500").kind == kind


def test_addresses_of_related_things_and_of_one_librarys_readers_are_no_links() -> None:
    described = marc21(
        "856 40$uhttps://example.org/book",
        "856 42$uhttps://example.org/toc",
        "856 40$uhttps://ezproxy.example.edu/login?url=https://example.org/book",
    )
    assert described.links == ("https://example.org/book",)


def test_a_record_without_a_title_field_takes_the_title_from_elsewhere_or_has_none() -> None:
    assert marc21("130 0_$aBible.").title == "Bible"
    assert marc21("500 __$aA note.").title == ""
    assert cnmarc("300 __$a附注").title == ""


# ---- marks and years -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Title /", "Title"),
        ("Title. ", "Title"),
        ("Wiley & Sons, Inc.,", "Wiley & Sons, Inc."),
        ("Smith, J.", "Smith, J."),
        ("U.S.", "U.S."),
        ("and so on ...", "and so on ..."),
        ("[London :", "London"),
        ("s.n.],", "s.n."),
        ("[1970]", "[1970]"),
        ("a\x1fb\x88 c", "ab c"),
        (" /", ""),
    ],
)
def test_marks_go_and_abbreviations_stay(text: str, expected: str) -> None:
    assert isbd.plain(text) == expected


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("c2005", 2005),
        ("[1998?]-2003", 1998),
        ("一九八〇年", 1980),
        ("民国二十三年", 1934),
        ("民國元年", 1912),
        ("昭和54年", 1979),
        ("平成十一", 1999),
        ("光绪三十四年 [1908]", 1908),
        ("n.d.", 0),
        ("123456", 0),
    ],
)
def test_years_are_read_from_transcribed_dates(text: str, year: int) -> None:
    assert isbd.year(text) == year


@pytest.mark.parametrize("address", ["www.example.org/a", "ftp://ftp.example.org/x", "https://doi.org/10.1000/182"])
def test_open_addresses_are_public(address: str) -> None:
    assert addresses.public(address)


# ---- real records ----------------------------------------------------------------------------------------------------

TRAILING = re.compile(r"[\s/:;,=]$")
READABLE = {".mrc", ".marc", ".iso", ".xml", ".gz", ""}


def shared_files(folder: str) -> list[Path]:
    root = data.path(folder)
    return sorted(p for p in root.rglob("*") if p.is_file() and p.suffix in READABLE)


def records_of(path: Path) -> Iterator[Record]:
    """Every readable record of a file, by our own reader."""
    source = stream.open_input(str(path))
    with source:
        head = source.read(1 << 16)
    carrier = detect.carrier_of(head)
    with stream.open_input(str(path)) as again:
        for stretch in stream.stretches(again, carrier):
            yield from (read.record for read in reading.read(stretch.data, carrier).reads)


@pytest.mark.parametrize("folder", ["unimarc-cnmarc", "marc21-bib"])
def test_every_real_record_is_described_cleanly(folder: str) -> None:
    seen = 0
    for path in shared_files(folder):
        try:
            for record in records_of(path):
                seen += 1
                fmt = Format[dialect.family(record).upper()]
                check(record, fmt, describe(record, fmt))
        except detect.UnknownCarrier:
            continue
    assert seen > 2000


def check(record: Record, fmt: Format, described: Description) -> None:
    told = msgspec.structs.asdict(described)
    for name, value in told.items():
        for text in [value] if isinstance(value, str) else value if isinstance(value, tuple) else []:
            assert text == text.strip() and marc.DELIMITER not in text, (name, text)
            if name not in ("summary", "notes", "links", "responsibility"):
                assert not TRAILING.search(text), (name, text)
    tag = "245" if fmt is Format.MARC21 else "200"
    has_title = any(isbd.plain(v) for text in record.all(tag) for v in marc.values(text, "a"))
    assert bool(described.title) >= has_title, record
    assert all(len(isbn) == 13 and isbn.isdigit() for isbn in described.isbns)
    assert described.year == 0 or 500 <= described.year <= 2100


def test_a_record_without_a_leader_is_a_book() -> None:
    assert describe(Record("", (("245", "10\x1faX"),)), Format.MARC21).kind == "book"


def test_every_kind_of_resource_has_a_name_in_both_languages() -> None:
    for kind in resources.every():
        assert rows.name("kind", kind, "zh") != kind and rows.name("kind", kind, "en") != kind
