"""The kind of resource that a record describes, by a table of evidence; resources.toml says how it is read (pure)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from catalog.model import Format
from catalog.search import fold
from protocols import marc

Fields = Mapping[str, Sequence[str]]  # texts by tag
Holds = Callable[["Evidence"], bool]

_CODED = re.compile(r"(?P<tag>\d{3})(?:\$(?P<code>\w))?/(?P<start>\d+)(?:-(?P<end>\d+))?=(?P<chars>.+)")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rows look at. `year` 0 = unknown; `languages` are ISO 639-2 codes."""

    leader: str
    fields: Fields
    year: int = 0
    languages: Collection[str] = ()


def kind(format: Format, evidence: Evidence) -> str:
    """The kind, such as book, serial or ebook."""
    leader = evidence.leader
    rows = _fitting(format, leader[6:7] or " ", leader[7:8] or " ")
    return next(name for name, holds in rows if all(each(evidence) for each in holds))


def every() -> frozenset[str]:
    """Every kind of resource."""
    return frozenset(row["kind"] for format in Format for row in _table()[format.name.lower()])


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("resources.toml").read_text("utf-8"))


@lru_cache(maxsize=512)
def _fitting(format: Format, leader6: str, leader7: str) -> tuple[tuple[str, tuple[Holds, ...]], ...]:
    """Rows for records with this leader, up to the one that always holds."""
    found: list[tuple[str, tuple[Holds, ...]]] = []
    for row in _table()[format.name.lower()]:
        if leader6 in row.get("leader6", leader6) and leader7 in row.get("leader7", leader7):
            holds = tuple(_conditions(row))
            found.append((row["kind"], holds))
            if not holds:
                break
    return tuple(found)


def _conditions(row: Mapping[str, Any]) -> list[Holds]:
    """Those that the leader doesn't answer, the cheap ones first."""
    words = _table()["words"]
    makers: dict[str, Callable[[Any], list[Holds]]] = {
        "tags": lambda tags: [lambda e: any(tag in e.fields for tag in tags)],
        "language": lambda code: [lambda e: code in e.languages],
        "before": lambda year: [lambda e: 0 < e.year < year],
        "coded": lambda told: [_coded(each) for each in told],
        "words": lambda told: [_words(told["in"], words.get(told["are"], told["are"]))],
    }
    if unknown := row.keys() - makers.keys() - {"kind", "leader6", "leader7"}:
        raise ValueError(f"resources.toml: no such condition: {', '.join(sorted(unknown))}")
    return [holds for name, make in makers.items() if name in row for holds in make(row[name])]


def _coded(told: str) -> Holds:
    match = _CODED.fullmatch(told)
    if match is None:
        raise ValueError(f"resources.toml: {told} names no positions")
    tag, code, chars = match["tag"], match["code"], set(match["chars"])
    start = int(match["start"])
    end = int(match["end"] or start) + 1

    def holds(evidence: Evidence) -> bool:
        texts = evidence.fields.get(tag, ())
        return any(not chars.isdisjoint((marc.value(text, code) if code else text)[start:end]) for text in texts)

    return holds


def _words(places: Sequence[str], pattern: str) -> Holds:
    compiled = re.compile(pattern)
    where = [(tag, codes) for tag, _, codes in (place.partition("$") for place in places)]

    def holds(evidence: Evidence) -> bool:
        return any(
            compiled.search(fold.fold(value).strip(" /:;.,="))
            for tag, codes in where
            for text in evidence.fields.get(tag, ())
            for value in marc.values(text, codes)
        )

    return holds
