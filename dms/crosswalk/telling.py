"""What is told of a field: a line for every subfield, and for positions that went nowhere (pure).

Lines of fields whose values went the same ways are the same but for the values: they are made once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dms.crosswalk.cuts import Cut, Value
from dms.crosswalk.lines import AWAITED, Lines
from dms.crosswalk.model import Fate, Loss
from dms.crosswalk.rows import LEADER, Table

REMEMBERED = 50_000  # templates, lines and reasons, for each table; about 30 MB at worst
EMPTY = "empty"
NO_ELEMENT = "the target has no element for this"
NO_ROW = "the table has no row for this"
NOT_IN_LIST = "no value that the target knows"
BLANK = " |#^"  # of coded data: nothing is said
# Positions of the leader that say something of what is described (the others are of ISO 2709 itself).
_LEADER = (*range(5, 10), *range(17, 20))
_ALL = 1 << 30  # characters: more than any value has


class Template(NamedTuple):
    """The lines of fields whose values went the same ways."""

    lines: Lines
    awaited: tuple[tuple[int, int, int], ...]  # which values they await: (place, first character, end)


class Teller:
    """Tells the lines of fields by a table, and remembers them."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._lines: dict[tuple[str, str, tuple[str, ...]], Loss] = {}
        self._templates: dict[tuple[object, ...], Template] = {}
        self._reasons: dict[tuple[str, str], str] = {}

    def losses(self, cut: Cut) -> tuple[Lines, tuple[str, ...]]:
        """A line for every subfield, and the values that lines await."""
        if cut.losses is None:
            lines, awaited = self.template(cut)
            values = cut.values
            cut.losses = lines, tuple([values[at].value[first:end] for at, first, end in awaited])
        return cut.losses

    def template(self, cut: Cut) -> Template:
        """The lines of fields whose values went the same ways."""
        ways = tuple([_way_of(cut.tag, each) for each in cut.values])
        key = (cut.tag, bool(cut.pieces), ways)
        known = self._templates.get(key)
        if known is None:
            if len(self._templates) >= REMEMBERED:
                self._templates.clear()
            known = self._templates[key] = self._template(cut)
        return known

    def _template(self, cut: Cut) -> Template:
        lines: list[Loss] = []
        awaited: list[tuple[int, int, int]] = []
        tag = cut.tag
        for place, each in enumerate(cut.values):
            if each.to:
                lines.append(self._lines.get((tag, each.source, each.to)) or self._mapped(tag, each.source, each.to))
            elif not each.value.strip(BLANK):
                lines.append(Loss(tag, each.source, Fate.LOST, why=EMPTY))
            elif each.spans or tag == LEADER:
                for first, end, to in each.spans:
                    lines.append(self._mapped(tag, _span(each.source, first, end), (to,)))
                for first, end in _unsaid(tag, each):
                    code = _span(each.source, first, end)
                    why = self._why(tag, code) or NO_ELEMENT
                    lines.append(Loss(tag, code, Fate.LOST, why=why, value=AWAITED))
                    awaited.append((place, first, end))
            else:
                unknown = NOT_IN_LIST if each.refused else NO_ELEMENT if cut.pieces else NO_ROW
                why = self._why(tag, each.source) or unknown
                lines.append(Loss(tag, each.source, Fate.LOST, "", why, AWAITED))
                awaited.append((place, 0, _ALL))
        return Template(tuple(lines), tuple(awaited))

    def _mapped(self, tag: str, source: str, to: tuple[str, ...]) -> Loss:
        if len(self._lines) >= REMEMBERED:
            self._lines.clear()
        made = self._lines[tag, source, to] = Loss(tag, source, Fate.MAPPED, ", ".join(dict.fromkeys(to)))
        return made

    def _why(self, tag: str, code: str) -> str:
        """The reason that the table gives for a subfield or a position, if any."""
        why = self._reasons.get((tag, code))
        if why is None:
            own = f"{tag}{code}" if code.startswith("/") else f"{tag}${code}"
            keys = (own, f"${code}", tag, f"{tag[:2]}X", f"{tag[:1]}XX")
            why = next((self._table.lost[key] for key in keys if key in self._table.lost), "")
            if len(self._reasons) < REMEMBERED:
                self._reasons[tag, code] = why
        return why


class _Masked(dict[int, str]):
    """Of a value's characters only whether they say something."""

    def __missing__(self, _character: int) -> str:
        return "x"


_MASK = _Masked({ord(character): " " for character in BLANK})


def _way_of(tag: str, each: Value) -> tuple[object, ...]:
    """All that the lines of a value depend on."""
    if each.to:
        return each.source, each.to
    if not each.value.strip(BLANK):
        return (each.source,)
    if each.spans or tag == LEADER:
        return each.source, each.spans, each.value.translate(_MASK)
    return each.source, each.refused


def _unsaid(tag: str, each: Value) -> Iterator[tuple[int, int]]:
    """The runs of positions that say something and went nowhere."""
    taken = {at for first, end, _ in each.spans for at in range(first, end)}
    wanted = _LEADER if tag == LEADER else range(len(each.value))
    return _runs([at for at in wanted if at not in taken], each.value)


def _span(code: str, first: int, end: int) -> str:
    """`a/34-35`, `/7` for one position."""
    return f"{code}/{first}" if end == first + 1 else f"{code}/{first}-{end - 1}"


def _runs(places: Sequence[int], text: str) -> Iterator[tuple[int, int]]:
    """The runs of places next to each other where something is said."""
    run: list[int] = []
    for at in places:
        said = at < len(text) and text[at] not in BLANK
        if run and (not said or at != run[-1] + 1):
            yield run[0], run[-1] + 1
            run = []
        if said:
            run.append(at)
    if run:
        yield run[0], run[-1] + 1
