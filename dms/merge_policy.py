"""The policy of merging, read from merge_policy.toml into what `dms.merge` asks of it."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

from catalog.model import Format
from config import errors

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatPolicy:
    """The rules of one format."""

    drop: re.Pattern[str]
    keep: re.Pattern[str]
    base: re.Pattern[str]
    union: re.Pattern[str]
    thesaurus: re.Pattern[str]
    thesaurus_indicator: bool  # the second indicator names the thesaurus
    group_of: Mapping[str, str]  # tag -> first tag of its group
    compares: Mapping[str, tuple[str, str, str]]  # tag -> family, codes, optional
    ignore: frozenset[str]
    authority: str
    levels: Mapping[str, int]  # leader/17 -> 0 (fullest) …
    completeness: tuple[tuple[frozenset[str], str], ...]  # (tags, subfield code or "")
    rules: dict[str, Rule] = field(default_factory=dict)  # answers so far
    comparisons: dict[str, Compare] = field(default_factory=dict)

    def rule(self, tag: str) -> Rule:
        """What happens to fields with this tag."""
        found = self.rules.get(tag)
        return found if found is not None else self.rules.setdefault(tag, self._decide(tag))

    def _decide(self, tag: str) -> Rule:
        if self.drop.fullmatch(tag) and not self.keep.fullmatch(tag):
            return Rule.DROP
        if self.base.fullmatch(tag):
            return Rule.BASE
        return Rule.UNION if self.union.fullmatch(tag) else Rule.WHOLE

    def compare(self, tag: str) -> Compare:
        """How values of this tag are compared."""
        found = self.comparisons.get(tag)
        if found is None:
            family, codes, optional = self.compares.get(tag, (tag, "", ""))
            heading = bool(self.thesaurus.fullmatch(tag))
            found = Compare(family=family, codes=codes, optional=optional, thesaurus=heading)
            self.comparisons[tag] = found
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of both formats and what they share."""

    formats: Mapping[Format, FormatPolicy]
    agencies: Mapping[str, int]  # trust by the code in 801 or 040
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
        return Policy(formats=formats, agencies=dict(table["agencies"]), identifiers=identifiers)
    except (tomllib.TOMLDecodeError, re.error, KeyError, ValueError, TypeError) as error:
        raise BadPolicy(f"The merge policy can't be read: {error!r}; compare it with dms/merge_policy.toml.") from error


def _format(table: Mapping[str, Any], levels: Mapping[str, int]) -> FormatPolicy:
    policy = FormatPolicy(
        drop=_any(table["drop"]),
        keep=_any(table["keep"]),
        base=_any(table["base"]),
        union=_any(table["union"]),
        thesaurus=re.compile(table["thesaurus"]),
        thesaurus_indicator=table["thesaurus_indicator"],
        group_of={tag: group[0] for group in table["groups"] for tag in group},
        compares={tag: (tags.partition("|")[0], *_codes(codes)) for tags, codes in table["compare"].items()
                  for tag in tags.split("|")},
        ignore=frozenset(table["ignore"]),
        authority=table["authority"],
        levels=dict(levels),
        completeness=tuple((frozenset(tag.split("|")), code) for tag, code in map(_field, table["completeness"])),
    )  # fmt: skip
    for tag in table["non_repeatable"]:
        if policy.rule(tag) is Rule.UNION:
            raise BadPolicy(
                f"The merge policy unites values of {tag}, which is not repeatable: take it out of `union`."
            )
    return policy


def _any(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)")


def _codes(text: str) -> tuple[str, str]:
    codes, _, optional = text.partition("?")
    return codes, optional


def _field(text: str) -> tuple[str, str]:
    tag, _, code = text.partition("$")
    return tag, code
