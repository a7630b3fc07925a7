"""The commonest shapes of local fields in a file, with a guess what each subfield means, by evidence over its values.

For the person who connects a source: `shapes` shows what is there, `guess_mapping` proposes a holdings mapping
(dms.holdings) to correct and keep. The rules of guessing are data (shapes.toml).
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.model import Format
from dms import holdings
from protocols import marc

TABLE_FILE = Path(__file__).with_name("shapes.toml")

_STANDARD = "852"  # means holdings whatever the values are
SAMPLED = 5000  # values looked at for each subfield of a tag
EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What a subfield of a tag seems to be."""

    code: str
    role: str  # item, call_number, mark, location, status, flag, price, date, copy, note
    evidence: float  # share of the values that look like it, 0-1
    values: int
    distinct: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A tag with one set of subfield codes."""

    tag: str
    codes: str  # each code once, sorted
    fields: int
    records: int
    examples: tuple[str, ...]  # whole fields, `$` for the delimiter
    guesses: tuple[Guess, ...]  # over all fields of the tag


@dataclass(frozen=True, slots=True, kw_only=True)
class _Role:
    name: str
    pattern: re.Pattern[str]
    share: float
    distinct: tuple[float, float]
    few: int
    length: float


def shapes(records: Iterable[marc.Record], limit: int = 40) -> list[Shape]:
    """The `limit` commonest shapes, the commonest first."""
    counts: Counter[tuple[str, str]] = Counter()
    within: Counter[tuple[str, str]] = Counter()
    examples: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    values: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for record in records:
        seen = set()
        for tag, text in record.fields:
            if not _local(tag):
                continue
            pairs = marc.subfields(text)
            shape = (tag, "".join(sorted({code for code, _ in pairs})))
            counts[shape] += 1
            seen.add(shape)
            if len(examples[shape]) < EXAMPLES:
                examples[shape].append(text.replace(marc.DELIMITER, "$"))
            for code, value in pairs:
                sample = values[tag, code]
                if len(sample) < SAMPLED and value.strip():
                    sample.append(value.strip())
        within.update(seen)
    guesses = {tag: _guesses(tag, values) for tag in {tag for tag, _ in counts}}
    ordered = sorted(counts, key=lambda shape: (-counts[shape], shape))[:limit]
    return [
        Shape(
            tag=tag,
            codes=codes,
            fields=counts[tag, codes],
            records=within[tag, codes],
            examples=tuple(examples[tag, codes]),
            guesses=tuple(guess for guess in guesses[tag] if guess.code in codes),
        )
        for tag, codes in ordered
    ]


def guess_mapping(found: Sequence[Shape], fmt: Format) -> dict[str, object]:
    """A holdings mapping for what was found, empty if nothing looks like a copy.

    The known habits (dms.holdings) that the values bear out, if there are any; else one made of the guesses for the tag
    that most looks like copies: with item numbers or call numbers, on the most records.
    """
    known = [habit for tag, habits in holdings.builtin(fmt).items() for habit in habits if _borne_out(habit, found)]
    if known:
        return {"fields": [holdings.entry(habit) for habit in known]}
    best = max(found, key=_likeness, default=None)
    return {"fields": [_entry(best.tag, found)]} if best is not None and _likeness(best)[0] else {}


def _borne_out(habit: holdings.Habit, found: Sequence[Shape]) -> bool:
    """A shape has what the habit requires, and its item and call number look like such."""
    for shape in found:
        if shape.tag != habit.tag or not any(set(need) <= set(shape.codes) for need in habit.requires):
            continue
        roles = {guess.code: guess.role for guess in shape.guesses}
        told = [roles[code] == "item" for code in habit.item if code in roles]
        told += [roles[code] == "call_number" for codes in habit.call_number for code in codes if code in roles]
        if habit.statement or any(told[:1]) or habit.tag == _STANDARD:
            return True
    return False


def _entry(tag: str, found: Sequence[Shape]) -> dict[str, object]:
    of_tag = {guess.code: guess for shape in found if shape.tag == tag for guess in shape.guesses}
    guesses = [of_tag[code] for code in sorted(of_tag)]
    entry: dict[str, object] = {"tag": tag}
    for role in ("item", "status", "note"):
        codes = [guess.code for guess in guesses if guess.role == role]
        if codes:
            entry[role] = codes
    # Of several codes of few values those with the most tell the place; the others are types, schemes and flags.
    places = sorted((g for g in guesses if g.role == "location"), key=lambda g: (-g.distinct, g.code))[:2]
    if places:
        entry["location"] = ["".join(sorted(g.code for g in places))]
    calls = sorted((g for g in guesses if g.role == "call_number"), key=lambda g: (-g.values, g.code))
    mark = next((g for g in guesses if g.role == "mark"), None)
    if calls:
        call, *others = calls
        entry["call_number"] = [call.code + mark.code] if mark else [call.code]
        entry["separator"] = "/" if mark and _chinese_class(call) else " "
        entry["full"] = [g.code for g in others if _whole(g, call)]
    return entry


def _likeness(shape: Shape) -> tuple[int, int, int]:
    roles = {guess.role for guess in shape.guesses}
    score = 2 * ("item" in roles) + 2 * ("call_number" in roles) + ("location" in roles)
    return (score if roles & {"item", "call_number"} else 0, shape.records, shape.fields)


def _whole(guess: Guess, call: Guess) -> bool:
    """The values of `guess` begin as those of the class number do: it is the call number in one piece."""
    return any(a.startswith(b) and a != b for a in guess.examples for b in call.examples)


def _chinese_class(call: Guess) -> bool:
    return all(re.fullmatch(r"[A-Z]{1,2}\d*[\d.\-/=+:()]*", value) for value in call.examples)


def _guesses(tag: str, values: dict[tuple[str, str], list[str]]) -> list[Guess]:
    return [_guess(code, sample) for (t, code), sample in sorted(values.items()) if t == tag and sample]


def _guess(code: str, sample: Sequence[str]) -> Guess:
    distinct = Counter(sample)
    ratio, length = len(distinct) / len(sample), sum(map(len, sample)) / len(sample)
    role, evidence = "note", 0.0
    for candidate in _table()[0]:
        share = sum(n for value, n in distinct.items() if candidate.pattern.fullmatch(value)) / len(sample)
        low, high = candidate.distinct
        fits = len(sample) < 5 or low <= ratio <= high  # a few values say nothing about their variety
        if share >= candidate.share and fits and len(distinct) <= candidate.few and length <= candidate.length:
            role, evidence = candidate.name, share
            break
    shown = tuple(value for value, _ in distinct.most_common(EXAMPLES))
    return Guess(
        code=code, role=role, evidence=round(evidence, 3), values=len(sample), distinct=len(distinct), examples=shown
    )


def _local(tag: str) -> bool:
    _, wanted, unwanted = _table()
    return bool(wanted.fullmatch(tag)) and not unwanted.fullmatch(tag)


@functools.cache
def _table() -> tuple[tuple[_Role, ...], re.Pattern[str], re.Pattern[str]]:
    table = tomllib.loads(TABLE_FILE.read_text(encoding="utf-8"))
    roles = tuple(
        _Role(
            name=entry["name"],
            pattern=re.compile(entry["pattern"], re.DOTALL),
            share=entry["share"],
            distinct=tuple(entry.get("distinct", (0.0, 1.0))),
            few=entry.get("few", SAMPLED),
            length=entry.get("length", float("inf")),
        )
        for entry in table["role"]
    )
    return roles, re.compile("|".join(table["tags"])), re.compile("|".join(table["not_tags"]))
