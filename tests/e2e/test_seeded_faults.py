"""Ten thousand records of ten libraries with 300 faults in them: all are found where they are, nothing else is accused,
and mending leaves none of them."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bench.generator import corpus
from bench.generator.habits import Member
from dms import checking, formats
from dms.rules import catalogue
from dms.rules.model import Level, Profile
from dms.verdicts import Court, Subject
from protocols import reading, writing
from protocols.charsets import codec
from protocols.marc import Record
from protocols.reading import Read
from tests import faults
from tests.faults import Fault, Place

RECORDS, FAULTS, SEED = 10_000, 300, 5
COURT = Court(Profile())

# What the generator's libraries do all the same, as real ones do: their habits, and titles that begin with an article.
# A fault may be found under other names too (a title with a foreign blank has pinyin that is not its own any more).
HABITS = {
    "field-missing",  # the small library writes no 801
    "series-link-dialect", "code-undefined", "code-blank", "control-number-signs",
    "date-type", "fixed-length", "language-code",
    "non-filing", "title-added-entry", "pinyin-mismatch", "pinyin-other",
}  # fmt: skip


class Seeded(NamedTuple):
    """A record with a fault."""

    member: str
    ordinal: int
    position: int
    place: Place
    before: Record
    fault: Fault


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Member], list[Seeded]]:
    """The corpus with its faults written into it."""
    folder = tmp_path_factory.mktemp("seeded")
    members = corpus.generate(folder, count=RECORDS, seed=SEED, libraries=10)
    read = {m.file: reading.read((folder / m.file).read_bytes(), m.habit.carrier).reads for m in members}
    rng = random.Random(SEED)
    worse: dict[str, dict[int, tuple[Record, Seeded]]] = {m.file: {} for m in members}
    left = Counter(dict.fromkeys(range(len(faults.KINDS)), FAULTS // len(faults.KINDS)))
    places = [(m, n) for m in members for n in range(len(read[m.file]))]
    rng.shuffle(places)
    made = 0
    for member, n in places:
        if made == FAULTS:
            break
        each = read[member.file][n]
        for kind in sorted(left, key=lambda one: -left[one]):
            if spoilt := _spoilt(faults.KINDS[kind], each, member):
                record, place = spoilt
                told = Seeded(member.file, each.ordinal + 1, 0, place, each.record, faults.KINDS[kind])
                worse[member.file][n] = record, told
                left[kind] -= 1
                made += 1
                break
    return folder, members, [one for m in members for one in _written(folder / m.file, m, read[m.file], worse[m.file])]


def _spoilt(fault: Fault, each: Read, member: Member) -> tuple[Record, Place] | None:
    if fault.encodings and member.habit.encoding not in fault.encodings:
        return None
    if each.record.leader[5:6] == "d":
        return None
    (sound,) = COURT.judge([Subject(each.record, formats.format_of(each.record, "auto"), ())])
    spoilt = fault.spoil(each.record)
    if spoilt and any(one.rule == fault.rule and one.tag == spoilt[1].tag for one in sound.findings):
        return None  # it has such a fault of its own
    return spoilt


def _written(path: Path, member: Member, reads: list[Read], worse: dict[int, tuple[Record, Seeded]]) -> list[Seeded]:
    """The file with those records replaced; their places in it."""
    data, parts, end, size = path.read_bytes(), [], 0, 0
    placed = []
    for n, each in enumerate(reads):
        between = data[end : each.position]
        raw = each.raw
        if n in worse:
            record, told = worse[n]
            encoding = codec.known(member.habit.encoding)
            raw = writing.write(record, member.habit.carrier, encoding).data.rstrip(b"\n")
            placed.append(told._replace(position=size + len(between)))
        parts += [between, raw]
        size += len(between) + len(raw)
        end = each.position + len(each.raw)
    path.write_bytes(b"".join([*parts, data[end:]]))
    return placed


def check(path: Path, member: Member, fix: bool = False, lang: str = "en") -> tuple[list[dict[str, Any]], bytes]:
    """What is said of a file, and the file mended."""
    asked = checking.Asked(carrier=member.habit.carrier, fix=fix, lang=lang)
    looked = checking.look(path.read_bytes(), 0, asked, checking.pack(Profile()))
    around = writing.AROUND[member.habit.carrier]
    lines = [{**json.loads(told.line), "ordinal": told.ordinal + 1} for told in looked.told]
    return lines, around.before + b"".join(looked.out) + around.after


def test_there_are_enough_faults_of_enough_kinds(seeded: tuple[Path, list[Member], list[Seeded]]) -> None:
    _, _, told = seeded
    assert len(told) == FAULTS and len({one.place.rule for one in told}) >= 15
    assert all(catalogue.rule(one.place.rule).fix for one in told)


def test_every_fault_is_found_where_it_is_and_nobody_else_is_accused(
    seeded: tuple[Path, list[Member], list[Seeded]],
) -> None:
    folder, members, told = seeded
    levels = {id_: rule.level for id_, rule in catalogue.rules().items()}
    found = 0
    for member in members:
        lines, _ = check(folder / member.file, member)
        by_ordinal = {line["ordinal"]: line for line in lines}
        spoilt = {one.ordinal for one in told if one.member == member.file}
        for one in (each for each in told if each.member == member.file):
            line = by_ordinal[one.ordinal]
            places = [(f["rule"], f["tag"], f["nth"], f["code"]) for f in line["findings"]]
            assert one.place in places, (member.file, one, places)
            assert line["position"] == one.position
            found += 1
        accused = Counter(
            finding["rule"] for line in lines if line["ordinal"] not in spoilt for finding in line["findings"]
        )
        assert set(accused) <= HABITS, accused
        assert not any(levels[rule] is Level.ERROR for rule in accused)
    assert found == FAULTS


def test_mending_leaves_none_of_them_and_nothing_else_is_changed(
    seeded: tuple[Path, list[Member], list[Seeded]], tmp_path: Path
) -> None:
    folder, members, told = seeded
    for member in members:
        lines, mended = check(folder / member.file, member, fix=True)
        (tmp_path / member.file).write_bytes(mended)
        again, _ = check(tmp_path / member.file, member)
        after = {line["ordinal"]: line for line in again}
        records = reading.read(mended, member.habit.carrier).reads
        assert len(records) == len(lines)
        for one in (each for each in told if each.member == member.file):
            line, left = lines[one.ordinal - 1], after[one.ordinal]
            assert one.place.rule in [receipt["rule"] for receipt in line["receipts"]], one
            assert one.place.rule not in [finding["rule"] for finding in left["findings"]], one
            if one.fault.restores:
                now = records[one.ordinal - 1].record
                changed = {receipt["tag"] for receipt in line["receipts"] if receipt["rule"] != one.place.rule}
                for before, text in zip(one.before.fields, now.fields, strict=True):
                    assert before == text or before[0] in changed, one


def test_findings_are_told_in_chinese_and_in_english(seeded: tuple[Path, list[Member], list[Seeded]]) -> None:
    folder, members, told = seeded
    member = members[0]
    english, chinese = (check(folder / member.file, member, lang=lang)[0] for lang in ("en", "zh"))
    for one in (each for each in told if each.member == member.file):
        for en, zh in zip(english[one.ordinal - 1]["findings"], chinese[one.ordinal - 1]["findings"], strict=True):
            assert en["rule"] == zh["rule"] and en["text"] != zh["text"] and not zh["text"].isascii()
