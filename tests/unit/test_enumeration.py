"""Enumeration and chronology: captions and values to text, neighbours joined (the data: Evergreen's tests of MFHD)."""

from __future__ import annotations

from pathlib import Path

import pytest

from dms import enumeration
from protocols.marc import DELIMITER
from tests import data

FOLDER = "holdings/evergreen-library-system__Evergreen"
# Publications that skip numbers by a rule of their own ($y), have weekdays, or begin a volume at a date: that one
# issue follows the other is not seen from their numbers, so they stay apart.
NOT_BY_NUMBERS = {"816.2", "821.3", "823.3", "825.1", "825.2", "829.1"}


def field(line: str) -> str:
    return line[4:6] + line[7:].strip().replace("$", DELIMITER)


def groups(path: Path) -> list[tuple[str, list[str], list[str]]]:
    """(title, patterns, values) of each part of a file."""
    found: list[tuple[str, list[str], list[str]]] = []
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("245"):
            found.append((line.partition("$a")[2].strip(), [], []))
        elif line[:3] in ("853", "854", "855"):
            found[-1][1].append(field(line))
        elif line[:3] in ("863", "864", "865"):
            found[-1][2].append(field(line))
    return found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Passthru Open Ended", "v.1:no.6-8 (1990:June-Aug.), v.1:no.11- (1990:Nov.-)"),
        (
            "Get compressed holdings",
            "v.1:no.1-4 (1990:Jan.-Apr.), v.1:no.6-8 (1990:June-Aug.), v.1:no.10- (1990:Oct.-)",
        ),
        ("Get combined holdings", "v.1:no.1-4 (1990:Jan.-Apr.), v.1:no.6-8 (1990:June-Aug.), v.1:no.10- (1990:Oct.-)"),
        ("Get compressed holdings, open ended member", "v.1:no.4- (1990:Apr.-)"),
    ],
)
def test_issues_are_compressed_as_the_data_has_it(name: str, text: str) -> None:
    parts = [part for part in groups(data.path(FOLDER) / "mfhddata2.txt") if part[0].startswith(name)]
    given, result = [
        part for part in parts if part[0].removeprefix(name) in ("", ", test data", ", result", ", test results")
    ]
    assert enumeration.statements(given[1], given[2]) == [("1", text)]
    assert enumeration.statements(result[1], result[2]) == [("1", text)], "the data's own result says the same"


def test_what_follows_an_issue_is_its_neighbour() -> None:
    seen = 0
    for _, patterns, values in groups(data.path(FOLDER) / "mfhddata.txt"):
        captions = {text.partition(DELIMITER + "8")[2].partition(DELIMITER)[0]: text for text in patterns}
        for text in values:
            link = text.partition(DELIMITER + "8")[2].partition(DELIMITER)[0]
            told = text.partition(DELIMITER + "x")[2].partition(DELIMITER)[0]
            following = {part[0]: part[1:] for part in told.split("|") if part}
            one = enumeration.pattern(captions[link.partition(".")[0]])
            here = enumeration.place(one, enumeration.run(text).last, -1)
            then = enumeration.place(one, following, 0)
            assert here is not None and then is not None, link
            assert (then == here + 1) is ("8" + link not in NOT_BY_NUMBERS), link
            seen += 1
    assert seen == 86


@pytest.mark.parametrize(
    ("captions", "values", "text"),
    [
        ("$81$av.$bno.$u12$vr$i(year)$j(month)", ["$81.1$a1$b6$i1990$j06"], "v.1:no.6 (1990:June)"),
        ("$81$a(year)$b(season)", ["$81.1$a2007$b22/23"], "2007:Summer/Autumn"),
        ("$81$a(year)", ["$81.1$a1990-1995", "$81.2$a1997-"], "1990-1995, 1997-"),
        ("$81$av.$i(year)", ["$81.2$a3$i2003", "$81.1$a2$i2002", "$81.3$a5$i2005"], "v.2-3 (2002-2003), v.5 (2005)"),
        ("$81$av.$bno.$u4$vr$i(year)", ["$81.1$a1-3$b1-4$i2001-2003"], "v.1:no.1-v.3:no.4 (2001-2003)"),
        ("$81$av.$bno.$u4$vr", ["$81.1$a1$b4", "$81.2$a2$b1"], "v.1:no.4-v.2:no.1"),
        ("$81$av.$bno.$vr", ["$81.1$a1$b4", "$81.2$a2$b1"], "v.1:no.4, v.2:no.1"),
        ("$81$a第$i(年)$j(月)", ["$81.1$a3卷$i2001$j07"], "第3卷 (2001:7月)"),
        (
            "$81$av.$i(year)",
            ["$81.1$a1$i1990$zmissing plates", "$81.2$a2$i1991"],
            "v.2 (1991), v.1 (1990) missing plates",
        ),
        ("$81$av.$oSupplement", ["$81.1$a1-2"], "Supplement: v.1-2"),
        ("$82$av.", ["$81.1$a1", "$81.2$a2"], "1-2"),
        ("$81$av.$bno.", ["$81.1$a" + "9" * 40 + "$b1", "$81.2$a$b2"], "no.2, v." + "9" * 40 + ":no.1"),
    ],
)
def test_text(captions: str, values: list[str], text: str) -> None:
    patterns = ["20" + captions.replace("$", DELIMITER)]
    found = enumeration.statements(patterns, ["41" + value.replace("$", DELIMITER) for value in values])
    assert [words for _, words in found] == [text]
