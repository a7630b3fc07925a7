"""The catalogue of rules: every `*.toml` beside this file is a family of them, one table a rule (pure).

    [isbn-check-digit]
    level = "warning"            # error, warning, note, off
    zh = "ISBN {value} 的校验位应为 {wanted}"
    en = "the check digit of ISBN {value} should be {wanted}"
    reference = "ISO 2108:2017, annex C"      # standard and section, or "assumed: why"
    fix = true                   # there is a function of this id in a FIXES; false may be left out
    formats = ["marc21"]         # both may be left out

A rule's place in the catalogue (files by name, rows in order) is the order in which fixes are made.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from config import sentences
from config.errors import Fatal
from dms.rules.model import Finding, Level, Rule

FOLDER = Path(__file__).parent
_KEYS = {"level", "zh", "en", "reference", "fix", "formats"}
_HOLE = re.compile(r"\{(value|wanted|tag|code)\}")


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by id, in the catalogue's order. Raises `Fatal` where a file of ours is wrong."""
    found: dict[str, Rule] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for id_, row in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if id_ in found or not isinstance(row, dict) or not row.keys() <= _KEYS:
                raise Fatal(f"{path.name}: {id_} stands twice, or is no rule")
            found[id_] = _rule(path.name, id_, row)
    return MappingProxyType(found)


def _rule(name: str, id_: str, row: dict[str, Any]) -> Rule:
    try:
        return Rule(
            id=id_,
            level=Level[row["level"].upper()],
            zh=row["zh"],
            en=row["en"],
            reference=row["reference"],
            fix=row.get("fix", False),
            formats=frozenset(row.get("formats", ("marc21", "cnmarc"))),
        )
    except KeyError as error:
        raise Fatal(f"{name}: {id_} has no {error}, or it is no known one") from error


def rule(id_: str) -> Rule:
    """The rule of an id. Raises `KeyError`."""
    return rules()[id_]


def text(finding: Finding, lang: str) -> str:
    """What a finding says, in "zh" or "en"; the field that it stands in is not part of the text."""
    if lang == "zh" and finding.value and finding.rule in _of_readers():
        finding = finding._replace(value=sentences.told(finding.value, lang))
    pieces = list(_pieces(finding.rule, lang))
    pieces[1::2] = [getattr(finding, name) or "–" for name in pieces[1::2]]
    return "".join(pieces)


@cache
def _pieces(id_: str, lang: str) -> tuple[str, ...]:
    """A rule's text in turn with the names of what stands in its holes."""
    row = rules()[id_]
    return tuple(_HOLE.split(row.zh if lang == "zh" else row.en))


@cache
def _of_readers() -> frozenset[str]:
    """Rules whose value is a sentence of ours, not what stands in a record."""
    texts = [(FOLDER / name).read_text(encoding="utf-8") for name in ("reading.toml", "placing.toml")]
    return frozenset(id_ for text in texts for id_ in tomllib.loads(text))
