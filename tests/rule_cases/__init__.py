"""Small records that break one rule each, with what they should become, and records that only look as if they did.

`*.toml` by family: `[[rule-id]]` with `fields` (or `field`), `mended` where a fix makes something else of them, and
`sound = true` where the rule should be silent. A field is written `"200 1#‡aTitle‡fAuthor"`, # for a blank indicator,
`"008 value"` for a control field.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from catalog.model import Format
from dms.rules import content
from protocols.marc import DELIMITER, Record, is_control

LEADERS = {Format.MARC21: "00000nam a2200000 a 4500", Format.CNMARC: "00000nam0 2200000   450 "}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A record as a test writes it."""

    rule: str
    format: Format
    leader: str
    fields: tuple[str, ...]
    mended: tuple[str, ...] | None
    sound: bool

    def record(self) -> Record:
        return record(self.fields, self.format, self.leader)

    def __str__(self) -> str:
        return f"{self.rule}: {' | '.join(self.fields)[:60]}"


def record(fields: tuple[str, ...], fmt: Format, leader: str = "") -> Record:
    """The record of fields as the cases write them."""
    return Record(leader or LEADERS[fmt], tuple(_field(text) for text in fields))


def _field(text: str) -> tuple[str, str]:
    tag, rest = text[:3], text[4:]
    return (tag, rest) if is_control(tag) else (tag, rest[:2].replace("#", " ") + rest[2:].replace("‡", DELIMITER))


def shown(record: Record) -> list[str]:
    """The fields as the cases write them, for a readable difference."""
    return [f"{tag} {text}".replace(DELIMITER, "‡") for tag, text in record.fields]


def _cases() -> list[Case]:
    found = []
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        for rule, rows in tomllib.loads(path.read_text("utf-8")).items():
            for row in rows:
                fields = tuple(row["fields"]) if "fields" in row else (row["field"],)
                mended = row.get("mended")
                found.append(
                    Case(
                        rule=rule,
                        format=Format[row.get("format", "cnmarc").upper()],
                        leader=row.get("leader", ""),
                        fields=fields,
                        mended=mended if mended is None else (mended,) if isinstance(mended, str) else tuple(mended),
                        sound=row.get("sound", False),
                    )
                )
    return found


_ALL = _cases()
CASES = [case for case in _ALL if not case.sound]
SOUND = [case for case in _ALL if case.sound]


def content_ids() -> set[str]:
    """Every rule that a module of content can tell."""
    return {id_ for rule in content.rules() for id_ in rule.ids}
