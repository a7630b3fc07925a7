"""The security pages promise nothing that isn't there: every requirement stands in the table once, every test and
module that a row names exists, and the counts are those of the rows.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from services.access.policy import PERMITS, Permission, Role

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ASVS = DOCS / "security" / "asvs.md"
DJBH = DOCS / "security" / "dengbao.md"
THREATS = DOCS / "security.md"
STATES = ("tested", "read", "part", "open", "n/a")
CODE = r"(?:node|services|exchange|dms|catalog|protocols|config|tests|docs|bench)/[\w/.-]+|dev|\.ci/run"
REFERENCE = re.compile(rf"`({CODE})(?:::(\w+))?`")


def required() -> dict[str, str]:
    """Level by id, of the standard."""
    lines = (ROOT / "tests" / "arch" / "asvs.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines if not line.startswith("#"))


def rows(page: Path, cells: int) -> list[list[str]]:
    """Rows of the tables of a page that have so many cells, without heads."""
    found = []
    for line in page.read_text(encoding="utf-8").splitlines():
        row = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(row) == cells and not set(line) <= set("|-: "):
            found.append(row)
    return found


def requirements() -> list[list[str]]:
    """id, level, what, state, where or why."""
    return [row for row in rows(ASVS, 5) if re.fullmatch(r"\d+\.\d+\.\d+", row[0])]


def measures() -> list[list[str]]:
    """等保: 条目, requirement, level, state, where or why."""
    return [row for row in rows(DJBH, 5) if row[0] != "条目"]


@cache
def functions(path: Path) -> frozenset[str]:
    """Names of tests in a file."""
    return frozenset(re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.M))


def missing(text: str) -> list[str]:
    """References of a text to what is not there."""
    bad = []
    for path, test in REFERENCE.findall(text):
        if not (ROOT / path).exists() or (test and test not in functions(ROOT / path)):
            bad.append(f"{path}::{test}" if test else path)
    return bad


def proofs(text: str) -> list[str]:
    return [path for path, _ in REFERENCE.findall(text) if re.search(r"/test_\w+\.py$", path)]


def test_every_requirement_of_levels_1_and_2_stands_there_once() -> None:
    assert Counter(required().values()) == {"1": 70, "2": 183}
    assert [(row[0], row[1]) for row in requirements()] == list(required().items())


@pytest.mark.parametrize("row", requirements() + measures(), ids=lambda row: row[0])
def test_row_says_where_or_why(row: list[str]) -> None:
    _, _, _, state, where = row
    assert state in STATES
    assert missing(where) == []
    if state == "tested":
        assert proofs(where), "tested, and by which test?"
    elif state == "read":
        assert REFERENCE.search(where), "read, and where?"
    elif state == "part":
        assert REFERENCE.search(where)
        assert "missing:" in where.lower(), "part of it, and what is missing?"
    elif state == "n/a":
        assert re.match(r"because \S+ \S+ \S+", where), "not applicable, because …"
    else:
        assert len(where.split()) >= 4, "open, and what will close it?"


@pytest.mark.parametrize("page", [THREATS, *sorted((DOCS / "security").glob("*.md"))], ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    assert missing(page.read_text(encoding="utf-8")) == []


def test_every_attack_has_its_defence_and_test() -> None:
    attacks = [row for row in rows(THREATS, 3) if row[0] not in ("attack", "")]
    named = [row for row in attacks if REFERENCE.search(row[2]) or row[2].startswith("open")]
    assert len(named) >= 18
    for row in named:
        assert proofs(row[2]) or row[2].startswith("open"), row[0]


@pytest.mark.parametrize(("page", "found"), [(ASVS, requirements), (DJBH, measures)], ids=["asvs", "dengbao"])
def test_counts_are_those_of_the_rows(page: Path, found: object) -> None:
    assert callable(found)
    counted = Counter(row[3] for row in found())
    told = {row[0]: int(row[1]) for row in rows(page, 2) if row[0] in STATES}
    assert told == {state: counted[state] for state in STATES}


def test_no_duty_holds_what_another_is_for() -> None:
    special = {
        Role.OPERATOR: Permission.OPERATE,
        Role.SECURITY: Permission.ACCOUNTS,
        Role.AUDITOR: Permission.AUDIT,
    }
    for duty, permission in special.items():
        assert permission in PERMITS[duty]
        for other in special:
            assert other == duty or permission not in PERMITS[other]
    assert Permission.ACCOUNTS not in PERMITS[Role.OPERATOR]
    assert [role for role in Role if Permission.AUDIT in PERMITS[role]] == [Role.AUDITOR]
    text = THREATS.read_text(encoding="utf-8")
    for word in ("系统管理员", "安全管理员", "审计管理员"):
        assert word in text
