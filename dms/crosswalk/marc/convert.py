"""A whole record from one MARC format to another: its fields in the order of their tags, twins linked (pure)."""

from __future__ import annotations

from collections import Counter
from functools import cache

from dms.crosswalk.marc import table
from dms.crosswalk.marc.engine import Engine, Made
from dms.crosswalk.model import Converted, Fate, Loss
from protocols import marc
from protocols.marc import Record


class Crosswalk:
    """One crosswalk, with what it remembers of the fields it has met."""

    def __init__(self, name: str) -> None:
        self.table = table.table(name)
        self._engine = Engine(self.table)
        self._twins: str = self.table.settings.get("twins", "")

    def convert(self, record: Record) -> Converted:
        """The record in the target's format and what became of every subfield."""
        seen: Counter[str] = Counter()
        made: list[Made] = []
        fates: list[tuple[int, tuple[Loss, ...]]] = []
        headed = False
        for tag, text in record.fields:
            seen[tag] += 1
            if marc.is_control(tag):
                made.append(Made(tag, text))
                fates.append((seen[tag], (Loss(tag, "", Fate.MAPPED, tag),)))
                continue
            outcome = self._engine.field(tag, text, headed)
            headed = headed or outcome.head
            made += outcome.made
            fates.append((seen[tag], outcome.losses))
        made.sort(key=_tag)
        return Converted(Record(record.leader, tuple(self._linked(made))), tuple(fates))

    def _linked(self, made: list[Made]) -> list[tuple[str, str]]:
        """The fields, each twin at the end and linked by $6 (MARC 21, appendix A: control subfields)."""
        fields: list[tuple[str, str]] = []
        twins: list[tuple[str, str]] = []
        for one in made:
            if not one.twin:
                fields.append((one.tag, one.text))
                continue
            number = len(twins) + 1
            fields.append((one.tag, f"{one.text[:2]}\x1f6{self._twins}-{number:02}{one.text[2:]}"))
            twins.append((self._twins, f"{one.twin[:2]}\x1f6{one.tag}-{number:02}{one.twin[2:]}"))
        return fields + twins


def _tag(made: Made) -> str:
    return made.tag


@cache
def crosswalk(name: str) -> Crosswalk:
    """The crosswalk of a folder, one in a process. Raises `Misconfigured`."""
    return Crosswalk(name)
