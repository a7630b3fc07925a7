"""A record by the rows of a crosswalk: elements of the target, and a line for every subfield of the source (pure).

What a field's text becomes does not depend on the record, but for marks of scripts, elements that fields share and
rows for the first field only: it is found once for texts that come again and again (headings, publishers, codes).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from operator import attrgetter

from dms import isbd
from dms.crosswalk import cuts, elements, scripts
from dms.crosswalk.cuts import Cut, Piece, Put, Value
from dms.crosswalk.elements import Element
from dms.crosswalk.iris import iri
from dms.crosswalk.lines import Brief, Fates, every
from dms.crosswalk.outlines import NON_SORTING, Outlines
from dms.crosswalk.positions import Positions
from dms.crosswalk.rows import LEADER, Part, Row, Table
from dms.crosswalk.telling import BLANK, Teller
from protocols import marc
from protocols.marc import DELIMITER, Record

REMEMBERED = 50_000  # texts of fields, for each table; about 100 MB at worst
LONG = 400  # characters; longer texts don't come again
_SIX = DELIMITER + "6"
_NUMBER = attrgetter("number")
_NO_MARKS = str.maketrans("", "", NON_SORTING)


class Crosswalk:
    """Applies a table to records and remembers what became of their fields."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._rows = {tag: [(n, table.rows[n]) for n in numbers] for tag, numbers in table.by_tag.items()}
        self._known: dict[tuple[str, str], Cut] = {}
        self.teller = Teller(table)
        self._positions = Positions(table, self._by_rows)
        self._outlines = Outlines(
            table, self.teller, lambda tag, text, values: self._by_rows(tag, self._rows[tag], text, values, "")
        )

    def record(self, record: Record) -> Crossed:
        """The record's elements and what became of its fields."""
        return Crossed(record, self)

    def field(self, tag: str, text: str, leader: str) -> Cut:
        """What becomes of a field."""
        if len(text) > LONG or tag[:2] == "00":
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
        rows = self._rows.get(marc.value(text, "6")[:3] if tag == "880" else tag)
        values = cuts.values_of(tag, text, linking=rows is not None and rows[0][1].linked)
        if not rows:
            return Cut(tag, (), values)
        if tag[:2] == "00":
            return self._positions.cut(tag, rows, text, leader)
        return self._outlines.cut(tag, text, values) or self._by_rows(tag, rows, text, values, leader)

    def _by_rows(self, tag: str, rows: Sequence[tuple[int, Row]], text: str, values: list[Value], leader: str) -> Cut:
        """What rows make of values; of `text` indicators and positions matter."""
        trees = self.table.trees
        present = {each.code for each in values}
        pieces: list[Piece] = []
        for number, row in rows:
            if not row.fixed and row.codes.isdisjoint(present):
                continue
            for group in [[each] for each in values] if row.apart else [values]:
                if (not row.when or _fits(row.when, text, group, leader)) and (
                    puts := self._puts(row, present, text, group)
                ):
                    pieces += [cuts.piece(number, row, each, trees=trees) for each in cuts.each(row, puts)]
        return Cut(tag, tuple(pieces), values)

    def _puts(self, row: Row, present: set[str], text: str, values: Sequence[Value]) -> list[Put]:
        puts: list[Put] = []
        told = row.fixed
        for part in row.parts:
            if part.text:
                puts.append(Put(part, part.text))
            elif part.ind:
                if value := self._indicator(part, text):
                    puts.append(Put(part, value))
            elif not part.codes.isdisjoint(present):
                for value in self._taken(part, text, values):
                    puts.append(Put(part, value))
                    told = True
        return puts if told else []

    def _indicator(self, part: Part, text: str) -> str:
        names = self.table.maps[part.map]
        value = names.get(text[part.ind - 1 : part.ind], "")
        return part.prefix + value if value else ""

    def _taken(self, part: Part, text: str, values: Sequence[Value]) -> list[str]:
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

    def _said(self, part: Part, each: Value, text: str, *, first: bool) -> list[str]:
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
            whole = [_formed(found, part.form) if part.form else value] if found else []
        if part.chunk:
            whole = [each[at : at + part.chunk] for each in whole for at in range(0, len(each), part.chunk)]
        if part.map:
            names = self.table.maps[part.map]
            whole = [name for value in whole if (name := names.get(value, names.get("*", "")))]
        each.refused = each.refused or not whole
        if part.iri:
            whole = [iri(value) for value in whole]
        return whole


class Crossed:
    """A record's elements and what became of its fields."""

    def __init__(self, record: Record, crosswalk: Crosswalk) -> None:
        self._record = record
        self._crosswalk = crosswalk
        self._table = crosswalk.table
        self._cuts = [crosswalk.field(tag, text, record.leader) for tag, text in record.fields]
        self._leader = crosswalk.leader(record.leader)
        self._shared: dict[tuple[str, str], tuple[Element, list[Piece]]] = {}
        self.rooms: dict[str, list[Element]] = {}
        self._mates: dict[tuple[int, str], tuple[Element, str, str]] = {}
        mates = scripts.mates(record) if self._table.groups or self._table.twins else {}
        spent: set[int] = set()
        rows = self._table.rows
        for piece, place in self._pieces(mates):
            row = rows[piece.number]
            if row.once:
                if piece.number in spent:
                    continue
                spent.add(piece.number)
            room = self.rooms.get(row.room)
            if room is None:
                room = self.rooms[row.room] = []
            if piece.element is None:
                self._share(row, piece, room)
            else:
                room.append(self._linked(piece, place, mates, room) if mates else piece.element)
        for top, pieces in self._shared.values():
            self._fill(top, pieces)

    def _pieces(self, mates: Mapping[str, str]) -> Iterable[tuple[Piece, int]]:
        """All pieces in the order of rows, and where their fields are, if that matters."""
        if mates:
            found = [(piece, -1) for piece in self._leader.pieces]
            for place, cut in enumerate(self._cuts):
                found += [(piece, place) for piece in cut.pieces]
            return sorted(found, key=lambda one: one[0].number)
        pieces = [*self._leader.pieces]
        for cut in self._cuts:
            pieces += cut.pieces
        pieces.sort(key=_NUMBER)
        return zip(pieces, repeat(-1))

    def elements(self, room: str = "") -> list[Element]:
        """The elements of a room, in the order of the rows; those that say the same as another are left out."""
        return list({elements.written(element): element for element in self.rooms.get(room, ())}.values())

    def fates(self) -> Fates:
        """(which of its tag from 1, its lines) of every source field, the leader first."""
        return every(self.brief())

    def brief(self) -> list[Brief]:
        """The same, with the values beside the lines."""
        seen: dict[str, int] = {}
        losses = self._crosswalk.teller.losses
        told: list[Brief] = [(1, *losses(self._leader))]
        for cut in self._cuts:
            tag = cut.tag
            seen[tag] = nth = seen.get(tag, 0) + 1
            told.append((nth, *(cut.losses or losses(cut))))
        return told

    def _share(self, row: Row, piece: Piece, room: list[Element]) -> None:
        first = row.element[0]
        known = self._shared.get((row.room, first.name))
        if known is None:
            known = self._shared[row.room, first.name] = Element(first.name, dict(first.attributes)), []
            room.append(known[0])
        known[1].append(piece)

    def _fill(self, top: Element, pieces: Sequence[Piece]) -> None:
        """Put pieces into the element that they share."""
        inside = [piece.inside for piece in pieces if piece.inside is not None]
        if len(inside) == len(pieces):
            top.xml = elements.told(top.name, top.attributes, "".join(inside))
            return
        for piece in pieces:
            steps = self._table.rows[piece.number].element[1:]
            cuts.fill(top.child(steps) if steps else top, piece.puts)

    def _linked(self, piece: Piece, place: int, mates: Mapping[str, str], room: list[Element]) -> Element:
        """The piece's element as one of a pair, if its field is: marked, or with the texts of both."""
        assert piece.element is not None
        tag, text = self._record.fields[place] if place >= 0 else ("", "")
        group = ""
        if _SIX in text:
            group = mates.get(scripts.link(marc.value(text, "6")[:3] if tag == "880" else tag, text), "")
        if not group:
            return piece.element
        element = cuts.tree(self._table.rows[piece.number], piece.puts)
        if element.name in self._table.groups:
            return scripts.grouped(element, group)
        if not self._table.twins:
            return piece.element
        mate = self._mates.pop((piece.number, group), None)
        if mate is None:
            self._mates[piece.number, group] = (element, tag, text)
            return element
        other, other_tag, other_text = mate
        room[:] = [each for each in room if each is not other]
        if other_tag == "880":
            return scripts.beside(element, other, scripts.code(other_text))
        return scripts.beside(other, element, scripts.code(text))


def _formed(found: re.Match[str], form: Sequence[str | int]) -> str:
    """What was found in another form."""
    return "".join([each if isinstance(each, str) else found[each] or "" for each in form])


def _fits(when: Mapping[str, str], text: str, values: Sequence[Value], leader: str) -> bool:
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
