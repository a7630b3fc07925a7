"""`check` and a load come to the same verdicts on the same bytes, and a rule that fails harms one record alone."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.model import Format, Source, SourceNo
from dms import checking, verdicts
from dms.pipeline import Habits
from dms.prepare import prepare
from dms.rules import check
from dms.rules.model import Finding, Level, Profile
from dms.verdicts import Court, Subject
from protocols import detect, iso2709
from protocols.marc import Record
from tests import builders, data

STRICT = Profile(levels={"isbn-check-digit": Level.ERROR, "field-missing": Level.ERROR, "mojibake-utf8": Level.ERROR})
FOLDERS = ("marc21-bib", "unimarc-cnmarc", "marc-conformance", "authority", "holdings", "oai-pmh", "aleph-sequential")
BACK = (verdicts.RETURNED, verdicts.UNREADABLE)


def loaded(content: bytes, carrier: str, profile: Profile) -> set[tuple[int, str]]:
    """(ordinal, verdict) of the records that a load sends back."""
    source = Source(no=SourceNo(1), name="s", library="CN-A")
    habits = Habits(source=source, carrier=carrier, encoding="auto", profile=profile)
    return {(each.ordinal, each.verdict) for each in prepare(content, 0, 0, habits, {}).back}


def checked(content: bytes, carrier: str, profile: Profile) -> set[tuple[int, str]]:
    """The same by `check`."""
    looked = checking.look(content, 0, checking.Asked(carrier=carrier), checking.pack(profile))
    told = [(each.ordinal + 1, json.loads(each.line)["verdict"]) for each in looked.told]
    return {(ordinal, verdict) for ordinal, verdict in told if verdict in BACK}


def files() -> Iterator[tuple[Path, bytes, str]]:
    """Real files of every carrier, those of a few megabytes left to other tests."""
    for folder in FOLDERS:
        for path in sorted(data.path(folder).rglob("*")):
            content = path.read_bytes() if path.is_file() else b""
            content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
            if 0 < len(content) < 300_000:
                try:
                    yield path, content, detect.carrier_of(content)
                except detect.UnknownCarrier:
                    continue


@pytest.mark.parametrize("profile", [Profile(), STRICT], ids=["default", "strict"])
def test_check_and_load_send_the_same_records_back(profile: Profile) -> None:
    back = seen = 0
    for path, content, carrier in files():
        ours, theirs = checked(content, carrier, profile), loaded(content, carrier, profile)
        assert ours == theirs, path
        back += len(ours)
        seen += 1
    assert seen > 300 and back > (100 if profile is STRICT else 20)


def test_a_rule_of_ours_that_fails_on_a_record_harms_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = check.Checker.check_many

    def failing(self: check.Checker, records: object) -> list[list[Finding]]:
        listed = list(records)  # type: ignore[call-overload]
        if any(record.first("001") == "bad" for record, _, _ in listed):
            raise ZeroDivisionError("no")
        return whole(self, listed)

    monkeypatch.setattr(check.Checker, "check_many", failing)
    subjects = [Subject(builders.a_bib("marc21", local_id=name), Format.MARC21, ()) for name in ("a", "bad", "b")]
    found = Court(Profile()).judge(subjects)
    assert [each.verdict == verdicts.RETURNED for each in found] == [False, True, False]
    assert [each.rule for each in found[1].findings] == ["fault"] and "ZeroDivisionError" in found[1].findings[0].value


def test_a_deletion_is_told_nothing() -> None:
    gone = Record("00000dam a2200000 a 4500", (("001", "x"),))
    (found,) = Court(Profile()).judge([Subject(gone, Format.MARC21, ())])
    assert found == verdicts.Verdict((), verdicts.OK)


def test_a_record_with_more_findings_than_can_be_told_says_how_many() -> None:
    fields = tuple(("500", "  \x1faTwo  blanks") for _ in range(checking.MOST_TOLD + 500))
    record = Record("00000nam a2200000 a 4500", (("001", "x"), ("245", "10\x1faTitle"), *fields))
    looked = checking.look(iso2709.write(record), 0, checking.Asked(carrier="iso2709"), checking.pack(Profile()))
    line = json.loads(looked.told[0].line)
    assert len(line["findings"]) == checking.MOST_TOLD and line["more"] >= 500
    assert looked.rules["space-double"] == checking.MOST_TOLD + 500
