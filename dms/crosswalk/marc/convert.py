"""A whole record from one MARC format to another: its fields in the order of their tags, twins linked (pure)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter

from dms.crosswalk.lines import Known, Lines
from dms.crosswalk.marc import foreign, table
from dms.crosswalk.marc.coded import LEADER, Coded, Coder
from dms.crosswalk.marc.engine import ALONE, Engine, Outcome
from dms.crosswalk.marc.merged import Merger
from dms.crosswalk.marc.plan import NO_ROW, Around
from dms.crosswalk.marc.recipe import Made
from dms.crosswalk.marc.table import Row, Table
from dms.crosswalk.model import Converted, Fate, Loss
from protocols import marc
from protocols.marc import DELIMITER, Record

_NO_TAGS: frozenset[str] = frozenset()
_NO_FIELDS: frozenset[tuple[str, str]] = frozenset()
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
        self._rejoined: Mapping[str, str] = self.table.settings.get("rejoined", {})
        self._native: tuple[str, ...] = tuple(self.table.settings["native"])
        asked = [row.when.get(name, "") for rows in self.table.rows.values() for row in rows for name in _ASKED]
        self._asked = frozenset(tag for wanted in asked for tag in wanted.split("|") if tag)
        self._asking = self._tags_where(lambda row: not row.when.keys().isdisjoint(_ASKED))
        self._counted = self._tags_where(lambda row: "nth" in row.when)
        self._heads = self._tags_where(lambda row: bool(row.head))
        self._beside: frozenset[str] = frozenset(self.table.settings.get("beside", ()))
        home = table.table(self.table.settings["back"])
        self._home = Coder(home)
        self._remade: frozenset[str] = frozenset(home.settings.get("beside", ()))  # tags of codes that return whole
        self._minding = self._asking | self._counted | self._heads | self._coder.tags
        self._special = self._minding | self._beside | {self._foreign}  # of other fields only their text matters
        self._mirrored = _mirrored(self.table)
        self._mirrors = _mirrored(home)
        self._lines: dict[tuple[str, Fate, str, str], tuple[Loss, ...]] = {}  # of control fields

    def mirrored(self, record: Record) -> dict[tuple[str, str], str]:
        """Fields that are made beside local fields of the record, whatever else it has → the tags of those."""
        return {
            (one.tag, one.text): tag
            for tag, text in record.fields
            if tag in self._mirrored
            for one in self._engine.field(tag, text).made
            if one.tag != tag
        }

    def _tags_where(self, holds: Callable[[Row], bool]) -> frozenset[str]:
        return frozenset(tag for tag, rows in self.table.rows.items() if any(map(holds, rows)))

    def convert(self, record: Record) -> Converted:
        """The record in the target's format and what became of every subfield."""
        coded = self._coder.code(record)
        present = [tag for tag, _ in record.fields]
        tags = self._asked.intersection(present)
        mirrored: dict[tuple[str, str], str] = {}
        if not self._mirrors.isdisjoint(present) and not self._mirrored.isdisjoint(present):
            mirrored = crosswalk(self.table.settings["back"]).mirrored(record)
        again = bare = _NO_FIELDS
        if not self._beside.isdisjoint(present):
            again = self._again(record, coded.leader, coded.made)
            bare = self._again(record, coded.leader, [each for each in coded.made if each[0] not in _BY_KIND])
        seen: dict[str, int] = {}
        made: list[Made] = [Made(tag, text) for tag, text in coded.made]
        fates: list[tuple[int, tuple[Loss, ...]]] = []
        returned: list[Made] = []
        headed = False
        minding, foreign_tag, told, field = self._minding, self._foreign, coded.losses, self._engine.field
        special = self._special
        for tag, text in record.fields:
            nth = seen[tag] = seen.get(tag, 0) + 1
            if tag not in special and tag[:2] != "00" and not mirrored:
                outcome = field(tag, text)
                made += outcome.made
                fates.append((nth, outcome.losses))
                continue
            if tag == foreign_tag and (kept := foreign.held(text, self._native)):
                returned.append(Made(*kept))
                codes = ["2", "a", "b"] + [code for code, _ in marc.subfields(kept.text)]
                fates.append((nth, tuple(Loss(tag, code, Fate.MAPPED, kept.tag) for code in codes)))
                continue
            if tag[:2] == "00":
                known = coded if nth == 1 or tag in self._coder.parted else None
                outcome = self._control(tag, text, known, again if present.count(tag) == 1 else _NO_FIELDS)
            elif tag in minding:
                outcome = field(tag, text, self._around(tag, nth, headed, tags, coded))
                headed = headed or outcome.head
            else:
                outcome = field(tag, text)
            losses = outcome.losses
            if mirrored and (tag, text) in mirrored:
                fates.append((nth, _said_by(losses, mirrored[tag, text])))
                continue
            if tag in self._beside and tag[:2] != "00":
                is_again = (tag, text) in again
                into = coded.taken.get(tag, _NONE) if nth == 1 or is_again else _NONE
                losses = _beside(losses, into, "" if is_again else self._foreign)
                if is_again:
                    if (tag, text) in bare:  # and so has what it would make
                        names = {where.partition("/")[0] for _, to in into for where in to.split(", ")}
                        made = [one for one in made if one.tag not in _BY_KIND or one.tag + one.text[:1] not in names]
                    fates.append((nth, losses))
                    continue
            elif nth == 1 and tag in told:
                losses = _both(losses, told[tag])
            made += outcome.made
            fates.append((nth, losses))
        if LEADER in told:
            fates.append((1, told[LEADER]))
        made = self._merger.merged(made, record)
        if returned:
            unique = {one.tag for one in returned if marc.is_control(one.tag) or one.tag in self._remade}
            made = [one for one in made if one.tag not in unique]
            made, returned = foreign.rejoined(made, returned, self._rejoined)
            made = foreign.twinned(made, returned, self._twins)
        made.sort(key=_FIRST)
        return Converted(Record(coded.leader, tuple(self._linked(made))), tuple(fates))

    def _around(self, tag: str, nth: int, headed: bool, tags: frozenset[str], coded: Coded) -> Around:
        """What of the record matters to a field."""
        headed = headed and tag in self._heads
        first = nth == 1 or tag not in self._counted
        tags = tags if tag in self._asking else _NO_TAGS
        into = coded.taken.get(tag, _NONE) if nth == 1 and tag not in self._beside else _NONE
        return Around(headed, first, tags, into) if headed or not first or tags or into else ALONE

    def _again(self, record: Record, leader: str, made: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        """Fields that the way back would make of these of the target: they were made of them and need not be kept."""
        held = [kept for text in record.all(self._foreign) if (kept := foreign.held(text, self._native))]
        target = ((kept.tag, kept.text) for kept in held)
        return frozenset(self._home.code(Record(leader, (*target, *made))).made)

    def _control(self, tag: str, text: str, coded: Coded | None, again: Collection[tuple[str, str]]) -> Outcome:
        """A control field: as the table says, or as the coded data that it is, or kept as a foreign one."""
        to = self.table.control.get(tag)
        if to is not None:
            target, _, form = to.partition(" ")
            told = form.replace("*", text).replace("$", DELIMITER) if form else text
            return Outcome((Made(target, told),), self._line(tag, Fate.MAPPED, target))
        into = coded.taken.get(tag + text[:1] if tag in self._coder.parted else tag) if coded else None
        if into and (tag not in self._beside or (tag, text) in again):
            return Outcome((), self._line(tag, Fate.MAPPED, into[0][1]))
        kept = marc.field("1 ", [("2", self._format), ("a", tag), ("b", text)])
        made = (Made(self._foreign, kept),)
        if into:
            return Outcome(made, self._line(tag, Fate.MAPPED, f"{into[0][1]}, {self._foreign}"))
        return Outcome(made, self._line(tag, Fate.LOCAL, self._foreign, NO_ROW))

    def _line(self, tag: str, fate: Fate, to: str, why: str = "") -> tuple[Loss, ...]:
        """The line of a control field, the same one for the same: reports know it again."""
        key = (tag, fate, to, why)
        if key not in self._lines:
            self._lines[key] = (Loss(tag, "", fate, to, why),)
        return self._lines[key]

    def _linked(self, made: Sequence[Made]) -> list[tuple[str, str]]:
        """The fields, each twin among those of its tag and linked by $6 (MARC 21, appendix A: control subfields)."""
        fields = [one[:2] for one in made]
        if not any(map(_TWIN, made)):
            return fields
        twins: list[tuple[str, str]] = []
        for place, (tag, text, twin) in enumerate(made):
            if twin:
                number = len(twins) + 1
                fields[place] = (tag, f"{text[:2]}\x1f6{self._twins}-{number:02}{text[2:]}")
                twins.append((self._twins, f"{twin[:2]}\x1f6{tag}-{number:02}{twin[2:]}"))
        fields += twins
        fields.sort(key=_FIRST)
        return fields


@Known
def _both(losses: Lines, coded: Lines) -> Lines:
    """The lines of a field with those of its coded data."""
    return losses + coded


@Known
def _said_by(losses: Lines, tag: str) -> Lines:
    """The lines of a field that is left out: it was made of the field `tag`, which is there."""
    return tuple(each._replace(fate=Fate.MAPPED, to=tag, why="") for each in losses)


@Known
def _beside(losses: Lines, into: tuple[tuple[str, str], ...], kept: str) -> Lines:
    """The lines of a field that is kept whole in the field `kept`, if any, with where its coded data went too."""
    went = dict(into)
    more = f", {kept}" if kept else ""
    return tuple(
        Loss(each.tag, each.code, Fate.MAPPED, went[each.code] + more) if each.code in went else each for each in losses
    )


def _mirrored(table: Table) -> frozenset[str]:
    """Tags of local fields beside which others are made."""
    local = tuple(table.settings.get("local", ()))
    return frozenset(tag for tag, rows in table.rows.items() if tag.startswith(local) and all(row.also for row in rows))


_ASKED = ("record", "without")
_BY_KIND = ("006", "007")  # MARC 21: repeatable, each kind with positions of its own
_FIRST, _TWIN = itemgetter(0), itemgetter(2)


@cache
def crosswalk(name: str) -> Crosswalk:
    """The crosswalk of a folder, one in a process. Raises `Misconfigured`."""
    return Crosswalk(name)
