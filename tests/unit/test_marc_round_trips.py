"""There and back between MARC formats and dialects: what is gone is in a report, over real records and made-up ones."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.model import Format
from config.errors import BadRecord
from dms.crosswalk.marc import between, table
from dms.crosswalk.model import Converted, Fate
from dms.rules import kinds
from dms.rules.model import Kind
from protocols import detect, dialect, embedded, marc, reading
from protocols.marc import Record
from tests import data

TAKEN = 60  # records of a file
FILES = (
    "marc21-bib/carpentries-incubator__pymarc_basics/NLNZ_1000_example_marc.marc",
    "marc21-bib/psu-libraries__psulib_traject/sample_psucat.mrc",
    "marc21-bib/jorol__MARC-Schema/camel.mrc",
    "marc21-bib/jorol__MARC-Schema/journals.mrc",
    "marc21-bib/evergreen-library-system__Evergreen/hebrew.marc",
    "unimarc-cnmarc/feelovejun__marc21tocmarc/20171117_423294_ntuedu_Full-MARC8.mrc",
    "unimarc-cnmarc/feelovejun__marc21tocmarc/20171117_423294_ntuedu_CMARC.mrc",
    "unimarc-cnmarc/DigitalPlatform__dp2/bnu_cnmarc_utf8.iso",
    "unimarc-cnmarc/1000copy__openilas/openilas_cnmarc_gb18030.iso",
    "unimarc-cnmarc/indexdata__idzebra/simple-rusmarc",
    "unimarc-cnmarc/pkiraly__qa-catalogue/serial.bnr.1993.mrc",
    "unimarc-cnmarc/xbib__marc/periouni_first2000.mrc",
)
# Coded data are compared by position, links and their numbers are made anew.
ROLES = frozenset((tag, "4") for tag in ("700", "701", "702", "710", "711", "712"))
CODED = frozenset(("008", "100", "101", "102", "105", "106", "110", "135"))


@cache
def _records(relative: str) -> tuple[tuple[Record, Format], ...]:
    found = [read.record for read in reading.read(data.path(relative).read_bytes(), "iso2709").reads]
    return tuple((each, Format[dialect.family(each).upper()]) for each in found[:: max(1, len(found) // TAKEN)])


def _folded(value: str) -> str:
    return "".join(filter(str.isalnum, value)).lower()


def _values(record: Record) -> list[tuple[str, str, str]]:
    """(tag, code, value) of everything that is neither coded nor a link's number; the fields in links too."""
    found = []
    for tag, text in record.fields:
        if tag in CODED:
            continue
        if marc.is_control(tag):
            found.append((tag, "", text))
        elif tag[0] == "4" and "\x1f1" in text:
            for inner in embedded.fields(text):
                if marc.is_control(inner.tag):
                    found.append((tag, "1", inner.text))
                else:
                    found += [(tag, code, value) for code, value in marc.subfields(inner.text)]
        else:
            found += [(tag, code, value) for code, value in marc.subfields(text) if code != "6"]
    return [(tag, code, value) for tag, code, value in found if _folded(value)]


def _said(record: Record) -> str:
    """All words of each field, a field a line."""
    return "\n".join(
        _folded("".join(part[1:] for part in text.split("\x1f")[1:]) if not marc.is_control(tag) else text)
        for tag, text in record.fields
    )


def _named(*conversions: Converted) -> Counter[str]:
    return Counter(_folded(loss.value) for each in conversions for _, loss in each.losses() if loss.fate is Fate.LOST)


_MARKS = re.compile(r"\s[=:;/]\s|, ")  # of ISBD: they part a value into several subfields


def _is_said(value: str, said: str) -> bool:
    """Whether the value is there, in one piece or parted."""
    return _folded(value) in said or all(_folded(each) in said for each in _MARKS.split(value))


def _gone(record: Record, fmt: Format, through: str) -> list[tuple[str, str, str]]:
    """What of a record isn't there after the way to a dialect and back, and no report names."""
    there = between.to(record, fmt, through)
    back = between.to(there.record, between.FORMATS[through], "marc21" if fmt is Format.MARC21 else "cnmarc-calis")
    said, named = _said(back.record), _named(there, back)
    return [
        each
        for each in _values(record)
        if not _is_said(each[2], said)
        and not named[_folded(each[2])]
        and each[:2] != ("040", "b")  # a code, by position
        and not (through == "unimarc" and each[:2] in ROLES)  # words of roles are codes there
    ]


@pytest.mark.parametrize("through", sorted(between.FORMATS))
@pytest.mark.parametrize("relative", FILES)
def test_what_real_records_lose_on_the_way_there_and_back_is_named(relative: str, through: str) -> None:
    for record, fmt in _records(relative):
        assert _gone(record, fmt, through) == []


@pytest.mark.parametrize("through", sorted(between.FORMATS))
@pytest.mark.parametrize("relative", FILES)
def test_every_subfield_of_a_real_record_has_a_line(relative: str, through: str) -> None:
    for record, fmt in _records(relative):
        fates = between.to(record, fmt, through).fates
        assert {line.tag for _, lines in fates[len(record.fields) :] for line in lines} <= {"LDR"}
        seen: Counter[str] = Counter()
        for (tag, text), (nth, lines) in zip(record.fields, fates, strict=False):
            seen[tag] += 1
            assert nth == seen[tag]
            codes = {""} if marc.is_control(tag) else _codes(tag, text)
            assert codes <= {line.code.split("/")[0] for line in lines}, (tag, text, lines)


def _codes(tag: str, text: str) -> set[str]:
    """The codes of what a data field says, as a report calls them."""
    if tag[0] != "4" or "\x1f1" not in text:
        return {code for code, value in marc.subfields(text) if value.strip()}
    found = set()
    for inner in embedded.fields(text):
        within = f"1{inner.tag}$" if inner.tag else ""
        codes = (
            {""}
            if marc.is_control(inner.tag)
            else {code for code, value in marc.subfields(inner.text) if value.strip()}
        )
        found |= {f"{within}{code}".rstrip("$") for code in codes}
    return found


_POSITION = re.compile(r"/(\d+)(?:-(\d+))?$")
CODES_OF_CNMARC = ("105", "106", "110", "115", "116", "117", "120", "121", "124", "125", "126", "128", "130", "135")
LISTS = (range(18, 24), range(24, 32))  # of 008: codes side by side, put to the left
NOT_CODED = " |#^-"  # and how systems write it
# Made anew: lengths and what is always so, the scheme of transliteration, the character sets, the script.
ANEW = {"LDR": {*range(5), *range(9, 17), *range(20, 24)}, "100": set(range(25, 36))}


def _told(*conversions: Converted) -> set[tuple[str, int]]:
    """(tag, position) of coded data that reports call lost."""
    found = set()
    for each in conversions:
        for _, loss in each.losses():
            if loss.fate is Fate.LOST and (at := _POSITION.search(loss.code)):
                found |= {(loss.tag, place) for place in range(int(at[1]), int(at[2] or at[1]) + 1)}
    return found


def _coded(record: Record, tag: str) -> str:
    if tag == "LDR":
        return record.leader
    text = record.first(tag) or ""
    return text if marc.is_control(tag) else marc.value(text, "a")


@pytest.mark.parametrize("relative", FILES)
def test_codes_that_change_on_the_way_there_and_back_are_named(relative: str) -> None:
    for record, fmt in _records(relative):
        assert _unnamed_codes(record, fmt) == []


def _unnamed_codes(record: Record, fmt: Format) -> list[tuple[str, int, str, str]]:
    """Codes of a record that are others after the way there and back, and no report names."""
    through, home = ("cnmarc-calis", "marc21") if fmt is Format.MARC21 else ("marc21", "cnmarc-calis")
    there = between.to(record, fmt, through)
    back = between.to(there.record, between.FORMATS[through], home)
    told = _told(there)
    found: list[tuple[str, int, str, str]] = []
    for tag in ("LDR", "008") if fmt is Format.MARC21 else ("LDR", "100", *CODES_OF_CNMARC):
        before, after = _coded(record, tag), _coded(back.record, tag)
        if before and not after and any("\x1fa006" in text for text in back.record.all("886")):
            continue  # of another kind than the record: kept whole
        found += [
            (tag, place, before, after)
            for place, (one, two) in enumerate(zip(before, after.ljust(len(before)), strict=False))
            if one != two
            and one not in NOT_CODED
            and place not in ANEW.get(tag, ())
            and (tag, place) not in told
            and not (tag == "008" and any(place in run and one in after[run.start : run.stop] for run in LISTS))
        ]
    return found


@pytest.mark.parametrize("relative", FILES)
def test_indicators_that_change_on_the_way_there_and_back_are_named(relative: str) -> None:
    for record, fmt in _records(relative):
        assert _unnamed_indicators(record, fmt) == []


def _unnamed_indicators(record: Record, fmt: Format) -> list[tuple[str, str, set[str]]]:
    """Fields that come back with their words and another indicator, and no report names it."""
    through, home = ("cnmarc-calis", "marc21") if fmt is Format.MARC21 else ("marc21", "cnmarc-calis")
    there = between.to(record, fmt, through)
    back = between.to(there.record, between.FORMATS[through], home)
    returned: dict[tuple[str, str], list[str]] = {}
    for tag, text in back.record.fields:
        returned.setdefault((tag, _said(Record("", ((tag, text),)))), []).append(text[:2])
    lost = {line.code for _, line in back.losses()}
    found = []
    for (tag, text), (_, lines) in zip(record.fields, there.fates, strict=False):
        inds = returned.get((tag, _said(Record("", ((tag, text),)))), [])
        if marc.is_control(tag) or not inds:
            continue
        named = lost.union(line.code for line in lines)
        changed = {
            name
            for place, name in enumerate(("ind1", "ind2"))
            if text[place : place + 1] not in NOT_CODED
            and text[place] not in {each[place] for each in inds}
            and not _is_implied(tag, text, place, "marc21_cnmarc" if fmt is Format.MARC21 else "cnmarc_marc21")
        }
        if changed - named:
            found.append((tag, text, set(inds)))
    return found


def _is_implied(tag: str, text: str, place: int, name: str) -> bool:
    """Whether something else says what the indicator at this place says."""
    if tag[0] == "6" and (place == 1 or text[0] == "0"):
        return True  # where the heading is from is in $2; 0 is no level
    if tag in ("100", "700") and re.search("\x1fa[\u4e00-\u9fff]", text):
        return True  # names in Han are entered directly
    told = table.table(name)
    values = {told.settings["implied"].get(tag, ("", ""))[place], *(row.implied[place] for row in told.rows[tag])}
    filing = {each["filing"] for each in told.settings.get("parting", ()) if tag in each["tags"] and "filing" in each}
    return text[place] in "".join(values) or place + 1 in filing


FOLDERS = ("marc21-bib", "unimarc-cnmarc", "marc-conformance", "holdings", "sru", "dedup/domain-pairs", "oai-pmh")
A_FILE = 12  # records of each, of all files


@pytest.mark.parametrize("folder", FOLDERS)
def test_whatever_real_records_there_are_what_they_lose_is_named(folder: str) -> None:
    """Every file of the collection, whatever it is read as: words in every dialect and back, codes there and back."""
    count = 0
    for path in sorted(data.path(folder).rglob("*")):
        raw = path.read_bytes() if path.is_file() and path.suffix != ".gz" else b""
        try:
            reads = reading.read(raw, detect.carrier_of(raw[:4096])).reads
        except BadRecord:
            continue  # no records
        for each in reads[:: len(reads) // A_FILE + 1]:
            record, fmt = each.record, Format[dialect.family(each.record).upper()]
            if kinds.kind_of(record, fmt) is not Kind.BIBLIOGRAPHIC or not _is_well_made(record):
                continue
            count += 1
            for through in sorted(between.FORMATS):
                assert _gone(record, fmt, through) == [], (path, record.first("001"))
            assert _unnamed_codes(record, fmt) == [], (path, record.first("001"))
            assert _unnamed_indicators(record, fmt) == [], (path, record.first("001"))
    assert count > 5


def _is_well_made(record: Record) -> bool:
    """Whether its coded data are such: damaged ones are read by position all the same."""
    coded = record.all("008") or [" " * 40]
    return record.leader[5:9].isascii() and len(coded) == 1 and "\x1f" not in coded[0] and len(coded[0]) >= 40


_WORDS = st.text(alphabet="abcdeféß中国图书馆报告の- 12", min_size=1, max_size=12).filter(str.strip)
_CODES = st.sampled_from("abcdefghijklmnopqrstuvwxyz02")
_DATA = st.tuples(
    st.integers(10, 999).map(lambda number: f"{number:03}"),
    st.sampled_from("012 "),
    st.sampled_from("0127 "),
    st.lists(st.tuples(_CODES, _WORDS), min_size=1, max_size=4),
).map(lambda each: (each[0], marc.field(each[1] + each[2], each[3])))


def _record(leader: str, fields: list[tuple[str, str]]) -> Record:
    return Record(leader, tuple(sorted((tag, text) for tag, text in fields if tag not in CODED)))


@settings(max_examples=150, deadline=None)
@given(
    fields=st.lists(_DATA, max_size=8), through=st.sampled_from(sorted(between.FORMATS)), fmt=st.sampled_from(Format)
)
def test_what_made_up_records_lose_is_named(fields: list[tuple[str, str]], through: str, fmt: Format) -> None:
    record = _record("00000nam a2200000 a 4500" if fmt is Format.MARC21 else "00000nam0 2200000   450 ", fields)
    assert _gone(record, fmt, through) == []
