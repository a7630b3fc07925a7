"""The policy of merging, read from merge_policy.toml into what `dms.merge` asks of it."""

from __future__ import annotations

import functools
import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeVar

from catalog.model import Format
from config import errors

V = TypeVar("V")
Wanted = tuple[frozenset[str], str]  # tags, a subfield code or ""

TABLE_FILE = Path(__file__).with_name("merge_policy.toml")


class BadPolicy(errors.Misconfigured):
    """A merge policy that can't be followed; the message names the place."""

    code = "bad-merge-policy"


class Rule(IntEnum):
    """What happens to a field of a tag."""

    DROP = 0  # not in a merged record
    BASE = 1  # only from the base record
    WHOLE = 2  # from the first record that has any
    UNION = 3  # from all


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """How two values of a tag are compared."""

    family: str  # values of one family are compared whatever their tag (100 and 700)
    codes: str  # subfields that make the value; empty: all but the policy's `ignore`
    optional: str  # subfields that one of two equal values may lack
    thesaurus: bool


class Remembered(dict[str, V]):
    """Answers by tag, worked out when they are first asked for: there are few tags and millions of fields."""

    def __init__(self, answer: Callable[[str], V]) -> None:
        self._answer = answer

    def __missing__(self, tag: str) -> V:
        self[tag] = found = self._answer(tag)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatPolicy:
    """The rules of one format."""

    rules: Remembered[Rule]  # by tag
    compares: Remembered[Compare]  # by tag
    groups: Remembered[str]  # by tag: the first tag of its group
    thesaurus_indicator: bool  # the second indicator names the thesaurus
    ignore: frozenset[str]
    authority: str
    linked: Remembered[bool]  # by tag
    protected: frozenset[str]
    levels: Mapping[str, int]  # leader/17 -> 0 (fullest) …
    essential: tuple[Wanted, ...]
    completeness: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of both formats and what they share."""

    digest: bytes  # of the text they were read from
    formats: Mapping[Format, FormatPolicy]
    agencies: Mapping[str, int]  # trust by the code in 801 or 040
    authority_files: tuple[tuple[str, re.Pattern[str]], ...]  # name, form of an id with the id as its group
    identifiers: tuple[tuple[str, Mapping[Format, tuple[str, str]]], ...]  # kind, (tag, code) by format


@functools.cache
def builtin() -> Policy:
    """The policy that comes with the program."""
    return parse(TABLE_FILE.read_text(encoding="utf-8"))


def parse(text: str) -> Policy:
    """A policy from TOML. Raises BadPolicy."""
    try:
        table = tomllib.loads(text)
        formats = {f: _format(table[f.name.lower()], table["levels"][f.name.lower()]) for f in Format}
        identifiers = tuple(
            (kind, {Format.CNMARC: _field(cnmarc), Format.MARC21: _field(marc21)})
            for kind, (cnmarc, marc21) in table["identifiers"].items()
        )
        digest = hashlib.sha256(text.encode()).digest()
        return Policy(
            digest=digest,
            formats=formats,
            agencies=dict(table["agencies"]),
            authority_files=tuple(
                (name, re.compile(form, re.IGNORECASE))
                for name, forms in table["authority_files"].items()
                for form in forms
            ),
            identifiers=identifiers,
        )
    except (tomllib.TOMLDecodeError, re.error, KeyError, ValueError, TypeError) as error:
        raise BadPolicy(f"The merge policy can't be read: {error!r}; compare it with dms/merge_policy.toml.") from error


def _format(table: Mapping[str, Any], levels: Mapping[str, int]) -> FormatPolicy:
    group_of = {tag: group[0] for group in table["groups"] for tag in group}
    policy = FormatPolicy(
        rules=Remembered(_rules(table)),
        compares=Remembered(_compares(table)),
        groups=Remembered(lambda tag: group_of.get(tag, tag)),
        thesaurus_indicator=table["thesaurus_indicator"],
        ignore=frozenset(table["ignore"]),
        authority=table["authority"],
        linked=Remembered(_matches(table["linked"])),
        protected=frozenset(table["protected"]),
        levels=dict(levels),
        essential=_wanted(table["essential"]),
        completeness=_wanted(table["completeness"]),
    )
    for tag in table["non_repeatable"]:
        if policy.rules[tag] is Rule.UNION:
            raise BadPolicy(f"The merge policy unites values of {tag}, which isn't repeatable: take it out of `union`.")
    return policy


def _rules(table: Mapping[str, Any]) -> Callable[[str], Rule]:
    drop, keep, base, union = (_any(table[name]) for name in ("drop", "keep", "base", "union"))

    def rule(tag: str) -> Rule:
        if drop.fullmatch(tag) and not keep.fullmatch(tag):
            return Rule.DROP
        if base.fullmatch(tag):
            return Rule.BASE
        return Rule.UNION if union.fullmatch(tag) else Rule.WHOLE

    return rule


def _compares(table: Mapping[str, Any]) -> Callable[[str], Compare]:
    heading = re.compile(table["thesaurus"])
    listed = {tag: (tags[:3], codes) for tags, codes in table["compare"].items() for tag in tags.split("|")}

    def compare(tag: str) -> Compare:
        family, codes = listed.get(tag, (tag, ""))
        needed, _, optional = codes.partition("?")
        return Compare(family=family, codes=needed, optional=optional, thesaurus=bool(heading.fullmatch(tag)))

    return compare


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda tag: compiled.fullmatch(tag) is not None


def _any(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)")


def _wanted(lines: Sequence[str]) -> tuple[Wanted, ...]:
    return tuple((frozenset(tags.split("|")), code) for tags, code in map(_field, lines))


def _field(text: str) -> tuple[str, str]:
    tag, _, code = text.partition("$")
    return tag, code
