"""The decision on a pair: vetoes first, then points, then what keeps a good score from joining by itself.

`judge` is symmetric and depends on nothing but its arguments. Reasons are every rule that fired with its points; vetoes
and limits have none. The rules are lists of small functions at the end; the points are in weights.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

from catalog.model import Decision, Verdict
from dms.match import vetoes
from dms.match.features import Features
from dms.match.likeness import APART_TITLES
from dms.match.pair import Pair

_TABLE = tomllib.loads(Path(__file__).with_name("weights.toml").read_text("utf-8"))
RULESET: int = _TABLE["ruleset"]
JOIN: int = _TABLE["threshold"]["join"]
REVIEW: int = _TABLE["threshold"]["review"]
POINTS: dict[str, int] = _TABLE["points"]

Ambiguous = Callable[[int], bool]


def judge(a: Features, b: Features, ambiguous: Ambiguous) -> Decision:
    """Verdict, score and reasons for a pair. `ambiguous` says whether an identifier is known to name several things."""
    pair = Pair(a, b, ambiguous)
    if not pair.shares_identifier and pair.title in APART_TITLES:
        # No rule can lift such a pair to a review; it may still be a work and a part or companion of it.
        related = vetoes.related(pair) if pair.title != "title-contrast" else ""
        if related:
            return Decision(verdict=Verdict.LINK, score=0, reasons=((related, 0),))
        return Decision(verdict=Verdict.APART, score=POINTS[pair.title], reasons=((pair.title, POINTS[pair.title]),))
    stopped = vetoes.stop(pair)
    if stopped:
        kinds = {kind for _, kind in stopped}
        linked = kinds == {Verdict.LINK} and pair.one_work
        related = "" if linked else vetoes.related(pair)
        reasons = tuple((rule, 0) for rule, _ in stopped) + (((related, 0),) if related else ())
        return Decision(verdict=Verdict.LINK if linked or related else Verdict.APART, score=0, reasons=reasons)
    rules = pair.rules()
    reasons = tuple((rule, POINTS[rule]) for rule in rules)
    score = sum(points for _, points in reasons)
    if score < REVIEW:
        related = vetoes.related(pair)
        if related:
            return Decision(verdict=Verdict.LINK, score=score, reasons=(*reasons, (related, 0)))
        return Decision(verdict=Verdict.APART, score=score, reasons=reasons)
    limits = vetoes.limits(pair, rules)
    reasons += tuple((limit, 0) for limit in limits)
    verdict = Verdict.JOIN if score >= JOIN and not limits else Verdict.REVIEW
    return Decision(verdict=verdict, score=score, reasons=reasons)
