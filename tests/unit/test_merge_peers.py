"""Another merger's examples (shared data): base + source → merged, all 54, by our merging under the rules they ask for.

Its rules are given by tag: copy (ours: union), copy only if there is none of the tag (ours: whole), or select one of
two (whole too). Everything else of our policy stays as it is. What it can't be asked for is named with the reason.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from catalog.model import Format
from dms import merge, merge_policy
from dms.merge_base import Member
from dms.merge_policy import Policy, Remembered, Rule
from protocols import marc
from protocols.marc import Record
from tests import data

Fields = tuple[tuple[str, str], ...]

ARCHIVE = "merge/NatLibFi__marc-record-merge-js/marc_record_merge_fixtures.tar.gz"

INDICATORS = "indicators tell values apart there; here only a thesaurus does, since sources fill them as they like"
SUBSET = "a value that is a part of another there gives way to it; here two wordings are two values"
DROPPED = "which subfields are taken over is not asked field by field; what belongs to one library is dropped by tag"
RENAMED = "a field or subfield keeps its tag and code: renaming is conversion, not merging"
NOTHING = "has no records"
NOT_OURS = {
    "copy/01 - copy/06": INDICATORS,
    "copy/04 - compareWithoutIndicators/02": INDICATORS,
    "copy/04 - compareWithoutIndicators/03": NOTHING,
    "copy/04 - compareWithoutIndicators/04": INDICATORS,
    "copy/05 - copyUnless/01": DROPPED,
    "copy/06 - subfieldsMustBeIdentical/04": SUBSET,
    "copy/08 - dropSubfields/02": DROPPED,
    "copy/08 - dropSubfields/03": DROPPED,
    "copy/08 - dropSubfields/04": DROPPED,
    "copy/09 - swapSubfieldCode/01": RENAMED,
    "copy/09 - swapSubfieldCode/03": RENAMED,
    "copy/09 - swapSubfieldCode/04": RENAMED,
    "copy/10 - swapTag/01": RENAMED,
    "select/07": SUBSET,
    "select/10": SUBSET,
    "select/12": SUBSET,
    "": NOTHING,  # of the folder above
}
# What a case asks for beside its tags: tags that answer one question, and rules of tags.
GROUPS = {"copy/02 - doNotCopyIfFieldPresent/01": ("010", "100"), "select/04": ("010", "020")}
RULES = {
    "copy/02 - doNotCopyIfFieldPresent/01": {"010": Rule.WHOLE},
    "copy/11 - compareWithoutTag/04": {"100": Rule.WHOLE},  # its 100 becomes a 700, which is there already
}
IGNORED = {"copy/07 - excludeSubfields/01": "cd"}
CASES = 54
FOLDERS = 56  # two have no records


@functools.cache
def cases() -> Mapping[str, Mapping[str, Any]]:
    """By name, what each case's files say, by the files' names."""
    found: dict[str, dict[str, Any]] = {}
    with tarfile.open(data.path(ARCHIVE)) as tar:
        for entry in tar.getmembers():
            folder, _, name = entry.name.rpartition("/")
            handle = tar.extractfile(entry)
            assert handle is not None
            case = folder.removeprefix("reducers").removeprefix("/")
            found.setdefault(case, {})[name.removesuffix(".json")] = json.load(handle)
    return found


def record(told: Mapping[str, Any]) -> Record:
    fields = [
        (each["tag"], _text(each) if "subfields" in each else each["value"])
        for each in told["fields"]
    ]  # fmt: skip
    return Record(str(told.get("leader", "")), tuple(fields))


def _text(field: Mapping[str, Any]) -> str:
    return marc.field(
        (field["ind1"] or " ") + (field["ind2"] or " "), [(each["code"], each["value"]) for each in field["subfields"]]
    )


def asked(name: str, about: Mapping[str, Any]) -> Policy:
    """Our policy with what the case asks for."""
    reducers: Sequence[Mapping[str, Any]] = about.get("reducerConfigs", [about])
    patterns = [
        (re.compile(re.sub(r"\?<\w+>", "", each.get("tagPatternRegExp") or each["tagPattern"].split("/")[1])), each)
        for each in reducers
    ]

    def rule(tag: str) -> Rule:
        if tag in RULES.get(name, {}):
            return RULES[name][tag]
        for pattern, reducer in patterns:
            if pattern.search(tag):
                whole = name.startswith("select/") or reducer.get("compareTagsOnly")
                return Rule.WHOLE if whole else Rule.UNION
        return Rule.BASE

    first, second = GROUPS.get(name, ("", ""))
    ours = merge_policy.builtin()
    rules = ours.formats[Format.MARC21]
    changed = dataclasses.replace(
        rules,
        rules=Remembered(rule),
        groups=Remembered(lambda tag: first if tag == second else tag),
        ignore=frozenset(IGNORED.get(name, "")),  # theirs knows no subfields that never count
        protected=frozenset(),
    )
    return dataclasses.replace(ours, formats={**ours.formats, Format.MARC21: changed})


def test_every_case_is_run_or_has_its_reason() -> None:
    assert len(cases()) == FOLDERS
    assert len([case for case in cases().values() if "base" in case]) == CASES
    assert NOT_OURS.keys() <= cases().keys()


def merged(name: str) -> tuple[Fields, Fields]:
    """Fields of the merged record of a case: ours and theirs."""
    case = cases()[name]
    base, source, theirs = (record(case[each]) for each in ("base", "source", "merged"))
    members = [
        Member(key="source", format=Format.MARC21, record=source),
        Member(key="base", format=Format.MARC21, record=base, trust=1),
    ]
    return merge.merge(members, asked(name, case["metadata"])).record.fields, theirs.fields


def test_their_examples_come_out_the_same() -> None:
    for name in cases().keys() - NOT_OURS.keys():
        ours, theirs = merged(name)
        assert ours == theirs, name


@pytest.mark.parametrize("name", [name for name, why in NOT_OURS.items() if why != NOTHING])
def test_what_is_not_ours_comes_out_otherwise(name: str) -> None:
    """Else it would belong into the test above."""
    ours, theirs = merged(name)
    assert ours != theirs
