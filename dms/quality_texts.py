"""Findings in words, with their place in the record (pure; light enough for any command)."""

from __future__ import annotations

from collections.abc import Sequence

from dms.rules import catalogue
from dms.rules.model import Finding

TOLD = 3  # errors that a reason tells of


def place(finding: Finding) -> str:
    """Where a finding stands: 010 $a, 200 #2 ind1, LDR/06."""
    if not finding.tag:
        return ""
    nth = f" #{finding.nth}" if finding.nth > 1 else ""
    code = "" if not finding.code else f" {finding.code}" if finding.code.startswith("ind") else f" ${finding.code}"
    at = f"/{finding.at:02d}" if finding.at >= 0 else ""
    return f"{finding.tag}{nth}{code}{at}"


def heading(rule: str, lang: str) -> str:
    """What a rule looks for, without a case of it; the id itself of a rule that is no more."""
    if rule not in catalogue.rules():
        return rule
    return catalogue.text(Finding(rule, tag="…", code="…", value="…", wanted="…"), lang)


def told(finding: Finding, lang: str) -> str:
    """A finding with its place: what a person reads."""
    where = place(finding)
    return f"{where}: {catalogue.text(finding, lang)}" if where else catalogue.text(finding, lang)


def reason(errors: Sequence[Finding], lang: str = "en") -> str:
    """Why a record comes back; English where it is kept of cases."""
    rest = len(errors) - TOLD
    if lang == "zh":
        return "；".join(told(one, lang) for one in errors[:TOLD]) + (f"；另有 {rest} 项" if rest > 0 else "")
    return "; ".join(told(one, lang) for one in errors[:TOLD]) + (f"; and {rest} more" if rest > 0 else "")
