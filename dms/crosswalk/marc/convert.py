"""A whole record from one MARC format to another: its fields in the order of their tags, twins linked (pure)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from operator import attrgetter, itemgetter

from dms.crosswalk.lines import Known, Lines
from dms.crosswalk.marc import foreign, table
from dms.crosswalk.marc.coded import LEADER, Coded, Coder
from dms.crosswalk.marc.engine import ALONE, Engine, Outcome, Way
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
        more = self._asking | self._counted | self._heads | self._beside | self._coder.parted
        self._only_coded: dict[str, dict[tuple[tuple[str, str], ...], Way]] = {
            tag: {} for tag in self._coder.tags - more if tag[:2] != "00" and len(tag) == 3
        }
        self._mirrored = _mirrored(self.table)
        self._mirrors = _mirrored(home)
        self._lines: dict[tuple[str, Fate, str, str], tuple[Loss, ...]] = {}  # of control fields
        self._controls = {tag: self._control_to(tag, to) for tag, to in self.table.control.items()}
        self._ordinary: dict[str, Way] = {}  # of tags of whose fields only their text matters
        self._ways: dict[tuple[str, bool, bool, frozenset[str], tuple[tuple[str, str], ...]], Way] = {}  # of others

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
        present = {tag for tag, _ in record.fields}
        tags = self._asked & present
        ordinary = self._met()
        mirrored: dict[tuple[str, str], str] = {}
        if not self._mirrors.isdisjoint(present) and not self._mirrored.isdisjoint(present):
            mirrored = crosswalk(self.table.settings["back"]).mirrored(record)
            ordinary = {} if mirrored else ordinary
        again = bare = _NO_FIELDS
        if not self._beside.isdisjoint(present):
            again = self._again(record, coded.leader, coded.made)
            bare = self._again(record, coded.leader, [each for each in coded.made if each[0] not in _BY_KIND])
        seen: dict[str, int] = {}
        made = [Made(tag, text) for tag, text in coded.made]
        fates: list[tuple[int, tuple[Loss, ...]]] = []
        returned: list[Made] = []
        headed = False
        minding, foreign_tag, controls = self._minding, self._foreign, self._controls
        taken, told = coded.taken, coded.losses
        only_coded = {} if mirrored else self._only_coded
        for tag, text in record.fields:
            nth = seen[tag] = seen.get(tag, 0) + 1
            way = ordinary.get(tag)
            if way is not None:
                outcome = way.field(text)
                made += outcome.made
                fates.append((nth, outcome.losses))
                continue
            if tag in only_coded:
                into = taken.get(tag, _NONE) if nth == 1 else _NONE
                outcome = (only_coded[tag].get(into) or self._coded(tag, into)).field(text)
                made += outcome.made
                fates.append((nth, outcome.losses if tag not in told or nth > 1 else _both(outcome.losses, told[tag])))
                continue
            if tag in controls:
                target, form, losses = controls[tag]
                made.append(Made(target, form.replace("*", text) if form else text))
                fates.append((nth, losses if tag not in told or nth > 1 else _both(losses, told[tag])))
                continue
            if tag == foreign_tag and (kept := foreign.held(text, self._native)):
                returned.append(Made(*kept))
                codes = ["2", "a", "b"] + [code for code, _ in marc.subfields(kept.text)]
                fates.append((nth, tuple(Loss(tag, code, Fate.MAPPED, kept.tag) for code in codes)))
                continue
            if tag[:2] == "00":
                known = coded if nth == 1 or tag in self._coder.parted else None
                alone = again and sum(own == tag for own, _ in record.fields) == 1
                outcome = self._control(tag, text, known, again if alone else _NO_FIELDS)
            elif tag in minding:
                outcome = self._way(tag, nth, headed, tags, coded).field(text)
                headed = headed or outcome.head
            else:
                if tag not in self._special:
                    self._ordinary[tag] = self._engine.way(tag)
                outcome = self._engine.way(tag).field(text)
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
        made.sort(key=_TAG)
        return Converted(Record(coded.leader, tuple(self._linked(made))), tuple(fates))

    def _met(self) -> dict[str, Way]:
        """The ways of ordinary tags; all ways are forgotten once there are too many."""
        if self._engine.is_full():
            self._engine.forget()
            self._ordinary.clear()
            self._ways.clear()
            for ways in self._only_coded.values():
                ways.clear()
        return self._ordinary

    def _coded(self, tag: str, into: tuple[tuple[str, str], ...]) -> Way:
        """What becomes of a field of which only where its coded data went matters, beside its text."""
        way = self._only_coded[tag][into] = self._engine.way(tag, Around(coded=into) if into else ALONE)
        return way

    def _way(self, tag: str, nth: int, headed: bool, tags: frozenset[str], coded: Coded) -> Way:
        """What becomes of a field to which more of its record matters than its text."""
        headed = headed and tag in self._heads
        first = nth == 1 or tag not in self._counted
        tags = tags if tag in self._asking else _NO_TAGS
        into = coded.taken.get(tag, _NONE) if nth == 1 and tag not in self._beside else _NONE
        key = (tag, headed, first, tags, into)
        way = self._ways.get(key)
        if way is None:
            way = self._ways[key] = self._engine.way(tag, Around(headed, first, tags, into))
        return way

    def _again(self, record: Record, leader: str, made: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        """Fields that the way back would make of these of the target: they were made of them and need not be kept."""
        held = [kept for text in record.all(self._foreign) if (kept := foreign.held(text, self._native))]
        target = ((kept.tag, kept.text) for kept in held)
        return frozenset(self._home.code(Record(leader, (*target, *made))).made)

    def _control(self, tag: str, text: str, coded: Coded | None, again: Collection[tuple[str, str]]) -> Outcome:
        """A control field of which the table says nothing: the coded data that it is, or kept as a foreign one."""
        into = coded.taken.get(tag + text[:1] if tag in self._coder.parted else tag) if coded else None
        if into and (tag not in self._beside or (tag, text) in again):
            return Outcome((), self._line(tag, Fate.MAPPED, into[0][1]))
        kept = marc.field("1 ", [("2", self._format), ("a", tag), ("b", text)])
        made = (Made(self._foreign, kept),)
        if into:
            return Outcome(made, self._line(tag, Fate.MAPPED, f"{into[0][1]}, {self._foreign}"))
        return Outcome(made, self._line(tag, Fate.LOCAL, self._foreign, NO_ROW))

    def _control_to(self, tag: str, to: str) -> tuple[str, str, tuple[Loss, ...]]:
        """What the table says of a control field: the target, the form of its text if it has one, and its line."""
        target, _, form = to.partition(" ")
        return target, form.replace("$", DELIMITER), self._line(tag, Fate.MAPPED, target)

    def _line(self, tag: str, fate: Fate, to: str, why: str = "") -> tuple[Loss, ...]:
        """The line of a control field, the same one for the same: reports know it again."""
        key = (tag, fate, to, why)
        if key not in self._lines:
            self._lines[key] = (Loss(tag, "", fate, to, why),)
        return self._lines[key]

    def _linked(self, made: Sequence[Made]) -> list[tuple[str, str]]:
        """The fields, each twin among those of its tag and linked by $6 (MARC 21, appendix A: control subfields)."""
        fields = [(one.tag, one.text) for one in made]
        twins: list[tuple[str, str]] = []
        for place, one in enumerate(made):
            if one.twin:
                number = len(twins) + 1
                fields[place] = (one.tag, f"{one.text[:2]}\x1f6{self._twins}-{number:02}{one.text[2:]}")
                twins.append((self._twins, f"{one.twin[:2]}\x1f6{one.tag}-{number:02}{one.twin[2:]}"))
        if twins:
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
_FIRST, _TAG = itemgetter(0), attrgetter("tag")


@cache
def crosswalk(name: str) -> Crosswalk:
    """The crosswalk of a folder, one in a process. Raises `Misconfigured`."""
    return Crosswalk(name)
