"""What a fix would make of a record that came back (pure)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog import bodies
from catalog.model import CARRIER_NAMES, Format
from config import sentences
from config.errors import BadRecord
from dms import formats, quality
from dms.rules import catalogue, kinds, mend
from dms.rules.model import Finding, Profile, Receipt
from protocols import detect, reading
from protocols.marc import Record
from services.returning import shown

READABLE = detect.CARRIERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A record that came back, as far as it can be read."""

    record: Record
    format: Format
    told: Sequence[tuple[str, str]]  # what the reader found in its bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A record and its mended self."""

    receipts: Sequence[Receipt]
    findings: Sequence[Finding]  # as it is
    errors: Sequence[Finding]  # that would send it back still
    describable: bool  # whether anything identifies or describes it

    @property
    def passes(self) -> bool:
        """Whether it would be taken."""
        return self.describable and not self.errors


def opened(case: Mapping[str, Any]) -> Opened:
    """The record in a case (a row of `quarantine.bodies`), read as its source is. BadRecord if there is none."""
    carrier = CARRIER_NAMES[case["carrier"]]
    if carrier not in READABLE:
        raise BadRecord(f"a record that came as {carrier} is read only together with what came beside it")
    batch = reading.read(bodies.grow(case["body"]), carrier, encoding=case["encoding"])
    if not batch.reads:
        raise BadRecord(batch.failed[0].reason if batch.failed else "no record is in these bytes")
    read = batch.reads[0]
    return Opened(record=read.record, format=formats.format_of(read.record, case["format"]), told=read.findings)


def reason(case: Mapping[str, Any], profile: Profile, lang: str) -> str:
    """Why it came back, in words: by the rules that send it back as things stand, else as it was said then."""
    try:
        found = opened(case)
    except BadRecord:
        return _said(case, lang)
    errors = shown.problems(preview(found, profile, ()).errors, lang)
    return "; ".join(f"{one.place} {one.text}".strip() for one in errors) or _said(case, lang)


def _said(case: Mapping[str, Any], lang: str) -> str:
    rule = str(case["rule"])
    if rule in catalogue.rules():
        return catalogue.text(Finding(rule, value=case["reason"]), lang)
    return sentences.told(case["reason"], lang)


def preview(found: Opened, profile: Profile, rules: Collection[str]) -> Preview:
    """What the fixes of `rules`, beside those that the profile makes anyway, would do."""
    inspector = quality.inspector(profile)
    kind = kinds.kind_of(found.record, found.format)
    mended = mend.mend(found.record, found.format, profile.mends | frozenset(rules))
    told = found.told
    return Preview(
        receipts=mended.receipts,
        findings=inspector.whole(found.record, found.format, told, kind).findings,
        errors=inspector.judge(mended.record, found.format, told, kind).errors,
        describable=formats.describable(formats.facts(mended.record, found.format, kind=kind)),
    )
