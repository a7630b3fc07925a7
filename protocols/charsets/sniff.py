"""Which encoding a record is in, judged on its bytes; what the record says of itself is only a hint.

MARC 21 states its encoding in leader/09, UNIMARC and CNMARC in 100 $a/26-29; both are wrong so often (leader/09 copied
between systems, CNMARC written by MARC 21 software) that they only tip the balance. Records of one file are nearly
always in one encoding, so a record with few telling bytes follows its neighbours (`Context`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from protocols.charsets import evidence
from protocols.charsets.codec import CP1252, DANMARC, LATIN1, MARC8, UTF8
from protocols.charsets.marc8 import UTF8_BEGINS

DESIGNATION = re.compile(rb"\x1b(?:[(,)\-]!?[BE234NQS]|\$[,)\-]?1|[gbps]|%G)")  # an escape sequence of MARC-8
FITTING = 84.0  # a score that needs no comparison if the neighbours are in that encoding
GLANCE = 100  # bytes looked at to see whether a record is like its neighbours
SURE = 75.0  # a score that needs no neighbours
WEAK = 45.0  # below that nothing fits and the hints decide
POSSIBLE = 20.0  # a record with few high bytes may still be in its neighbours' encoding
TIE = 18.0  # points a record's own best must be ahead of its neighbours' encoding
TELLING = 6  # high bytes that make a record able to outvote its neighbours

# Points added for what record and family say: hint -> encoding -> points.
BONUS: Mapping[str, Mapping[str, float]] = {
    "leader-utf8": {UTF8: 12},
    "marc21": {MARC8: 8, "iso-5426": -100},
    "cnmarc": {"gb18030": 8, MARC8: -6},
    "100-50": {UTF8: 8},
    "100-10": {"gb18030": 6},
    "100-20": {"gb18030": 6},
    "100-03": {"iso-5426": 8},
    "100-02": {"koi8-r": 4, "cp1251": 4},
}
LAST_RESORT = {"marc21": MARC8, "cnmarc": "gb18030"}

_HIGH = re.compile(rb"[\x80-\xff](?:[\x20-\x7e]{0,2}+[\x80-\xff]){0,60}+[\x20-\x7e]{0,2}+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What a record says of its encoding."""

    leader09: str = " "
    codes100: str = ""  # 100 $a/26-29 of UNIMARC
    family: str = "marc21"

    def bonuses(self) -> list[Mapping[str, float]]:
        """Rows of `BONUS` that apply."""
        names = [self.family, *(f"100-{self.codes100[at : at + 2]}" for at in (0, 2))]
        if self.leader09 == "a":
            names.append("leader-utf8")
        return [BONUS[name] for name in names if name in BONUS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Charset:
    """A judgement: the encoding's name (`codec.known` spelling) and whether the evidence was enough by itself."""

    name: str
    sure: bool


UNICODE, ESCAPED = Charset(name=UTF8, sure=True), Charset(name=MARC8, sure=True)


@dataclass(slots=True, kw_only=True)
class Context:
    """Points per encoding added up over the records of a stretch, by their telling bytes: what neighbours are in."""

    totals: dict[str, float] = field(default_factory=dict)
    weight: int = 0
    _leaning: str | None = None  # the answer of `leaning`, until there is more evidence

    def add(self, part: bytes, scores: Mapping[str, float]) -> None:
        """Count one record's `sample` and its scores."""
        telling = min(sum(byte >= 0x80 for byte in part), evidence.SAMPLE // 4)
        self.weight += telling
        self._leaning = None
        for name, points in scores.items():
            self.totals[name] = self.totals.get(name, 0.0) + points * telling

    def leaning(self) -> str:
        """The encoding the neighbours are in, or ""."""
        if self._leaning is None:
            name = max(self.totals, key=lambda each: self.totals[each], default="")
            self._leaning = name if name and self.totals[name] / self.weight >= WEAK else ""
        return self._leaning


def plain(data: bytes) -> Charset | None:
    """The judgement that needs no scores: ASCII, strict UTF-8, escape sequences; None if there are other high bytes."""
    if data.isascii():
        return ESCAPED if 0x1B in data and DESIGNATION.search(data) else UNICODE
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return ESCAPED if 0x1B in data and DESIGNATION.search(data) else None
    return ESCAPED if UTF8_BEGINS in data else UNICODE


def sample(data: bytes, limit: int = evidence.SAMPLE) -> bytes:
    """The high bytes with a little of what is around them, about `limit` bytes."""
    taken: list[bytes] = []
    size = last = 0
    for match in _HIGH.finditer(data):
        start = max(last, match.start() - 2)
        last = match.end()
        taken.append(data[start:last])
        size += last - start
        if size >= limit:
            break
    return b"\x1f".join(taken)


_DANMARC = re.compile(rb"@(?:[0-9A-F]{4}|[@*\xe5\xc5])")
_C1252 = re.compile(rb"[\x80\x82-\x87\x8a-\x8c\x8e\x91-\x97\x99-\x9b\x9e\x9f]")  # not the marks 88, 89, 98, 9C


def is_danmarc(data: bytes) -> bool:
    """Whether its signs @ are those of danMARC2: code points, and doubled where an @ is meant."""
    codes = _DANMARC.findall(data) if b"@" in data else []
    return any(len(code) == 5 or code[1:] in b"\xe5\xc5" for code in codes) and 2 * len(codes) >= data.count(b"@")


def _named(best: str, data: bytes) -> str:
    """The encoding that Latin-1 is short for."""
    if best != LATIN1:
        return best
    return DANMARC if is_danmarc(data) else CP1252 if _C1252.search(data) else LATIN1


def follow(data: bytes, context: Context) -> Charset | None:
    """The neighbours' encoding if it fits these bytes very well: the quick way through a file of one encoding."""
    leaning = context.leaning()
    if leaning and evidence.scorers()[leaning].score(sample(data, GLANCE)) >= FITTING:
        return Charset(name=_named(leaning, data), sure=True)
    return None


def scores(part: bytes, hint: Hint) -> dict[str, float]:
    """Points of every encoding for a `sample`, hints included."""
    found = {name: scorer.score(part) for name, scorer in evidence.scorers().items()}
    for row in hint.bonuses():
        for name, points in row.items():
            found[name] += points
    return found


def decide(data: bytes, hint: Hint, context: Context | None = None) -> Charset:
    """Judge one record's bytes (fields, or the whole record)."""
    if found := plain(data):
        return found
    part = sample(data)
    leaning = context.leaning() if context else ""
    points = scores(part, hint)
    if is_danmarc(data):
        points[LATIN1] += 30
    best = max(points, key=lambda name: points[name])
    if leaning and best != leaning:
        telling = sum(1 for byte in part if byte >= 0x80) >= TELLING
        if points[leaning] >= points[best] - TIE or (not telling and points[leaning] >= POSSIBLE):
            best = leaning
    if points[best] >= WEAK:
        return Charset(name=_named(best, data), sure=points[best] >= SURE or best == leaning)
    if hint.leader09 == "a":
        return Charset(name=UTF8, sure=False)
    return Charset(name=_named(leaning, data) or LAST_RESORT[hint.family], sure=False)
