"""Records of one Chinese book in two formats and scripts: 880 fields, romanisation alone, names in two scripts."""

from __future__ import annotations

import pytest

from catalog.model import Format, Verdict
from dms import formats
from dms.match import decide, features, keys
from protocols import marc

JOIN, REVIEW, APART = Verdict.JOIN, Verdict.REVIEW, Verdict.APART

HAN = """008 140918s2001    cc            000 0 chi d
020   $a7302045178
100 1 $6880-01$aTian, Fengnian.
245 10$6880-02$aYun chou xue ji chu /$cTian Fengnian bian zhu.
260   $6880-03$aBeijing :$bQing hua da xue chu ban she,$c2001.
300   $a386 p. ;$c26 cm.
880 1 $6100-01/$1$a田豐年.
880 10$6245-02/$1$a運籌學基礎 /$c田豐年編著.
880   $6260-03/$1$a北京 :$b清華大學出版社,$c2001."""
ROMANISED = "\n".join(line for line in HAN.replace("$6880-01", "").splitlines() if not line.startswith("880"))
DIRECT = """008 140918s2001    cc            000 0 chi d
020   $a7302045178
100 1 $a田豐年.
245 10$a運籌學基礎 /$c田豐年編著.
260   $a北京 :$b清華大學出版社,$c2001.
300   $a386面"""
CNMARC = """010   $a7-302-04517-8
100   $a20020311d2001    em y0chiy50      ea
101 0 $achi
200 1 $a运筹学基础$f田丰年编著
210   $a北京$c清华大学出版社$d2001
215   $a386页$d26cm
701  0$a田丰年$4编著"""
NOVEL = """010   $a7-302-04517-8
100   $a20020311d2001    em y0chiy50      ea
101 1 $achi$ceng
200 1 $a双城记$f(英)狄更斯著$g罗稷南译
210   $a上海$c译文出版社$d2001
215   $a386页
701  0$a狄更斯$c英$4著
702  0$a罗稷南$4译"""
NOVEL_880 = """008 140918s2001    cc            000 0 chi d
020   $a7302045178
041 1 $achi$heng
100 1 $aDickens, Charles,$d1812-1870.
245 10$6880-01$aShuang cheng ji
260   $aShanghai :$bYi wen chu ban she,$c2001
300   $a386 p.
880 10$6245-01/$1$a雙城記 /$c狄更斯著 ; 羅稷南譯"""


def taken(text: str, format: Format) -> features.Features:
    fields = [(line[:3], line[4:].replace("$", marc.DELIMITER)) for line in text.splitlines()]
    fields = [
        (tag, value.replace(f"{marc.DELIMITER}1{marc.DELIMITER}a", f"$1{marc.DELIMITER}a")) for tag, value in fields
    ]
    leader = "00000nam a2200000 a 4500" if format is Format.MARC21 else "00000nam0 2200000   450 "
    return features.features(formats.facts(marc.Record(leader, tuple(fields)), format))


def without(text: str, *tags: str) -> str:
    return "\n".join(line for line in text.splitlines() if line[:3] not in tags)


def west(text: str) -> features.Features:
    return taken(text, Format.MARC21)


def china(text: str) -> features.Features:
    return taken(text, Format.CNMARC)


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        pytest.param(west(HAN), china(CNMARC), JOIN, id="880 against simplified"),
        pytest.param(west(without(HAN, "020")), china(without(CNMARC, "010")), JOIN, id="880 without a number"),
        pytest.param(west(HAN), west(DIRECT), JOIN, id="880 against 245 in Chinese"),
        pytest.param(west(ROMANISED), china(CNMARC), JOIN, id="romanised, one ISBN"),
        pytest.param(west(without(ROMANISED, "020")), china(without(CNMARC, "010")), REVIEW, id="romanised, no ISBN"),
        pytest.param(west(without(ROMANISED, "020")), west(without(HAN, "020")), REVIEW, id="romanised against 880"),
        pytest.param(west(ROMANISED), west(ROMANISED), JOIN, id="romanised twice"),
        pytest.param(china(NOVEL), west(NOVEL_880), JOIN, id="Dickens is no contradiction to 狄更斯"),
        pytest.param(
            china(without(NOVEL, "010")),
            west(without(NOVEL_880, "020").replace("羅稷南", "宋兆霖")),
            APART,
            id="two translators across formats",
        ),
        pytest.param(
            west(HAN.replace("運籌學基礎 /", "運籌學基礎.$n第二冊 /")),
            china(CNMARC.replace("$f", "$h2$f")),
            JOIN,
            id="volume in 880",
        ),
        pytest.param(
            west(HAN.replace("運籌學基礎 /", "運籌學基礎.$n第二冊 /")),
            china(CNMARC.replace("$f", "$h3$f")),
            APART,
            id="other volume in 880",
        ),
        pytest.param(
            china(without(CNMARC, "010").replace("运筹学基础", "公式力学")),
            china(without(CNMARC, "010").replace("运筹学基础", "攻势力学").replace("田丰年", "钱孟达")),
            APART,
            id="homophones",
        ),
    ],
)
def test_a_pair_across_scripts_is_judged(a: features.Features, b: features.Features, verdict: Verdict) -> None:
    for one, other in ((a, b), (b, a)):
        decision = decide.judge(one, other, lambda _: False)
        assert decision.verdict is verdict, (decision.score, decision.reasons)


def test_a_romanised_record_meets_the_chinese_one_by_a_key_that_only_proposes() -> None:
    a, b = west(without(ROMANISED, "020")), china(without(CNMARC, "010"))
    assert set(keys.keys(a)) & set(keys.keys(b)) == set(keys.candidate_only(a)) & set(keys.candidate_only(b)) != set()


def test_copies_with_and_without_the_cataloguers_pinyin_have_one_signature() -> None:
    with_pinyin = CNMARC.replace("$a运筹学基础", "$a运筹学基础$Ayun chou xue ji chu").replace(
        "$a田丰年", "$a田丰年$Atian feng nian"
    )
    assert features.signature(features.pack(china(with_pinyin))) == features.signature(features.pack(china(CNMARC)))


def test_a_pin_group_gives_a_signature_of_its_own() -> None:
    packed = features.pack(china(CNMARC))
    assert len({features.signature(packed), features.signature(packed, b"a"), features.signature(packed, b"b")}) == 3
    assert features.unpack(packed) == china(CNMARC)


def test_a_romanised_title_does_not_make_an_isbn_ambiguous() -> None:
    assert features.uses(west(ROMANISED)) == ()
    assert features.uses(west(HAN)) == features.uses(china(CNMARC)) != ()


def test_a_western_body_is_one_name_in_both_formats() -> None:
    western = taken("245 10$aRivers\n710 2 $aOffice for Rivers and Lakes", Format.MARC21)
    unimarc = taken("200 1 $aRivers\n712 02$aOffice for Rivers and Lakes$4070", Format.CNMARC)
    chinese = taken("200 1 $a河流\n712 02$a河流管理局$4编", Format.CNMARC)
    assert western.authors == unimarc.authors == ("@ office rivers lakes",)
    assert chinese.authors == ("河流管理局",)
