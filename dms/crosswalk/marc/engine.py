"""Fields by the rows of a crosswalk: target fields, twins in another script, and a line for every subfield (pure).

Most fields are met again and again (publishers, headings, codes): what became of a text is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from dms.crosswalk.marc import functions, linking, parted
from dms.crosswalk.marc.table import Indicator, Row, Rule, Table
from dms.crosswalk.model import Fate, Loss
from protocols import embedded, marc
from protocols.marc import DELIMITER

REMEMBERED = 100_000  # texts; about 100 MB at worst
NO_WORDS = ("", "")
EMPTY = "empty"
NO_ROW = "no field of the target says this"
NO_RULE = "no subfield of the target says this"


class Made(NamedTuple):
    """A target field, and the field in another script that belongs to it."""

    tag: str
    text: str
    twin: str = ""


class Around(NamedTuple):
    """What of its record matters to a field."""

    headed: bool = False  # the record has its main entry
    first: bool = True  # it is the first of its tag
    tags: frozenset[str] = frozenset()  # of the fields of the record that some row asks for
    coded: tuple[tuple[str, str], ...] = ()  # (code, where it went) of its subfields that are coded data


ALONE = Around()


class Outcome(NamedTuple):
    """What became of a field."""

    made: tuple[Made, ...]
    losses: tuple[Loss, ...]
    head: bool = False  # it is the record's main entry


class Piece(NamedTuple):
    """A subfield: its code, `200a` where it is one of an embedded field; how a report calls it; its value."""

    key: str
    code: str
    value: str
    romanised: bool = False


@dataclass(slots=True)
class _Fates:
    """What became of each piece; the last word is had by the best."""

    pieces: Sequence[Piece]
    to: list[list[str]]
    why: list[str]

    def told(self, tag: str, foreign: str) -> tuple[Loss, ...]:
        """A line for each; what nobody took is in the field for what is foreign."""
        lines = []
        for piece, to, why in zip(self.pieces, self.to, self.why, strict=True):
            if not piece.value.strip():
                lines.append(Loss(tag, piece.code, Fate.LOST, why=EMPTY))
            elif to:
                lines.append(Loss(tag, piece.code, Fate.MAPPED, ", ".join(dict.fromkeys(to))))
            elif why:
                lines.append(Loss(tag, piece.code, Fate.LOST, why=why, value=piece.value))
            else:
                lines.append(Loss(tag, piece.code, Fate.LOCAL, foreign, NO_RULE))
        return tuple(lines)


class Engine:
    """Applies a table to fields and remembers what became of them."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._known: dict[tuple[str, str, Around], Outcome] = {}
        self._foreign: str = table.settings["foreign"]
        self._format: str = table.settings["format"]
        self._local: tuple[str, ...] = tuple(table.settings.get("local", ()))
        self._twins: str = table.settings.get("twins", "")
        self._unmarks: bool = table.settings.get("unmarks", False)
        self._romanised: str = table.settings.get("romanised", "")
        self._capitals: bool = table.settings.get("capitals", False)
        self._embeds: Mapping[str, str] = table.settings.get("embeds", {})
        self._partings = parted.partings(
            table.settings.get("parting", []),
            {tag: frozenset(key for row in rows for key in row.take) for tag, rows in table.rows.items()},
        )

    def field(self, tag: str, text: str, around: Around = ALONE) -> Outcome:
        """What becomes of a field of a record with these things around it."""
        key = (tag, text, around)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[key] = self._field(tag, text, around)
        return known

    def _field(self, tag: str, text: str, around: Around) -> Outcome:
        pieces = self._pieces(tag, text)
        coded = dict(around.coded)
        fates = _Fates(pieces, [[coded[p.key]] if p.key in coded else [] for p in pieces], [""] * len(pieces))
        rows = self._rows(tag, text, around)
        if not rows and not coded:
            return self._kept(tag, text, pieces)
        made: list[Made] = []
        head = False
        for row in rows:
            if row.lost:
                fates.why = [why or row.lost for why in fates.why]
                continue
            heading = bool(row.head) and not around.headed and not head
            head = head or heading
            for group in _groups(row.per, pieces):
                if field := self._make(row, heading, text[:2], pieces, group, fates):
                    made.append(field)
        left = [i for i, piece in enumerate(pieces) if piece.value.strip() and not fates.to[i] and not fates.why[i]]
        if left:
            made.append(self._stranger(tag, text[:2], [(pieces[i].key, pieces[i].value) for i in left]))
        return Outcome(tuple(made), fates.told(tag, self._foreign), head)

    def _rows(self, tag: str, text: str, around: Around) -> list[Row]:
        """The rows that take the field: the first that fits, and those that take it beside."""
        found: list[Row] = []
        for row in self._table.rows.get(tag, ()):
            if (row.also or not found) and _fits(row, text, around):
                found.append(row)
        return found

    def _kept(self, tag: str, text: str, pieces: Sequence[Piece]) -> Outcome:
        """A field that no row takes: under its own tag where that is nobody's, else in the field for foreign ones."""
        local = not tag.isdigit() or tag.startswith(self._local)
        made = Made(tag, text) if local else self._stranger(tag, text[:2], marc.subfields(text))
        to = tag if local else self._foreign
        why = "local field" if local else NO_ROW
        lines = [Loss(tag, piece.code, Fate.LOCAL, to, why) for piece in pieces]
        return Outcome((made,), tuple(lines))

    def _stranger(self, tag: str, indicators: str, pairs: Sequence[tuple[str, str]]) -> Made:
        """A field, or what nobody took of one, in the field for foreign ones (MARC 21, 886)."""
        inner = [(key[0], value) if len(key) < 3 else ("1", _opened(key, value)) for key, value in pairs]
        return Made(self._foreign, marc.field("2 ", [("2", self._format), ("a", tag), ("b", indicators), *inner]))

    def _pieces(self, tag: str, text: str) -> list[Piece]:
        if tag[0] == "4" and f"{DELIMITER}1" in text:
            return list(_embedded(text))
        if how := self._partings.get(tag):
            return [Piece(*part) for part in parted.parts(text, how)]
        pieces: list[Piece] = []
        for code, value in marc.walk(marc.Record("", ((tag, text),))).__next__()[2]:
            romanised = bool(self._romanised) and self._is_romanised(code, value, pieces)
            pieces.append(Piece(code, code, value, romanised))
        return pieces

    def _is_romanised(self, code: str, value: str, before: Sequence[Piece]) -> bool:
        if code not in self._romanised or not before or not any(map(str.isalpha, value)):
            return False
        return not _cjk(value) and any(_cjk(piece.value) for piece in before)

    def _make(
        self,
        row: Row,
        heading: bool,
        indicators: str,
        pieces: Sequence[Piece],
        group: Sequence[int],
        fates: _Fates,
    ) -> Made | None:
        tag = row.head if heading else row.to
        main = [i for i in group if not pieces[i].romanised]
        if row.order:  # before the marks are set
            main.sort(key=lambda i: row.order.find(_target(row, pieces[i].key)))
        if row.more and sum(pieces[i].key in row.take for i in main) < 2:
            return None
        pairs = self._pairs(row, tag, [(i, pieces[i].key, pieces[i].value) for i in main], fates)
        if not pairs:
            return None
        spec = row.ind_head if heading else row.ind
        raw = [(pieces[i].key, pieces[i].value) for i in main]
        ind = "".join(_indicator(each, indicators, raw) for each in spec)
        text = marc.field(ind, linking.embedded(_with(row, pairs, indicators), self._embeds))
        twin = self._twin(row, pieces, group, ind, fates)
        return Made(tag, text, twin)

    def _twin(self, row: Row, pieces: Sequence[Piece], group: Sequence[int], ind: str, fates: _Fates) -> str:
        """The romanised subfields as a field by the same row, without its fixed text."""
        spoken: list[tuple[int, str, str]] = []
        before = ""
        for i in group:
            piece = pieces[i]
            if piece.romanised and self._twins:
                key = piece.key.lower() if piece.key.isalpha() else before
                if key in row.take:
                    spoken.append((i, key, piece.value))
            elif not piece.romanised:
                before = piece.key
        if not spoken:
            return ""
        pairs = self._pairs(row, self._twins, spoken, fates)
        return marc.field(ind, pairs) if pairs else ""

    def _pairs(self, row: Row, tag: str, given: Sequence[tuple[int, str, str]], fates: _Fates) -> list[tuple[str, str]]:
        """The target's subfields, with the marks between them."""
        pairs: list[tuple[str, str]] = []
        seen: set[str] = set()
        for i, key, value in given:
            if not value.strip():
                continue
            rules = row.take.get(key, ())
            if not rules and self._capitals and key[:1].isupper():
                rules = _capitals(row.take.get(key.lower(), ()))
            rule = _rule(rules, key, value, pairs, seen)
            seen.add(key)
            if rule is None:
                continue
            if rule.lost:
                fates.why[i] = rule.lost
                continue
            told = value
            if rule.map is not None:
                told = rule.map.get(value.strip()) or rule.map.get("*", value)
            elif self._unmarks:
                told = functions.without_marks(value)
            if rule.by:
                told = rule.by(told)
            if rule.words != NO_WORDS:
                told = f"{rule.words[0]}{told}{rule.words[1]}"
            fates.to[i].append(f"{tag}${_put(row, rule, told, pairs)}")
        return pairs


def _capitals(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """What becomes of a romanised subfield: the capital code of what it spells."""
    return tuple(replace(each, to=each.to.upper()) for each in rules if each.to)


def _target(row: Row, key: str) -> str:
    """The code to which the first rule for a key sends it."""
    rules = row.take.get(key)
    return rules[0].to if rules else ""


def _with(row: Row, pairs: list[tuple[str, str]], indicators: str) -> list[tuple[str, str]]:
    """The subfields with the row's fixed text."""
    if not (row.lead or row.add):
        return pairs
    codes = {code for code, _ in pairs}
    told = [*_words(row.lead, indicators), *pairs]
    return [*told, *(each for each in _words(row.add, indicators) if each[0] not in codes)]


def _put(row: Row, rule: Rule, value: str, pairs: list[tuple[str, str]]) -> str:
    """Add a value; the code where it went."""
    code = rule.to
    if code in row.single:
        for place, (each, text) in enumerate(pairs):
            if each == code:
                pairs[place] = (code, f"{_closed(text, rule.mark)} {value}")
                return code
    if pairs and rule.mark:
        last, text = pairs[-1]
        pairs[-1] = (last, _closed(text, rule.mark))
    pairs.append((code, value))
    return code


def _closed(text: str, mark: str) -> str:
    """The text with a mark at its end, which it may have."""
    if not mark:
        return text
    bare = text.rstrip()
    return bare if bare.endswith(mark.strip()) else bare + mark


def _rule(rules: Sequence[Rule], key: str, value: str, pairs: Sequence[tuple[str, str]], seen: set[str]) -> Rule | None:
    """The first rule that is for this subfield."""
    for rule in rules:
        if rule.first and key in seen:
            continue
        if rule.after and not (pairs and any(code in rule.after for code, _ in pairs)):
            continue
        if rule.map is not None and value.strip() not in rule.map and "*" not in rule.map:
            continue
        if rule.match is not None and not rule.match.search(value):
            continue
        return rule
    return None


def _indicator(spec: Indicator, indicators: str, pairs: list[tuple[str, str]]) -> str:
    if spec.by:
        return spec.by(indicators, pairs)
    if spec.of and spec.map is not None:
        own = indicators[spec.of - 1 : spec.of] or " "
        return spec.map.get(own, spec.map.get("*", own))
    return spec.text


def _words(told: Sequence[tuple[str, Indicator]], indicators: str) -> list[tuple[str, str]]:
    """Subfields of fixed text; an empty one is left out."""
    return [(code, text) for code, spec in told if (text := _indicator(spec, indicators, []))]


def _groups(per: str, pieces: Sequence[Piece]) -> list[list[int]]:
    """Places of the pieces of each target field."""
    every = list(range(len(pieces)))
    if not per:
        return [every]
    groups: list[list[int]] = []
    for i in every:
        if not groups or (pieces[i].key in per and any(pieces[j].key in per for j in groups[-1])):
            groups.append([])
        groups[-1].append(i)
    return groups


def _fits(row: Row, text: str, around: Around) -> bool:
    for name, wanted in row.when.items():
        if name in ("record", "without"):
            if (name == "record") is around.tags.isdisjoint(wanted.split("|")):
                return False
            continue
        if name == "nth":
            if around.first is not (wanted == "1"):
                return False
            continue
        if name in ("ind1", "ind2"):
            if (text[int(name[3]) - 1 : int(name[3])] or " ") not in wanted:
                return False
            continue
        found = marc.values(text, name)
        if wanted in ("", "*"):
            if bool(found) != (wanted == "*"):
                return False
        elif not any(value.strip().lower() in wanted.split("|") for value in found):
            return False
    return True


def _embedded(text: str) -> list[Piece]:
    pieces: list[Piece] = []
    for inner in embedded.fields(text):
        if inner.tag == embedded.OUTSIDE:
            pieces += [Piece(code, code, value) for code, value in marc.subfields(inner.text)]
        elif marc.is_control(inner.tag):
            pieces.append(Piece(inner.tag, f"1{inner.tag}", inner.text))
        else:
            pieces += [
                Piece(f"{inner.tag}{code}", f"1{inner.tag}${code}", value) for code, value in marc.subfields(inner.text)
            ]
    return pieces


def _cjk(value: str) -> bool:
    return any("\u2e80" <= character <= "\u9fff" or character >= "\U00020000" for character in value)


def _opened(key: str, value: str) -> str:
    """The `$1` of a subfield of an embedded field."""
    return f"{key}{value}" if marc.is_control(key) else f"{key[:3]}  {DELIMITER}{key[3]}{value}"
