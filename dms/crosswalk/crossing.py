"""A record by the rows of a crosswalk: elements of the target, and a line for every subfield of the source (pure).

What a field's text becomes does not depend on the record, but for marks of scripts, elements that fields share and
rows for the first field only: it is found once for texts that come again and again (headings, publishers, codes).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from dms import isbd
from dms.crosswalk import elements, linked, scripts
from dms.crosswalk.elements import Element, Path
from dms.crosswalk.iris import iri
from dms.crosswalk.lines import AWAITED, Brief, Fates, Lines, every
from dms.crosswalk.model import Fate, Loss
from dms.crosswalk.rows import LEADER, Part, Row, Table
from protocols import marc
from protocols.marc import Record

REMEMBERED = 50_000  # texts of fields, for each table; about 100 MB at worst
LONG = 400  # characters; longer texts don't come again
EMPTY = "empty"
NO_ELEMENT = "the target has no element for this"
NO_ROW = "the table has no row for this"
NOT_IN_LIST = "no value that the target knows"
NON_SORTING = "\x88\x89\x98\x9c"  # NSB and NSE as systems write them
_ALL = 1 << 30  # characters: more than any value has
BLANK = " |#^"  # of coded data: nothing is said
_NO_MARKS = str.maketrans("", "", NON_SORTING)
# Positions of the leader that say something of what is described (the others are of ISO 2709 itself).
_LEADER = (*range(5, 10), *range(17, 20))


class _Template(NamedTuple):
    """The lines of fields whose values went the same ways."""

    lines: Lines
    awaited: tuple[tuple[int, int, int], ...]  # which values they await: (place, first character, end)


class Put(NamedTuple):
    """A value on its way into an element."""

    to: Path
    attribute: str
    value: str


class Piece(NamedTuple):
    """What a row makes of a field: an element, or what goes into the one that fields share."""

    number: int  # of the row
    element: Element | None
    puts: tuple[Put, ...]


class _Value(msgspec.Struct, gc=False):
    """A subfield of a field that is being cut, and where it went."""

    source: str
    code: str
    value: str
    to: tuple[str, ...] = ()
    spans: tuple[tuple[int, int, str], ...] = ()
    refused: bool = False  # a part would have had it, if it knew the value


class Cut(msgspec.Struct, gc=False):
    """What became of a field."""

    tag: str
    pieces: tuple[Piece, ...]
    values: list[_Value]
    losses: tuple[Lines, tuple[str, ...]] | None = None  # its lines and the values that they await, once somebody asked


class Crosswalk:
    """Applies a table to records and remembers what became of their fields."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._rows = {tag: [(n, table.rows[n]) for n in numbers] for tag, numbers in table.by_tag.items()}
        self._known: dict[tuple[str, str], Cut] = {}
        self._lines: dict[tuple[str, str, tuple[str, ...]], Loss] = {}
        self._templates: dict[tuple[object, ...], _Template] = {}
        self._reasons: dict[tuple[str, str], str] = {}

    def record(self, record: Record) -> Crossed:
        """The record's elements and what became of its fields."""
        return Crossed(record, self)

    def field(self, tag: str, text: str, leader: str) -> Cut:
        """What becomes of a field."""
        if len(text) > LONG or marc.is_control(tag):
            return self._cut(tag, text, leader)
        known = self._known.get((tag, text))
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[tag, text] = self._cut(tag, text, "")
        return known

    def leader(self, leader: str) -> Cut:
        """What becomes of a leader; lengths and addresses say nothing, so that few are different."""
        text = f"     {leader[5:12]}     {leader[17:20]}"
        known = self._known.get((LEADER, text))
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[LEADER, text] = self._cut(LEADER, text, text)
        return known

    def _cut(self, tag: str, text: str, leader: str) -> Cut:
        rows = self._rows.get(marc.value(text, "6")[:3] if tag == "880" else tag, [])
        values = _values_of(tag, text, linking=bool(rows) and rows[0][1].linked)
        present = {each.code for each in values}
        pieces: list[Piece] = []
        for number, row in rows:
            if not (row.fixed or row.codes & present):
                continue
            for group in [[each] for each in values] if row.apart else [values]:
                if (not row.when or _fits(row.when, text, group, leader)) and (
                    puts := self._puts(row, present, text, group)
                ):
                    pieces += [_piece(number, row, each) for each in _each(row, puts)]
        return Cut(tag, tuple(pieces), values)

    def _puts(self, row: Row, present: set[str], text: str, values: Sequence[_Value]) -> list[Put]:
        puts: list[Put] = []
        told = row.fixed
        for part in row.parts:
            if part.text:
                puts.append(Put(part.to, part.attribute, part.text))
                continue
            if part.ind:
                if value := self._indicator(part, text):
                    puts.append(Put(part.to, part.attribute, value))
            elif part.codes & present:
                for value in self._taken(part, text, values):
                    puts.append(Put(part.to, part.attribute, value))
                    told = True
        return puts if told else []

    def _indicator(self, part: Part, text: str) -> str:
        names = self.table.maps[part.map]
        value = names.get(text[part.ind - 1 : part.ind], "")
        return part.prefix + value if value else ""

    def _taken(self, part: Part, text: str, values: Sequence[_Value]) -> list[str]:
        """The part's values, each marked as taken."""
        found: list[str] = []
        for each in values:
            if each.code not in part.codes:
                continue
            said = self._said(part, each, text, first=not found)
            if not said:
                continue
            if part.at:
                each.spans += ((part.at[0], part.at[1], part.where),)
            else:
                each.to += (part.where,)
            found += said
            if part.attribute and not part.each:
                break
        if part.each or part.chunk:
            return [part.prefix + value for value in found] if part.prefix else found
        if not found:
            return found
        joined = part.join.join(found)
        return [part.prefix + (isbd.plain(joined) if part.whole else joined)]

    def _said(self, part: Part, each: _Value, text: str, *, first: bool) -> list[str]:
        value = each.value
        if part.at:
            value = value[part.at[0] : part.at[1]].strip(BLANK)
        if first and (part.article or part.without_article):
            skip = int(text[1]) if text[1:2].isdigit() else 0
            value = value[:skip] if part.article else value[skip:]
        value = value.translate(_NO_MARKS) if not value.isprintable() else value
        value = value.strip() if part.raw or part.whole or not each.code else isbd.plain(value)
        if not value:
            return []
        if part.plain:
            return [value]
        whole = [value]
        if part.only:
            found = part.only.search(value)
            whole = [found.expand(part.form) if part.form else value] if found else []
        if part.chunk:
            whole = [each[at : at + part.chunk] for each in whole for at in range(0, len(each), part.chunk)]
        if part.map:
            names = self.table.maps[part.map]
            whole = [name for value in whole if (name := names.get(value, names.get("*", "")))]
        each.refused = each.refused or not whole
        if part.iri:
            whole = [iri(value) for value in whole]
        return whole

    def losses(self, cut: Cut) -> tuple[Lines, tuple[str, ...]]:
        """A line for every subfield, and the values that lines await."""
        if cut.losses is None:
            ways = tuple([_way_of(cut.tag, each) for each in cut.values])
            key = (cut.tag, bool(cut.pieces), ways)
            known = self._templates.get(key)
            if known is None:
                if len(self._templates) >= REMEMBERED:
                    self._templates.clear()
                known = self._templates[key] = self._template(cut)
            values = cut.values
            cut.losses = known.lines, tuple([values[at].value[first:end] for at, first, end in known.awaited])
        return cut.losses

    def _template(self, cut: Cut) -> _Template:
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
        return _Template(tuple(lines), tuple(awaited))

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
            why = next((self.table.lost[key] for key in keys if key in self.table.lost), "")
            if len(self._reasons) < REMEMBERED:
                self._reasons[tag, code] = why
        return why


class Crossed:
    """A record's elements and what became of its fields."""

    def __init__(self, record: Record, crosswalk: Crosswalk) -> None:
        self._record = record
        self._crosswalk = crosswalk
        self._table = crosswalk.table
        self._cuts = [crosswalk.field(tag, text, record.leader) for tag, text in record.fields]
        self._leader = crosswalk.leader(record.leader)
        mates = scripts.mates(record) if self._table.groups or self._table.twins else {}
        found = [(piece, -1) for piece in self._leader.pieces]
        for place, cut in enumerate(self._cuts):
            found += [(piece, place) for piece in cut.pieces]
        found.sort(key=_row_number)
        self._shared: dict[tuple[str, str], Element] = {}
        self.rooms: dict[str, list[Element]] = {}
        self._mates: dict[tuple[int, str], tuple[Element, str, str]] = {}
        spent: set[int] = set()
        for piece, place in found:
            row = self._table.rows[piece.number]
            if row.once:
                if piece.number in spent:
                    continue
                spent.add(piece.number)
            room = self.rooms.setdefault(row.room, [])
            if row.shared:
                self._share(row, piece, room)
            elif piece.element is not None:
                room.append(self._linked(piece, place, mates, room) if mates else piece.element)

    def elements(self, room: str = "") -> list[Element]:
        """The elements of a room, in the order of the rows; those that say the same as another are left out."""
        return list({elements.written(element): element for element in self.rooms.get(room, ())}.values())

    def fates(self) -> Fates:
        """(which of its tag from 1, its lines) of every source field, the leader first."""
        return every(self.brief())

    def brief(self) -> list[Brief]:
        """The same, with the values beside the lines."""
        seen: dict[str, int] = {}
        losses = self._crosswalk.losses
        told: list[Brief] = [(1, *losses(self._leader))]
        for cut in self._cuts:
            tag = cut.tag
            seen[tag] = nth = seen.get(tag, 0) + 1
            told.append((nth, *(cut.losses or losses(cut))))
        return told

    def _share(self, row: Row, piece: Piece, room: list[Element]) -> None:
        first = row.element[0]
        top = self._shared.get((row.room, first.name))
        if top is None:
            top = self._shared[row.room, first.name] = Element(first.name, dict(first.attributes))
            room.append(top)
        _fill(top.child(row.element[1:]) if len(row.element) > 1 else top, piece.puts)

    def _linked(self, piece: Piece, place: int, mates: Mapping[str, str], room: list[Element]) -> Element:
        """The piece's element as one of a pair, if its field is: marked, or with the texts of both."""
        assert piece.element is not None
        tag, text = self._record.fields[place] if place >= 0 else ("", "")
        group = mates.get(scripts.link(marc.value(text, "6")[:3] if tag == "880" else tag, text), "")
        if not group:
            return piece.element
        if piece.element.name in self._table.groups:
            return scripts.grouped(piece.element, group)
        if not self._table.twins:
            return piece.element
        mate = self._mates.pop((piece.number, group), None)
        if mate is None:
            self._mates[piece.number, group] = (piece.element, tag, text)
            return piece.element
        other, other_tag, other_text = mate
        room[:] = [each for each in room if each is not other]
        if other_tag == "880":
            return scripts.beside(piece.element, other, scripts.code(other_text))
        return scripts.beside(other, piece.element, scripts.code(text))


def _row_number(found: tuple[Piece, int]) -> int:
    return found[0].number


def _values_of(tag: str, text: str, *, linking: bool) -> list[_Value]:
    if tag == LEADER or marc.is_control(tag):
        return [_Value("", "", text)]
    if linking:
        return [_Value(source, code, value) for source, code, value in linked.said(text)]
    return [_Value(code, code, value) for code, value in marc.subfields(text)]


class _Masked(dict[int, str]):
    """Of a value's characters only whether they say something."""

    def __missing__(self, _character: int) -> str:
        return "x"


_MASK = _Masked({ord(character): " " for character in BLANK})


def _way_of(tag: str, each: _Value) -> tuple[object, ...]:
    """All that the lines of a value depend on."""
    if each.to:
        return each.source, each.to
    if not each.value.strip(BLANK):
        return (each.source,)
    if each.spans or tag == LEADER:
        return each.source, each.spans, each.value.translate(_MASK)
    return each.source, each.refused


def _unsaid(tag: str, each: _Value) -> Iterator[tuple[int, int]]:
    """The runs of positions that say something and went nowhere."""
    taken = {at for first, end, _ in each.spans for at in range(first, end)}
    wanted = _LEADER if tag == LEADER else range(len(each.value))
    return _runs([at for at in wanted if at not in taken], each.value)


def _each(row: Row, puts: list[Put]) -> list[list[Put]]:
    """The puts of one element of the row, or of several."""
    if row.several is None:
        return [puts]
    own = [put for put in puts if not put.to and put.attribute == row.several.attribute]
    rest = [put for put in puts if put.to or put.attribute != row.several.attribute]
    return [[*rest, put] for put in own]


def _piece(number: int, row: Row, puts: list[Put]) -> Piece:
    if row.shared:
        return Piece(number, None, tuple(puts))
    top = Element(row.element[0].name, dict(row.element[0].attributes))
    _fill(top.child(row.element[1:]) if len(row.element) > 1 else top, puts)
    return Piece(number, top, ())


def _fill(made: Element, puts: Sequence[Put]) -> None:
    for to, attribute, value in puts:
        target = (made.at(to) if attribute else made.child(to)) if to else made
        if attribute:
            target.attributes[attribute] = value
        else:
            target.text = f"{target.text} {value}" if target.text else value


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


def _fits(when: Mapping[str, str], text: str, values: Sequence[_Value], leader: str) -> bool:
    for name, wanted in when.items():
        if name in ("ind1", "ind2"):
            if text[int(name[3]) - 1 : int(name[3])] not in wanted:
                return False
        elif name.startswith("at"):  # a position of a control field or of a leader
            if text[int(name[2:]) : int(name[2:]) + 1] not in wanted:
                return False
        elif name.startswith(LEADER):
            if leader[int(name[3:]) : int(name[3:]) + 1] not in wanted:
                return False
        else:
            value = next((each.value for each in values if each.code == name), "")
            if wanted in ("", "*"):
                if bool(value) != (wanted == "*"):
                    return False
            elif value.startswith(tuple(wanted.lstrip("!").split("|"))) == wanted.startswith("!"):
                return False
    return True
