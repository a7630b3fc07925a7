"""How good a record is, as one number (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import log2

from dms.rules import catalogue
from dms.rules.model import Finding, Level, Profile

BEST = 100
WEIGHTS = {Level.OFF: 0.0, Level.NOTE: 1.0, Level.WARNING: 5.0, Level.ERROR: 40.0}  # points of the first finding


def score(findings: Iterable[Finding], profile: Profile) -> int:
    """0 to 100. Each rule that is broken costs points by its level, again and again ever less: a slip that a program
    made in forty fields is one slip. More findings never give a better score."""
    known = catalogue.rules()
    counts = Counter(finding.rule for finding in findings)
    lost = sum(WEIGHTS[profile.level(known[id_])] * (1 + log2(count) / 2) for id_, count in counts.items())
    return max(0, round(BEST - lost))
