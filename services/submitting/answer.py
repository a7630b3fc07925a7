"""What is said of a record before it is placed: new, matched, or held for review, with the reasons (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from catalog.reservations import Reservation
from dms.match import reasons as match_reasons
from dms.rules import catalogue
from dms.rules.model import Finding

Outcome = Literal["new", "matched", "holdings", "held", "deleted"]
ERRORS, DOUBTFUL, RESERVED, REVIEW = "errors", "doubtful", "reserved", "review"  # why it is held


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What would become of a record. `cluster` is an id; "" = one of its own."""

    outcome: Outcome
    cluster: str = ""
    score: int = 0
    reasons: tuple[tuple[str, int], ...] = ()  # why it matches: rule, points
    findings: tuple[Finding, ...] = ()  # of errors and warnings
    wrong: tuple[str, ...] = ()  # rules among them that send it back
    doubtful: tuple[str, ...] = ()  # ids of clusters that it may belong to
    reserved: tuple[tuple[str, str, str], ...] = ()  # by others: what, library, until (ISO 8601)
    held: tuple[str, ...] = ()  # ERRORS, DOUBTFUL, RESERVED, REVIEW


def answer(
    *,
    cluster: str,
    score: int,
    reasons: Sequence[tuple[str, int]],
    findings: Sequence[Finding],
    wrong: Sequence[str],
    doubtful: Sequence[str],
    reserved: Sequence[Reservation],
    qualified: bool,
    holdings: bool = False,
) -> Answer:
    """Put together; `qualified`: whoever submits it may accept it too; `holdings`: it is in no cluster of its own."""
    held = [
        name
        for name, so in ((ERRORS, wrong), (DOUBTFUL, doubtful), (RESERVED, reserved), (REVIEW, not qualified))
        if so
    ]
    return Answer(
        outcome="held" if held else "holdings" if holdings else "matched" if cluster else "new",
        cluster=cluster,
        score=score,
        reasons=tuple((rule, points) for rule, points in reasons),
        findings=tuple(findings),
        wrong=tuple(wrong),
        doubtful=tuple(doubtful),
        reserved=tuple((each.told, each.library, each.until.isoformat()) for each in reserved),
        held=tuple(held),
    )


def of_deletion(*, qualified: bool) -> Answer:
    """What is said of a record that is to be deleted: that takes nothing but the qualification."""
    return Answer(outcome="deleted") if qualified else Answer(outcome="held", held=(REVIEW,))


def plain(told: Answer) -> dict[str, Any]:
    """As values of JSON."""
    return asdict(told) | {"findings": [list(each) for each in told.findings]}


def read(told: Mapping[str, Any]) -> Answer | None:
    """From values of JSON; None if nothing was said yet."""
    if not told:
        return None
    rows = {name: tuple(map(tuple, told[name])) for name in ("reasons", "reserved")}
    names = {name: tuple(told[name]) for name in ("wrong", "doubtful", "held")}
    findings = tuple(Finding(*each) for each in told["findings"])
    return Answer(**{**told, **rows, **names, "findings": findings})


TEXTS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "new": "新书目",
        "matched": "与 {cluster} 相同",
        "holdings": "馆藏记录",
        "held": "待审核",
        "deleted": "删除",
        ERRORS: "有 {count} 处错误须改正",
        DOUBTFUL: "可能与 {ids} 相同，须由人判定",
        RESERVED: "{what} 已由 {library} 预约至 {until}",
        REVIEW: "须由有资格的编目员审核",
        "at": "{place}：{text}",
        "points": "{text}（{points} 分）",
        "same": "库中已有内容相同的记录",
    },
    "en": {
        "new": "new",
        "matched": "matched cluster {cluster}",
        "holdings": "holdings",
        "held": "held for review",
        "deleted": "to be deleted",
        ERRORS: "{count} errors to be put right",
        DOUBTFUL: "it may be the same as {ids}: a person decides",
        RESERVED: "{what} is reserved by {library} until {until}",
        REVIEW: "a cataloguer with that qualification reviews it",
        "at": "{place}: {text}",
        "points": "{text} ({points} points)",
        "same": "a record that reads the same is there",
    },
}


def said(told: Answer, lang: str) -> str:
    """The outcome in words."""
    return TEXTS[lang][told.outcome].format(cluster=told.cluster)


def why(told: Answer, lang: str) -> list[str]:
    """Everything behind it, a line each: what holds it, what is wrong in it, why it matches."""
    lines = []
    for name in told.held:
        if name == RESERVED:
            lines += [
                TEXTS[lang][RESERVED].format(what=what, library=library, until=until[:16].replace("T", " "))
                for what, library, until in told.reserved
            ]
        else:
            lines.append(TEXTS[lang][name].format(count=len(told.wrong), ids=", ".join(told.doubtful)))
    lines += [finding(each, lang) for each in told.findings]
    if told.cluster and not told.reasons:
        lines.append(TEXTS[lang]["same"])
    lines += [
        TEXTS[lang]["points"].format(text=match_reasons.text(rule, lang), points=f"{points:+}")
        for rule, points in told.reasons
    ]
    return lines


def finding(each: Finding, lang: str) -> str:
    """A finding with its place."""
    place = " ".join(filter(None, (each.tag, f"${each.code}" if len(each.code) == 1 else each.code)))
    text = catalogue.text(each, lang)
    return TEXTS[lang]["at"].format(place=place, text=text) if place else text
