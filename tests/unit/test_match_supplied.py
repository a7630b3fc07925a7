"""Records without a title proper: known by a uniform, key or other title, and never joined by that alone."""

from __future__ import annotations

import pytest

from catalog.facts import Facts
from catalog.model import Format, Verdict
from dms import formats
from dms.describe import describe
from dms.match import decide, features
from protocols import marc


def record(*fields: str, cnmarc: bool = False) -> marc.Record:
    """Fields written `TAG IITEXT`, with `$` for the delimiter."""
    leader = "00000nam0 2200000   450 " if cnmarc else "00000ncm a2200000   4500"
    return marc.Record(leader, tuple((field[:3], field[4:].replace("$", marc.DELIMITER)) for field in fields))


def facts(*fields: str, cnmarc: bool = False) -> Facts:
    return formats.facts(record(*fields, cnmarc=cnmarc), Format.CNMARC if cnmarc else Format.MARC21)


def verdict(a: tuple[str, ...], b: tuple[str, ...]) -> Verdict:
    first, second = (features.features(facts(*fields)) for fields in (a, b))
    return decide.judge(first, second, lambda _: False).verdict


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        (["240 10$aMarguerite$mV, pf", "246 10$a[previous entry:] Songs"], "Marguerite"),
        (["130 0 $aBible", "240 10$aPsalms"], "Bible"),
        (["246 13$aSongs of the fen"], "Songs of the fen"),
        (["730 0 $aGraduale"], "Graduale"),
        (["740 0 $aNocturnes"], "Nocturnes"),
        (["222  0$aFen review"], "Fen review"),
        (["245 00$kLetters,$f1801-1840"], "Letters"),
        (["240 10$6880-01$aBian zou qu", "880 10$6240-01/$1$a变奏曲"], "变奏曲"),
    ],
)
def test_a_marc21_record_without_245_is_known_by_another_title(fields: list[str], title: str) -> None:
    taken = facts(*fields)
    assert (taken.titles, taken.supplied_title) == ((title,), True)
    assert describe(record(*fields), Format.MARC21).title.startswith(title)


@pytest.mark.parametrize("tag", ["500", "501", "503", "530", "532"])
def test_a_cnmarc_record_without_200_is_known_by_another_title(tag: str) -> None:
    taken = facts(f"{tag} 10$a水经注", cnmarc=True)
    assert (taken.titles, taken.supplied_title) == (("水经注",), True)
    described = describe(record(f"{tag} 10$a水经注", cnmarc=True), Format.CNMARC)
    assert (described.title, described.parallel) == ("水经注", ())


def test_a_title_proper_is_not_supplied() -> None:
    taken = facts("240 10$aSonatas", "245 10$aTwelve sonatas for the flute")
    assert (taken.titles, taken.supplied_title) == (("Twelve sonatas for the flute",), False)
    assert facts("500 10$a红楼梦", "200 1 $a石头记", cnmarc=True).titles == ("石头记",)


SONATAS = ("100 1 $aHartnoll, Grace", "240 10$aSonatas", "260   $c1710")
IMPRINT = ("260   $aLondon :$bWalsh,$c1710", "300   $a48 p.")


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (SONATAS, SONATAS, Verdict.REVIEW),
        ((*SONATAS[:2], IMPRINT[0]), (*SONATAS[:2], IMPRINT[0]), Verdict.REVIEW),
        ((*SONATAS[:2], *IMPRINT), (*SONATAS[:2], *IMPRINT), Verdict.JOIN),
        ((*SONATAS[:2], *IMPRINT), (SONATAS[0], "245 10$aSonatas", *IMPRINT), Verdict.JOIN),
        ((*SONATAS, "020   $a0198534531"), (*SONATAS, "020   $a0198534531"), Verdict.JOIN),
        (("240 10$aSonatas", "020   $a0198534531"), ("245 10$aBread at home", "020   $a0198534531"), Verdict.APART),
    ],
)
def test_a_supplied_title_joins_only_with_an_identifier_or_all_else(
    a: tuple[str, ...], b: tuple[str, ...], expected: Verdict
) -> None:
    assert verdict(a, b) is expected


def test_a_supplied_title_makes_no_identifier_ambiguous() -> None:
    assert features.uses(features.features(facts("240 10$aSonatas", "020   $a0198534531"))) == ()
