"""The cases of a Finnish union catalogue's validators (48 rules), where its rules are those of the format.

A case says whether a record is valid, or what a fix makes of it. Rules of one country's practice, vocabulary or
language are not ours: `NOT_OURS` says why, so that a new row of theirs fails here until somebody has looked at it.
"""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from catalog.model import Format
from dms.rules import catalogue, check, kinds, mend
from dms.rules.model import Level, Profile
from protocols.marc import Record, field, is_control
from tests import data

ARCHIVE = "quality/NatLibFi__marc-record-validators-melinda/melinda_validators_fixtures.tar.gz"
ALL_ON = Profile(levels=dict.fromkeys(catalogue.rules(), Level.WARNING))

# Their rule -> ours that answer for it.
OURS: dict[str, tuple[str, ...]] = {
    "duplicates-ind1": ("field-twice-indicators",),
    "ending-whitespace": ("space-edge",),
    "field-008-18-34-character-groups": ("codes-order",),
    "indicator-fixes": (
        "non-filing",
        "title-added-entry",
        "series-traced",
        "display-constant",
        "translation-indicator",
    ),
    "non-breaking-space": ("space-no-break",),
    "normalize-utf8-diacritics": ("character-decomposed",),
    "reindex-sf6-occurence-numbers": ("link6-shared",),
    "remove-duplicate-datafields": ("field-twice", "added-entry-main"),
    "remove-orphanded-sf6s": ("link6-alone",),
    "sync-language": ("language-differs",),
    "typeOfDate-008": ("date-type-single",),
}

NOT_OURS: dict[str, str] = {
    "addMissingField041": "adds a field that the format does not require",
    "addMissingField336": "writes RDA terms, in Finnish or Swedish, into records that claim no RDA",
    "addMissingField337": "as 336",
    "addMissingField338": "as 336",
    "cyrillux": "Finnish transliteration of Cyrillic",
    "cyrillux-usemarcon-replacement": "conversion from one library's dialect",
    "disambiguate-series-statements": "asks another catalogue which ISSN is of which form",
    "drop-terms": "a Finnish vocabulary",
    "field-505-separators": "a choice of separators between equals",
    "fix-33X": "Finnish and Swedish terms",
    "fix-country-codes": "codes finer than a country are valid and dropped by choice",
    "fix-language-codes": "valid codes of Norwegian joined by choice",
    "fix-relator-terms": "Finnish and Swedish terms",
    "fix-sami-041": "a choice for Sami languages",
    "fix521": "Finnish age limits",
    "lisapainokset": "Finnish notes on further printings",
    "merge-fields": "a part of merging, not a fault",
    "mergeRelatorTermFields": "a part of merging, not a fault",
    "modernize-502": "Finnish notes on theses",
    "normalize-dashes": "dashes differ in meaning; joining them is a choice",
    "normalize-identifiers": "codes of Finnish agencies",
    "normalize-qualifying-information": "Finnish terms",
    "normalize-subfield-value": "Finnish and Swedish terms, and blanks between initials by choice",
    "punctuation": "one agency's choice: the format allows records without ISBD punctuation",
    "punctuation2": "as punctuation",
    "remove-041-zxx": "a choice: zxx is a valid code",
    "remove-inferior-datafields": "a part of merging, not a fault",
    "sanitize-vocabulary-source-codes": "codes of Finnish vocabularies",
    "sort-fields": "the order of fields is no fault",
    "sort-relator-terms": "the order of relators is no fault",
    "sort-subfields": "the order of subfields is free",
    "strip-punctuation": "as punctuation",
    "subfield0": "Finnish authority files",
    "sync-007-and-300": "Finnish and Swedish terms of carriers",
    "translate-terms": "Finnish and Swedish vocabularies",
    "update-field-540": "one agency's licence texts",
    "urn": "Finnish legal deposit",
}

# Cases of rules that are ours in which we do otherwise.
OTHERWISE: dict[str, str] = {
    "duplicates-ind1/03": "told only: which of the indicators is right can't be known",
    "indicator-fixes/06": "an English article in a record of other languages; a blank indicator stays",
    "indicator-fixes/07": "a record without a language has no articles",
    "indicator-fixes/09": "indicator of a Finnish class scheme",
    "indicator-fixes/10": "indicator of a local note",
    "normalize-utf8-diacritics/01": "asks for one letter's form and the other form of another",
    "normalize-utf8-diacritics/02": "keeps some letters decomposed",
    "normalize-utf8-diacritics/03": "keeps some letters decomposed",
    "normalize-utf8-diacritics/04": "keeps some letters decomposed",
    "reindex-sf6-occurence-numbers/f02": "gaps in the numbers are no fault",
    "reindex-sf6-occurence-numbers/v02": "gaps in the numbers are no fault",
    "reindex-sf6-occurence-numbers/f03": "numbers without gaps are theirs; ours are new ones",
    "remove-duplicate-datafields/f03": "chains of $8 are not followed: each link is a statement of its own",
    "remove-duplicate-datafields/f03b": "as f03",
    "remove-duplicate-datafields/f04": "as f03",
    "remove-duplicate-datafields/f05": "as f03",
    "remove-duplicate-datafields/f06": "as f03",
    "remove-duplicate-datafields/f10": "a pair with another script is told apart by its $6",
    "remove-duplicate-datafields/f11": "as f03",
    "remove-duplicate-datafields/v04": "as f03",
    "sync-language/03": "adds a field that the format does not require",
    "sync-language/11": "adds a field that the format does not require",
    "sync-language/12": "adds a field that the format does not require",
}


@dataclass(frozen=True)
class Case:
    """One case of theirs."""

    row: str
    name: str
    record: dict[str, Any]
    expected: Any
    fix: bool

    def __str__(self) -> str:
        return f"{self.row}/{self.name}"


@cache
def _cases() -> tuple[Case, ...]:
    held: dict[tuple[str, str], dict[str, Any]] = {}
    rows: set[str] = set()
    with tarfile.open(data.path(ARCHIVE)) as archive:
        for member in archive:
            parts = member.name.strip("./").split("/")
            if len(parts) > 1 and member.isfile():
                rows.add(parts[0])
            read = archive.extractfile(member) if member.isfile() and len(parts) == 3 else None
            if read is not None:
                held.setdefault((parts[0], parts[1]), {})[parts[2]] = json.load(read)
    found = [
        Case(row, name, files["record.json"], files["expectedResult.json"], bool(files["metadata.json"].get("fix")))
        for (row, name), files in sorted(held.items())
        if {"record.json", "expectedResult.json", "metadata.json"} <= files.keys()
        and files["metadata.json"].get("enabled", True)
        and not files["metadata.json"].get("skip")
    ]
    assert rows == OURS.keys() | NOT_OURS.keys()
    return tuple(found)


def _record(given: dict[str, Any]) -> Record:
    fields = []
    for each in given["fields"]:
        if is_control(each["tag"]):
            fields.append((each["tag"], each["value"]))
        else:
            pairs = [(sub["code"], sub.get("value") or "") for sub in each["subfields"]]
            fields.append((each["tag"], field(f"{each.get('ind1') or ' '}{each.get('ind2') or ' '}", pairs)))
    return Record(given.get("leader") or "00000nam a2200000 a 4500", tuple(fields))


def _findings(record: Record, rules: tuple[str, ...]) -> set[str]:
    kind = kinds.kind_of(record, Format.MARC21)
    return {each.rule for each in check.checker(ALL_ON).check(record, Format.MARC21, kind)} & set(rules)


@pytest.mark.parametrize("row", sorted(OURS))
def test_their_cases_of_a_rule_of_the_format_hold(row: str) -> None:
    """Valid where they say so, found where they don't, and mended to the same record."""
    wrong = []
    tried = 0
    for case in _cases():
        if case.row != row or str(case) in OTHERWISE:
            continue
        tried += 1
        record = _record(case.record)
        if not case.fix:
            valid = case.expected.get("valid", not case.expected.get("message"))
            if bool(_findings(record, OURS[row])) == valid:
                wrong.append(f"{case}: {'found' if valid else 'not found'}")
        elif isinstance(case.expected, dict):
            mended = mend.mend(record, Format.MARC21, OURS[row]).record
            if mended.fields != _record(case.expected).fields:
                differ = [pair for pair in mended.fields if pair not in _record(case.expected).fields]
                wrong.append(f"{case}: {differ}")
    assert wrong == []
    assert tried


def test_every_rule_of_theirs_is_ours_or_has_a_reason() -> None:
    assert not OURS.keys() & NOT_OURS.keys()
    assert {case.row for case in _cases()} <= OURS.keys() | NOT_OURS.keys()
    known = {str(case) for case in _cases()}
    assert OTHERWISE.keys() <= known
