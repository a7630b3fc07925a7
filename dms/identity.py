"""Identity rules: what a record is called within its source, when it was changed, and whether it is still alive.

A local id must outlive a reload of the same file, so it comes from the record: a control number, a subfield, or a
digest of the bytes as received. In the installed base 001 is often absent, or a copied number that many records
share; `identity_report` says from a sample which rule a source should have.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from config import errors
from protocols import landed, marc

RULES = ("001", "001+003", "035a", "905b", "digest")  # what a report compares; any TAG$code is a rule too

_SUBFIELD_RULE = re.compile(r"([0-9A-Z]{3})\$?([0-9A-Za-z])")
_CONDITION = re.compile(r"([0-9A-Z]{3})\$([0-9A-Za-z])(?:=(.*))?")
_NOT_DIGITS = re.compile(r"[^0-9]+")
_DELETED = frozenset("dsx")  # leader/05: d in every format; s and x in authorities (deleted because split or replaced)
_LONGEST = 120  # characters; a longer id is no number but a misplaced text


class BadRule(errors.Misconfigured):
    """An identity or suppression rule that can't be read."""

    code = "bad-rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReport:
    """How one identity rule would do on a sample."""

    rule: str
    missing: int  # records for which it gives no id
    repeated: int  # records beyond the first with the same id
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityReport:
    """What identity rules would do on a sample, and the one to take."""

    records: int
    rules: tuple[RuleReport, ...]
    advice: str


def digest_id(raw: bytes) -> str:
    """The id of last resort: the same bytes have the same id (the pipeline counts repeats of it)."""
    return "sha256:" + hashlib.sha256(landed.content(raw)).hexdigest()[:16]


def local_id(record: marc.Record, rule: str, raw: bytes) -> str:
    """The record's id by `rule`; where that gives nothing usable, the digest of its bytes. Raises BadRule."""
    return named_id(record, rule) or digest_id(raw)


def named_id(record: marc.Record, rule: str) -> str:
    """The id that the record itself names by `rule`, or the empty string. Raises BadRule."""
    if rule == "digest":
        return ""
    if rule == "001":
        return _usable(record.first("001"))
    if rule in ("001+003", "003+001"):
        number, agency = _usable(record.first("001")), _usable(record.first("003"))
        return f"({agency}){number}" if number and agency else number
    parsed = _SUBFIELD_RULE.fullmatch(rule)
    if not parsed:
        raise BadRule(f"Identity rule {rule!r} is unknown: use 001, 001+003, 035a, 905b, digest or TAG$code.")
    tag, code = parsed.groups()
    if marc.is_control(tag):
        return _usable(record.first(tag))
    return next((usable for text in record.all(tag) for v in marc.values(text, code) if (usable := _usable(v))), "")


def _usable(text: str | None) -> str:
    """An id without blanks around and controls within; a text too long to be an id is none."""
    if not text:
        return ""
    stripped = text.strip()
    if not stripped.isprintable():
        stripped = "".join(c for c in stripped if c.isprintable())
    return stripped if len(stripped) <= _LONGEST else ""


def stamp(record: marc.Record) -> str:
    """005 as 16 digits (yyyymmddhhmmss and tenths, without the point), so that texts sort as times; "" if none."""
    digits = _NOT_DIGITS.sub("", record.first("005") or "")
    return digits[:16].ljust(16, "0") if len(digits) >= 8 else ""


def is_deleted(record: marc.Record) -> bool:
    """Leader/05 says that the record is deleted (MARC 21 and UNIMARC, leader position 05)."""
    return record.leader[5:6] in _DELETED


def suppressed(record: marc.Record, mapping: Mapping[str, object]) -> bool:
    """The library's own mark "not to be shown": one of the conditions in mapping["suppress"] holds. Raises BadRule."""
    return any(_holds(record, rule) for rule in _suppress_rules(mapping))


def suppress_tags(mapping: Mapping[str, object]) -> frozenset[str]:
    """Tags that `suppressed` reads."""
    return frozenset(rule[:3] for rule in _suppress_rules(mapping))


def _suppress_rules(mapping: Mapping[str, object]) -> list[str]:
    rules = mapping.get("suppress", ())
    return [rules] if isinstance(rules, str) else [str(r) for r in rules] if isinstance(rules, list | tuple) else []


def _holds(record: marc.Record, rule: str) -> bool:
    parsed = _CONDITION.fullmatch(rule)
    if not parsed:
        raise BadRule(f"Suppression rule {rule!r} can't be read: write TAG$code=value or TAG$code.")
    tag, code, wanted = parsed.groups()
    found = [v.strip() for text in record.all(tag) for v in marc.values(text, code)]
    return wanted in found if wanted is not None else any(found)


def identity_report(records: Iterable[marc.Record], rules: tuple[str, ...] = RULES) -> IdentityReport:
    """Try `rules` on a sample. Advised is the first that is all but free of gaps and repeats, else the digest."""
    seen: dict[str, Counter[str]] = {rule: Counter() for rule in rules if rule != "digest"}
    total = 0
    for record in records:
        total += 1
        for rule, ids in seen.items():
            ids[named_id(record, rule)] += 1
    reports = tuple(_report(rule, ids) for rule, ids in seen.items())
    return IdentityReport(records=total, rules=reports, advice=_advice(reports, total))


def _report(rule: str, ids: Counter[str]) -> RuleReport:
    missing = ids.pop("", 0)
    example = next(iter(ids), "")
    return RuleReport(rule=rule, missing=missing, repeated=ids.total() - len(ids), example=example)


def _advice(reports: tuple[RuleReport, ...], total: int) -> str:
    """A rule may fail on 2 % (those fall back to the digest) and repeat on 0.5 % (the newest wins): real files do."""
    for report in reports:
        if total and report.missing <= total * 0.02 and report.repeated <= total * 0.005:
            return report.rule
    return "digest"
