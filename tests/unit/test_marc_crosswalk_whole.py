"""Whole records from CNMARC and UNIMARC to MARC 21: nothing vanishes without a line in the report."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from catalog.model import Format
from dms.crosswalk.marc import between
from dms.crosswalk.marc.convert import crosswalk
from dms.crosswalk.model import Converted, Fate
from protocols import detect, dialect, marc, reading
from protocols.marc import Record
from tests import data

FOLDER = "unimarc-cnmarc"
BINARY = (".mrc", ".iso", ".xml", ".mrctxt", "")
MARKED = re.compile("[\x88\x98]([^\x88\x89\x98\x9c]*)[\x89\x9c]")  # words that do not file
TRANSLATED = {"102$a", "600$2", "601$2", "606$2", "607$2", "608$2", "602$2", "605$2"}  # codes that have others there
MATERIALS = ("115", "116", "117", "120", "121", "124", "125", "126", "128", "130")  # coded data of them


def _records() -> Iterator[Record]:
    for path in sorted(data.path(FOLDER).rglob("*")):
        if path.is_file() and path.suffix in BINARY:
            raw = path.read_bytes()
            for each in reading.read(raw, detect.carrier_of(raw)).reads:
                if dialect.family(each.record) == dialect.CNMARC:
                    yield each.record


def _shown(converted: Converted) -> list[str]:
    return [f"{tag} {text}".replace("\x1f", "$") for tag, text in converted.record.fields]


def a_record(*lines: str, leader: str = "00000nam0 2200000   450 ") -> Record:
    """A record of lines like `200 1 $a…`; the blank behind the tag is none of its text."""
    return Record(leader, tuple((line[:3], line[4:].replace("$", "\x1f")) for line in lines))


def test_every_value_of_every_real_record_is_in_the_target_or_in_the_report() -> None:
    convert = crosswalk("cnmarc_marc21").convert
    missing = []
    count = 0
    for record in _records():
        count += 1
        converted = convert(record)
        there = "\x1f".join(text for _, text in converted.record.fields)
        told = converted.losses()
        lost = {loss.value for _, loss in told if loss.fate is Fate.LOST}
        assert len({(tag, nth) for (nth, loss) in told for tag in [loss.tag] if loss.tag != "LDR"}) == len(
            [1 for tag, text in record.fields if marc.is_control(tag) or marc.subfields(text)]
        )
        coded = {(loss.tag, loss.code): loss for nth, loss in told if nth == 1 and "/" in loss.to}
        for tag, _, pairs in marc.walk(record):
            for code, value in pairs:
                bare = MARKED.sub(r"\1", value).strip().removeprefix("=").lstrip()
                if code == "1" and tag[0] == "4":
                    bare = "" if len(bare) < 6 else bare[3:]
                if not bare or bare in there or bare in lost or (tag, code) in coded:
                    continue
                if f"{tag}${code}" in TRANSLATED or (code == "4" and tag[0] == "7"):
                    continue
                missing.append((tag, code, value))
    assert count > 2000
    assert not missing[:5]


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (
            ["606 0 $a经济发展$y中国$z1994"],
            ["650  4$a经济发展$z中国$y1994"],
        ),
        (
            ["225 2 $a中国发展报告书$v3", "461  0$12001 $a中国发展报告书$v3"],
            ["490 1 $a中国发展报告书 ;$v3", "830  0$a中国发展报告书 ;$v3"],
        ),
        (
            ["225 2 $a中国发展报告书", "410  0$12001 $a中国发展报告书"],
            ["490 1 $a中国发展报告书", "830  0$a中国发展报告书"],
        ),
        (
            ["461  0$12001 $a资治通鉴$v第三册"],
            ["773 1 $t资治通鉴$g第三册"],
        ),
        (
            ["001 123", "801  0$bNLC", "801  1$bBSD", "801  2$bBNU"],
            ["001 123", "003 BNU", "035   $a(BNU)123", "040   $aNLC$cBSD$dBNU"],
        ),
        (
            ["700  0$a鲁迅$4著", "701  0$a周作人$4著", "702  0$a许广平$4编"],
            ["100 0 $a鲁迅,$e著", "700 0 $a周作人,$e著", "700 0 $a许广平,$e编"],
        ),
        (
            ["500 10$a红楼梦", "701  0$a曹雪芹$4著"],
            ["100 0 $a曹雪芹,$e著", "240 10$a红楼梦"],
        ),
        (
            ["690   $aF124$v4"],
            ["084   $aF124$2clc/4"],
        ),
        (
            ["905   $aBNU$dF124$e26"],
            ["852 8 $aBNU$hF124$i26", "905   $aBNU$dF124$e26"],
        ),
        (
            ["852   $aBNU$jF124", "905   $aBNU$dF124$e26"],
            ["852   $aBNU$jF124", "905   $aBNU$dF124$e26"],
        ),
    ],
)
def test_fields_that_depend_on_others(lines: list[str], wanted: list[str]) -> None:
    shown = _shown(crosswalk("cnmarc_marc21").convert(a_record(*lines)))
    assert [line for line in shown if not line.startswith("008")] == wanted


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("606 0 $a经济发展$x研究$y中国$z1994", "650  4$a经济发展$x研究$z中国$y1994"),
        ("690   $aF124$v4", "084   $aF124$2clc/4"),
        ("801  0$bNLC", "040   $aNLC"),
        ("320   $a有书目", "504   $a有书目"),
        ("035   $a(A100000NLC)002", "035   $a(A100000NLC)002"),
        ("101 1 $achi$ceng", "041 1 $achi$heng"),
        ("200 1 $a资治通鉴$h第三册$i唐纪$f司马光著", "245 10$a资治通鉴.$n第三册,$p唐纪 /$c司马光著"),
        ("461  0$12001 $a资治通鉴$v3", "773 1 $t资治通鉴$g3"),
        ("462  0$12001 $a唐纪$v3", "773 1 $t唐纪$g3"),
        ("702  0$a许广平$4主编", "700 0 $a许广平,$e主编"),
        ("010   $a7-5000-0000-0$dCNY赠90.00", "020   $a7-5000-0000-0 :$cCNY赠90.00"),
    ],
)
def test_what_other_converters_lose_or_turn_survives(line: str, wanted: str) -> None:
    """What the public stylesheet for CNMARC leaves out, and the fields in which the formats mean the opposite."""
    assert wanted in _shown(crosswalk("cnmarc_marc21").convert(a_record(line)))


def test_coded_data_become_a_leader_and_008() -> None:
    record = a_record(
        "100   $a20081106d2004    ekmy0chiy0121    ea",
        "101 0 $achi",
        "102   $aCN$b110000",
        "105   $aaf  a   001yd",
        "106   $ar",
    )
    converted = crosswalk("cnmarc_marc21").convert(record)
    assert converted.record.leader == "00000nam a2200000 i 4500"
    (coded,) = converted.record.all("008")
    assert coded == "081106s2004    cc af  d b    001 0dchi d"
    assert len(coded) == 40


def test_a_serial_has_the_008_of_one() -> None:
    record = a_record(
        "100   $a20081106a19799999em y0chiy50      ea",
        "101 0 $achi",
        "110   $aafa   0yy0",
        leader="00000nas0 2200000   450 ",
    )
    (coded,) = crosswalk("cnmarc_marc21").convert(record).record.all("008")
    assert (coded[6], coded[7:15], coded[18:20], coded[21], coded[33]) == ("c", "19799999", "mr", "p", "e")


@pytest.mark.parametrize("type_", ["a", "e", "c", "j", "g", "l", "r", "m"])
def test_every_kind_of_record_has_an_008_of_forty_characters(type_: str) -> None:
    """M 008/00-39."""
    record = a_record(
        "100   $a20081106d2004    ekmy0chiy0121    ea", "101 0 $achi", "102   $aCN", leader=f"     n{type_}m0"
    )
    (coded,) = crosswalk("cnmarc_marc21").convert(record).record.all("008")
    assert len(coded) == 40
    assert (coded[:15], coded[15:18], coded[35:38], coded[39]) == ("081106s2004    ", "cc ", "chi", "d")


def test_a_map_has_its_008_and_007() -> None:
    """U 120, example 1: a coloured map with text and without an index, Mercator's projection, contours, Greenwich."""
    record = a_record("120   $abyaa   bdaa  ", leader="00000nem0 2200000   450 ")
    converted = crosswalk("cnmarc_marc21").convert(record)
    (coded,), (seven,) = converted.record.all("008"), converted.record.all("007")
    assert (coded[18:22], coded[22:24], coded[31]) == ("a   ", "bd", "0")
    assert seven == "au c||||"
    assert converted.losses()[0][1].to == "007a/00, 007a/03, 008/18-21, 008/22-23, 008/31, 886"


def test_a_video_recording_has_its_008_and_007() -> None:
    """U 115: a video cassette of 90 minutes in colour, sound on it, half an inch wide, live action."""
    record = a_record("115   $ac090bahoxbx    c||||", leader="00000ngm0 2200000   450 ")
    converted = crosswalk("cnmarc_marc21").convert(record)
    (coded,), (seven,) = converted.record.all("008"), converted.record.all("007")
    assert (coded[18:21], coded[33], coded[34]) == ("090", "v", "l")
    assert seven == "vf c|aho|"


def test_music_and_sound_have_their_008_and_007() -> None:
    """U 125, 126, 128: a full score with parts; a stereophonic compact disc with symphonies."""
    score = crosswalk("cnmarc_marc21").convert(a_record("125   $aaa", "128   $asy", leader="     ncm0")).record
    assert (score.all("008")[0][18:20], score.all("008")[0][20:22]) == ("sy", "ad")
    disc = crosswalk("cnmarc_marc21").convert(a_record("126   $aagbxhxx", leader="     njm0")).record
    assert disc.all("007") == ["sd fsngnn|||||"]
    speech = crosswalk("cnmarc_marc21").convert(a_record("125   $axx$bab", leader="     nim0")).record
    assert (speech.all("008")[0][20], speech.all("008")[0][30:32]) == ("n", "pd")


@pytest.mark.parametrize(
    ("lines", "leader"),
    [
        (["120   $abyaa   bdaa  "], "00000nem0 2200000   450 "),
        (["115   $ac090bahoxbx    c||||"], "00000ngm0 2200000   450 "),
        (["125   $aaa", "126   $aagbxhxx      ||", "128   $asy$bva"], "00000njm0 2200000   450 "),
        (["116   $ahiyb            uu"], "00000nkm0 2200000   450 "),
        (["120   $abyaa   bdaa  ", "121   $aaa aabyaa", "124   $aa$bd$cac"], "00000nem0 2200000   450 "),
        (["130   $aeamb024aacc"], "00000nam0 2200000   450 "),
    ],
)
def test_coded_fields_that_say_more_return_as_they_were_and_nothing_beside(lines: list[str], leader: str) -> None:
    record = a_record("100   $a20081106d2004    u  y0chiy50      ea", *lines, "200 1 $a某", leader=leader)
    there = between.to(record, Format.CNMARC, "marc21").record
    back = between.to(there, Format.MARC21, "cnmarc-calis").record
    assert [field for field in back.fields if field[0] in MATERIALS] == [
        field for field in record.fields if field[0] in MATERIALS
    ]
    assert not back.all("886")


@pytest.mark.parametrize(
    ("lines", "leader", "coded"),
    [
        (["116   $akiyb            uu"], "     nkm0", ["007kl bo "]),
        (["121   $aaa aabyaa", "124   $aa$bd"], "     nem0", ["007aj |anz|"]),
        (["121   $aa  bacayaa$bbc01d63m", "124   $ac$bg$ea$gga"], "     nem0", ["007ar |qfba", "007ru bc7|a|ga"]),
        (["130   $aeamb024aacc"], "     nam0", ["007he amb024bacc"]),
    ],
)
def test_codes_of_pictures_maps_and_microforms_have_their_007(lines: list[str], leader: str, coded: list[str]) -> None:
    """U 116, 121, 124, 130; M 007 of nonprojected graphics, maps, remote-sensing images, microforms."""
    made = crosswalk("cnmarc_marc21").convert(a_record(*lines, leader=leader)).record
    assert ["007" + text for text in made.all("007")] == coded


def test_the_kind_of_a_picture_or_a_thing_and_of_an_atlas_is_in_008() -> None:
    """U 116 $a/0 and /16-17, 117 $a/0-1, 121 $a/8; M 008/33 of visual materials, 008/25 of maps, both ways."""
    to = crosswalk("cnmarc_marc21").convert
    assert to(a_record("116   $akiyb            uu", leader="     nkm0")).record.all("008")[0][33] == "l"
    assert to(a_record("116   $aziyb            ag", leader="     nkm0")).record.all("008")[0][33] == "n"
    assert to(a_record("117   $aaqaa    c", leader="     nrm0")).record.all("008")[0][33] == "w"
    atlas = to(a_record("121   $aa  aabyac", leader="     nem0")).record
    assert atlas.all("008")[0][25] == "e"
    own = Record("00000cem a2200000   4500", (("008", atlas.all("008")[0]),))
    assert crosswalk("marc21_cnmarc").convert(own).record.all("121") == ["  \x1fa|  |||||c"]


def test_a_marc21_film_has_its_115_and_keeps_its_007() -> None:
    """M 007 of motion pictures and video recordings: the first that is known makes the coded field."""
    fields = (
        ("007", "vf cbahos"),
        ("007", "mr caaadnnnnaanuuuuuuuuuu"),
        ("008", "800101s1980    cc 090 g          vlchi d"),
        ("245", "00\x1fa某片"),
    )
    record = Record("00000cgm a2200000   4500", fields)
    there = between.to(record, Format.MARC21, "cnmarc-calis")
    assert [text[4:12] for text in there.record.all("115")] == ["c090baho"]
    back = between.to(there.record, Format.CNMARC, "marc21").record
    assert back.all("007") == record.all("007")
    assert back.all("886") == []


@pytest.mark.parametrize(
    ("fmt", "through", "lines"),
    [
        (Format.CNMARC, "marc21", ["905   $aBNU$b0101$b0102$cZW$dF124$e26$v1", "905   $aPKU$b7$sF124/26"]),
        (Format.CNMARC, "marc21", ["801  0$aCN$bNLC$c2008$gCR", "801  2$aCN$bBNU$c2009", "801  2$aCN$bPKU$c2010"]),
        (Format.CNMARC, "marc21", ["200 1 $a某$f某人著$z中", "215   $a1册$x奇"]),
        (Format.MARC21, "cnmarc-calis", ["852 8 $aNLC$bMain$hI242.4$i26$p0101$xnote", "852 4 $aNLC$jQ7$p0102"]),
    ],
)
def test_what_was_kept_beside_returns_into_its_field(fmt: Format, through: str, lines: list[str]) -> None:
    """Holdings in their local field, the rest of the chain of 801, subfields that had no place: as they were, once."""
    tags = {line[:3] for line in lines} | {"852", "905", "886"}
    leader = "00000nam a2200000   4500" if fmt is Format.MARC21 else "00000nam0 2200000   450 "
    there = between.to(a_record(*lines, leader=leader), fmt, through).record
    home = "marc21" if fmt is Format.MARC21 else "cnmarc-calis"
    back = between.to(there, between.FORMATS[through], home).record
    kept = [f"{tag} {text}".replace("\x1f", "$") for tag, text in back.fields if tag in tags]
    assert [line for line in kept if "$a003$b" not in line] == lines


def test_romanised_subfields_are_linked_fields_in_the_other_script() -> None:
    record = a_record("200 1 $a红楼梦$Ahong lou meng$f曹雪芹著", "701  0$a曹雪芹$9cao xue qin$4著")
    assert _shown(crosswalk("cnmarc_marc21").convert(record))[1:] == [
        "100 0 $6880-01$a曹雪芹,$e著",
        "245 10$6880-02$a红楼梦 /$c曹雪芹著",
        "880 0 $6100-01$acao xue qin",
        "880 10$6245-02$ahong lou meng",
    ]


def test_what_is_lost_is_told_with_its_value() -> None:
    record = a_record("100   $a20081106d2004    ekmy0chiy0121    ea")
    lost = [loss for _, loss in crosswalk("cnmarc_marc21").convert(record).losses() if loss.fate is Fate.LOST]
    assert [(loss.tag, loss.code, loss.value) for loss in lost] == [("100", "a/18-19", "km")]


def test_the_source_s_own_pairs_have_the_same_title_and_numbers_on_both_sides() -> None:
    """The same 38 titles as MARC 21 and as the CMARC that another converter made of it."""
    folder = data.path(f"{FOLDER}/feelovejun__marc21tocmarc")
    sides = []
    for form in ("CMARC", "Full-MARC8"):
        raw = (folder / f"20171117_423294_ntuedu_{form}.mrc").read_bytes()
        sides.append({each.record.first("001"): each.record for each in reading.read(raw, detect.ISO2709).reads})
    theirs, originals = sides
    titles = numbers = 0
    for name, original in originals.items():
        ours = crosswalk("cnmarc_marc21").convert(theirs[name]).record
        titles += _letters(_title(ours)) == _letters(_title(original))
        numbers += {_letters(text) for text in _numbers(ours)} <= {_letters(text) for text in _numbers(original)}
    assert len(originals) == 38
    assert titles >= 36  # their converter damaged letters with marks
    assert numbers >= 36


def _title(record: Record) -> str:
    return marc.value(record.first("245") or "", "a")


def _numbers(record: Record) -> list[str]:
    return [value.partition("(")[0] for text in record.all("020") for value in marc.values(text, "az")]


def _letters(text: str) -> str:
    return re.sub(r"\W", "", text)


@pytest.mark.parametrize(
    ("agency", "country"),
    [
        ("DLC", "US"),
        ("OCoLC", "US"),
        ("NjP", "US"),
        ("CU-Riv", "US"),
        ("CaOONL", "CA"),
        ("UkOxU", "GB"),
        ("DE-101", "DE"),
        ("CN-NLC", "CN"),
        ("NLC", "CN"),  # its code does not tell: the dialect's own country
        ("SCNU", "CN"),
    ],
)
def test_an_agency_keeps_its_country(agency: str, country: str) -> None:
    record = a_record("001 1", f"040   $a{agency}", "245 00$aA title", leader="00000nam a2200000 a 4500")
    told = between.to(record, Format.MARC21, "cnmarc-calis").record.all("801")
    assert [marc.value(text, "a") for text in told] == [country]


def test_international_unimarc_says_only_the_countries_that_codes_tell() -> None:
    record = a_record("001 1", "040   $aDLC$cSCNU", "245 00$aA title", leader="00000nam a2200000 a 4500")
    told = between.to(record, Format.MARC21, "unimarc").record.all("801")
    assert [marc.value(text, "a") for text in told] == ["US", ""]
