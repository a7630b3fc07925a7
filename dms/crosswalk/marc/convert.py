"""A whole record from one MARC format to another: its fields in the order of their tags, twins linked (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache

from dms.crosswalk.marc import foreign, table
from dms.crosswalk.marc.coded import Coded, Coder
from dms.crosswalk.marc.engine import Engine, Made, Outcome
from dms.crosswalk.marc.merged import Merger
from dms.crosswalk.marc.plan import NO_ROW, Around
from dms.crosswalk.model import Converted, Fate, Loss
from protocols import marc
from protocols.marc import DELIMITER, Record

_NONE: tuple[tuple[str, str], ...] = ()


class Crosswalk:
    """One crosswalk, with what it remembers of the fields it has met."""

    def __init__(self, name: str) -> None:
        self.table = table.table(name)
        self._engine = Engine(self.table)
        self._coder = Coder(self.table)
        self._merger = Merger(self.table)
        self._twins: str = self.table.settings.get("twins", "")
        self._foreign: str = self.table.settings["foreign"]
        self._format: str = self.table.settings["format"]
        self._native: tuple[str, ...] = tuple(self.table.settings["native"])
        asked = [row.when.get(name, "") for rows in self.table.rows.values() for row in rows for name in _ASKED]
        self._asked = frozenset(tag for wanted in asked for tag in wanted.split("|") if tag)
        self._counted = frozenset(
            tag for tag, rows in self.table.rows.items() if any("nth" in row.when for row in rows)
        )

    def convert(self, record: Record) -> Converted:
        """The record in the target's format and what became of every subfield."""
        coded = self._coder.code(record)
        tags = self._asked.intersection([tag for tag, _ in record.fields])
        seen: Counter[str] = Counter()
        made: list[Made] = [Made(tag, text) for tag, text in coded.made]
        fates: list[tuple[int, tuple[Loss, ...]]] = []
        returned: list[Made] = []
        headed = False
        for tag, text in record.fields:
            seen[tag] += 1
            nth = seen[tag]
            if tag == self._foreign and (kept := foreign.held(text, self._native)):
                returned.append(Made(*kept))
                codes = ["2", "a", "b"] + [code for code, _ in marc.subfields(kept.text)]
                fates.append((nth, tuple(Loss(tag, code, Fate.MAPPED, kept.tag) for code in codes)))
                continue
            if marc.is_control(tag):
                outcome = self._control(tag, text, coded if nth == 1 else None)
            else:
                first = nth == 1
                into = coded.taken.get(tag, _NONE) if first else _NONE
                outcome = self._engine.field(tag, text, Around(headed, first or tag not in self._counted, tags, into))
                headed = headed or outcome.head
            made += outcome.made
            losses = outcome.losses
            fates.append((nth, losses + coded.losses[tag] if nth == 1 and tag in coded.losses else losses))
        made = self._merger.merged(made, record)
        if returned:
            unique = {one.tag for one in returned if marc.is_control(one.tag)}
            made = foreign.twinned([one for one in made if one.tag not in unique], returned, self._twins)
        made.sort(key=_tag)
        return Converted(Record(coded.leader, tuple(self._linked(made))), tuple(fates))

    def _control(self, tag: str, text: str, coded: Coded | None) -> Outcome:
        """A control field: as the table says, or as the coded data that it is, or kept as a foreign one."""
        to = self.table.control.get(tag)
        if to is not None:
            target, _, form = to.partition(" ")
            told = form.replace("*", text).replace("$", DELIMITER) if form else text
            return Outcome((Made(target, told),), (Loss(tag, "", Fate.MAPPED, target),))
        if coded and (into := coded.taken.get(tag)):
            return Outcome((), (Loss(tag, "", Fate.MAPPED, into[0][1]),))
        kept = marc.field("1 ", [("2", self._format), ("a", tag), ("b", text)])
        return Outcome((Made(self._foreign, kept),), (Loss(tag, "", Fate.LOCAL, self._foreign, NO_ROW),))

    def _linked(self, made: Sequence[Made]) -> list[tuple[str, str]]:
        """The fields, each twin among those of its tag and linked by $6 (MARC 21, appendix A: control subfields)."""
        fields: list[tuple[str, str]] = []
        twins: list[tuple[str, str]] = []
        for one in made:
            if not one.twin:
                fields.append((one.tag, one.text))
                continue
            number = len(twins) + 1
            fields.append((one.tag, f"{one.text[:2]}\x1f6{self._twins}-{number:02}{one.text[2:]}"))
            twins.append((self._twins, f"{one.twin[:2]}\x1f6{one.tag}-{number:02}{one.twin[2:]}"))
        return sorted(fields + twins, key=_first) if twins else fields


_ASKED = ("record", "without")


def _first(field: tuple[str, str]) -> str:
    return field[0]


def _tag(made: Made) -> str:
    return made.tag


@cache
def crosswalk(name: str) -> Crosswalk:
    """The crosswalk of a folder, one in a process. Raises `Misconfigured`."""
    return Crosswalk(name)
