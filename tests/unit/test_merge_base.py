"""The base record: each question counts where all before it leave two records equal, and then the next one does."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.model import Format
from dms import merge, merge_base
from dms.merge_base import STEPS, Member
from dms.merge_policy import builtin
from tests.unit.test_merge import LEADER, member

FULL, BRIEF = LEADER[:17] + " " + LEADER[18:], LEADER[:17] + "3" + LEADER[18:]
SUBJECT, NOTE, CODED = "606 0_$a历史", "330 __$a提要", "101 0_$achi"


def book(key: str, *fields: str, stamp: str = "20200101", made: str = "XYZ", **more: Any) -> Member:
    made_by = f"801 _0$aCN$b{made}"
    return member(key, f"005 {stamp}", "200 1_$a书$f人", made_by, *fields, **({"fmt": Format.CNMARC} | more))


# For each question: what is better by it, and what is better by all later ones.
CASES: dict[str, tuple[Member, Member]] = {
    "pinned": (book("z", pinned=True), book("a", trust=9)),
    "trust": (book("z", trust=1, leader=BRIEF), book("a", leader=FULL)),
    "level": (book("z", leader=FULL, findings=9), book("a", leader=BRIEF)),
    "findings": (book("z", trust=50, made="XYZ"), book("a", made="NLC", findings=1)),
    "agency": (book("z", made="NLC"), book("a", SUBJECT, trust=50)),
    "essential": (book("z", SUBJECT), book("a", NOTE, CODED)),
    "complete": (book("z", NOTE, stamp="20100101"), book("a", stamp="20240101")),
    "stamp": (book("z", stamp="20240101"), book("a", stamp="20100101")),
    "key": (book("a"), book("b")),
}


def test_every_question_has_its_case() -> None:
    assert tuple(CASES) == STEPS


@pytest.mark.parametrize("step", STEPS)
def test_the_first_difference_decides(step: str) -> None:
    better, worse = CASES[step]
    assert merge.merge([worse, better]).base == better.key
    assert merge_base.decided([worse, better]) == step
    ours, theirs = (merge_base.rank(one, builtin()) for one in (better, worse))
    place = STEPS.index(step)
    assert ours[:place] == theirs[:place]
    assert ours[place:] < theirs[place:]


@pytest.mark.parametrize(
    ("fields", "trust"),
    [
        pytest.param(["801 _0$aCN$bNLC", "801 _2$aCN$bXYZ"], 50, id="who made it"),
        pytest.param(["801 _0$aCN$bXYZ", "801 _2$aCN$bQQQ", "801 _2$aCN$bCALIS"], 40, id="who changed it last"),
        pytest.param(["801 _0$aCN$bXYZ", "801 _2$aCN$bCALIS", "801 _2$aCN$bQQQ"], 7, id="not who changed it before"),
        pytest.param(["801 _0$aCN$bXYZ", "801 _1$aCN$bNLC", "801 _3$aCN$bNLC"], 7, id="not who typed or sent it"),
        pytest.param([], 7, id="nobody told"),
    ],
)
def test_trust_follows_801(fields: list[str], trust: int) -> None:
    one = member("s/1", "200 1_$a书", *fields, fmt=Format.CNMARC, trust=7)
    assert merge_base.rank(one, builtin())[STEPS.index("trust")] == -trust


@pytest.mark.parametrize(
    ("fields", "trust"),
    [
        (["040 __$aDLC$cABC"], 50),
        (["040 __$aABC$cABC$dXYZ$dDLC"], 50),
        (["040 __$aABC$cDLC$dDLC$dXYZ"], 7),
        ([], 7),
    ],
)
def test_trust_follows_040(fields: list[str], trust: int) -> None:
    one = member("s/1", "245 10$aTitle", *fields, trust=7)
    assert merge_base.rank(one, builtin())[STEPS.index("trust")] == -trust
