"""The libraries of a corpus and how each of them writes."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from bench.generator.vocabulary import TABLES, rows

SUFFIX = {"iso2709": ".mrc", "marcxml": ".xml", "marcjson": ".jsonl"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """A row of `tables/habits.toml`, where the fields are explained."""

    name: str
    format: str
    dialect: str
    carrier: str
    encoding: str
    holdings: str
    id: str
    chinese: float
    western: float
    no_id: float = 0.0
    repeat: float = 0.0
    delete: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A library that contributes one file."""

    symbol: str
    name: str
    name_en: str
    area: str
    source: str
    file: str
    habit: Habit


def load() -> list[Habit]:
    """The habits in the order of the table."""
    table = tomllib.loads((TABLES / "habits.toml").read_text(encoding="utf-8"))
    return [Habit(**row) for row in table["habit"]]


def members(count: int) -> list[Member]:
    """Libraries named after the towns of the publishers' table, habits taken in turn."""
    habits = load()
    towns = list(dict.fromkeys(row[1] for row in rows("publishers.tsv")))
    pinyin = {row[0]: row[2] for row in rows("chinese.tsv")}
    made = []
    for number in range(count):
        habit, town = habits[number % len(habits)], towns[number % len(towns)]
        again = number // len(towns)
        symbol = f"CN-G{number + 1:03d}"
        made.append(
            Member(
                symbol=symbol,
                name=f"{town}{f'第{again + 1}' if again else ''}图书馆",
                name_en=f"{pinyin[town].replace(' ', '').capitalize()} Library{f' {again + 1}' if again else ''}",
                area=town,
                source=f"{habit.name}-{number + 1:03d}",
                file=f"{symbol.lower()}{SUFFIX[habit.carrier]}",
                habit=habit,
            )
        )
    return made


def directory(libraries: list[Member]) -> str:
    """`libraries.toml`: what a bench or the demo must tell the node before it loads the files."""
    lines = ["# Made by bench.generator: the libraries of this corpus, their files and sources."]
    for library in libraries:
        lines += ["", "[[library]]"]
        for name in ("symbol", "name", "name_en", "area", "source", "file"):
            lines.append(f'{name} = "{getattr(library, name)}"')
        lines.append(f'format = "{library.habit.format}"')
        lines.append(f'encoding = "{library.habit.encoding}"')
    return "\n".join([*lines, ""])
