"""From the rows of a title and their headers to a line of MARC-in-JSON (pure).

The line has the record, the template's name and, under `row`, names and cells as received; of several rows that are
copies of one title it is `rows`. Rows that can't be a record become a line with `fault` each instead: it is read as a
failure and goes into quarantine with its cells. At the end stands where the rows were (`protocols.landed`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from protocols import landed, marc, marcjson
from protocols.marc import Record
from protocols.tables.cells import Row
from protocols.tables.header import Header, letters
from protocols.tables.readings import READINGS, is_secondary, plain
from protocols.tables.template import APART, Field, Part, Template, within
from protocols.tables.titles import Placed, Title

LONGEST_ID = 120  # characters of a record's name

_Values = Mapping[str, tuple[str, ...]]
_LOST = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the load knows and no row says."""

    library: str = ""  # whose records these are
    entered: str = ""  # the day, YYYYMMDD


NOTHING_GIVEN = Given()


def lines(title: Title, given: Given = NOTHING_GIVEN) -> Iterator[bytes]:
    """Lines of JSON with their line ends: one of the title, or one of each row if no record can be made of it."""
    reason = _fault(title)
    if reason:
        yield from (_faulty(one, reason) for one in title.rows)
        return
    received = [_received(one) for one in title.rows]
    beside: dict[str, object] = {"template": title.rows[0][1].template.name}
    beside |= {"row": received[0]} if len(received) == 1 else {"rows": received}
    yield (
        marcjson.write(record(title, given))[:-1].encode()
        + b","
        + _json(beside)[1:-1]
        + landed.tail([(row.sheet, row.number) for row, _ in title.rows], given.entered)
        + b"\n"
    )


def _faulty(one: Placed, reason: str) -> bytes:
    row, header = one
    sound = not row.fault and len(row.cells) <= len(header.names)  # else the name may stand in another column
    name = _name(header.template, _values(row.cells, header), unnamed=False) if sound else ""
    place = f"row {row.number}" if reason.startswith(",") else ""
    told = {
        "fault": (f"sheet {row.sheet}, " if row.sheet else "") + place + reason,
        "name": name,
        "row": _received(one),
    }
    return _json(told)[:-1] + landed.tail([(row.sheet, row.number)], "") + b"\n"


def _received(one: Placed) -> list[tuple[str, str]]:
    """Names of the columns and cells as they came."""
    row, header = one
    return list(zip(_named(header, len(row.cells)), row.cells, strict=True))


def record(title: Title, given: Given = NOTHING_GIVEN) -> Record:
    """The record that the rows of a title say: what the first of them says that says something, and all copies."""
    rows = [(_values(row.cells, header), row, header) for row, header in title.rows]
    header = title.rows[0][1]
    template = header.template
    merged = rows[0][0] if len(rows) == 1 else _merged([values for values, _, _ in rows])
    name = next(filter(None, (_name(template, values, title.unnamed) for values, _, _ in rows)), "")
    fields = [("001", name)] if name else []
    told = header.fields if len(rows) == 1 else within(template, merged)
    for each in told:
        sources = [values for values, _, _ in rows] if len(rows) > 1 and _is_repeated(each, template) else [merged]
        texts = dict.fromkeys(text for values in sources for text in _texts(each, values, template, given))
        if each.aside:
            texts.pop(marc.field(each.indicators, [("a", name)]), None)
        fields += [(each.tag, text) for text in texts]
    fields += dict.fromkeys(
        (template.rest, marc.field("  ", [("a", column), ("b", text)]))
        for _, row, at in rows
        for column, text in (*_unknown(row, at), *_differing(row, at, merged, len(rows)))
    )
    leader = "".join(_value(template.leader, merged, template, given)[0])[:24].ljust(24)
    return Record(leader=leader, fields=tuple((tag, _LOST.sub("\ufffd", text)) for tag, text in fields))


def _merged(rows: Sequence[_Values]) -> _Values:
    """What the first row that has something in a column says in it."""
    found: dict[str, tuple[str, ...]] = {}
    for values in rows:
        for key, pieces in values.items():
            found[key] = found.get(key) or pieces
    return found


def _is_repeated(told: Field, template: Template) -> bool:
    """Whether every row of a title may add such a field: of its copies, and of what there may be several of."""
    return bool(told.each) or not set(template.copy).isdisjoint(_asked(told))


def _unknown(row: Row, header: Header) -> Iterator[tuple[str, str]]:
    """(column, text) of what the template doesn't know."""
    for place, name in header.rest:
        if place < len(row.cells) and (text := plain(row.cells[place])):
            yield name, text


def _differing(row: Row, header: Header, merged: _Values, rows: int) -> Iterator[tuple[str, str]]:
    """(column, text) of what one of several rows says otherwise about the title, and no field can hold."""
    template = header.template
    if rows == 1:
        return
    held = {key for each in template.fields if _is_repeated(each, template) for key in (each.each, *_asked(each))}
    for key, place in header.places.items():
        if key not in held and key not in template.copy and place < len(row.cells):
            text = plain(row.cells[place])
            if text and _pieces(text, template.columns[key].split) != merged[key]:
                yield header.names[place] or f"@{letters(place)}", text


def _asked(told: Field) -> Iterator[str]:
    return (key for _, parts in told.subfields for part in parts for key in part.columns)


def _values(cells: Sequence[str], header: Header) -> _Values:
    """What the known columns hold, by key."""
    columns = header.template.columns
    return {
        key: _pieces(cells[place], columns[key].split) for key, place in header.places.items() if place < len(cells)
    }


def _fault(title: Title) -> str:
    """Why the rows can't be a record, with row and column; behind a comma that of each row. "" if they can."""
    row, header = title.rows[0]
    if row.fault:
        return row.fault
    beyond = [cell for cell in row.cells[len(header.names) :] if cell.strip()]
    if beyond:
        wide = len(header.names)
        return (
            f"row {row.number} has {len(row.cells)} cells and the header {wide}: {plain(beyond[0])[:60]!r} is too much"
        )
    for key, column in header.template.columns.items():
        place = header.places.get(key)
        if column.need and place is not None and not any(map(plain, _cells(title.rows, key))):
            return f", column {header.names[place] or key}: nothing is in it, and no record is without it"
    return ""


def _cells(rows: Sequence[Placed], key: str) -> Iterator[str]:
    for row, header in rows:
        if 0 <= (place := header.places.get(key, -1)) < len(row.cells):
            yield row.cells[place]


def _named(header: Header, width: int) -> list[str]:
    """A name for each of `width` cells."""
    names = [*header.names[:width], *[""] * (width - len(header.names))]
    return [name or f"@{letters(place)}" for place, name in enumerate(names)]


def _pieces(cell: str, signs: str) -> tuple[str, ...]:
    if signs and (first := next((sign for sign in signs if sign in cell), "")):
        for sign in signs:
            cell = cell.replace(sign, first)
        return tuple(filter(None, map(plain, cell.split(first))))
    text = plain(cell)
    return (text,) if text else ()


def _name(template: Template, values: _Values, unnamed: bool) -> str:
    """What names the record: the first of the template's ids that has one value in each of its columns; of those that
    stand apart from a title's own number, if that is `unnamed`.
    """
    numbers = {group[:1] for group in template.same} if unnamed else ()
    for group in template.id:
        if group in numbers:
            continue
        needed = group[-1].removeprefix(APART) if group[-1].startswith(APART) else ""
        if needed and needed not in values:
            continue
        found = [values.get(key, ()) for key in group]
        if found[0] and all(len(each) <= 1 for each in found):
            whole = APART.join(each[0] if each else "" for each in found).rstrip(APART)
            return _short(whole + APART if needed else whole)
    return ""


def _short(name: str) -> str:
    """Names that are too long are told apart by a digest."""
    if len(name) <= LONGEST_ID:
        return name
    return f"{name[: LONGEST_ID - 17]}#{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _texts(told: Field, values: _Values, template: Template, given: Given) -> Iterator[str]:
    """The texts of a field: none, one, or one for each value of a column."""
    chosen = _chosen(told, values)
    for piece in chosen:
        own = {**values, told.each: (piece,)} if told.each and piece else values
        if text := _field(told, own, template, given):
            yield text


def _chosen(told: Field, values: _Values) -> Sequence[str]:
    """The values that a field is written for; a single "" where it does not depend on one."""
    if not told.each:
        return ("",)
    pieces = values.get(told.each, ())
    match told.only:
        case "first":
            return pieces[:1]
        case "others":
            return pieces[1:]
        case "primary":
            return [each for each in pieces if not is_secondary(each)]
        case "secondary":
            return [each for each in pieces if is_secondary(each)]
        case _:
            return pieces or ("",)


def _field(told: Field, values: _Values, template: Template, given: Given) -> str:
    """The field's text; "" if its columns had nothing."""
    pairs: list[tuple[str, str]] = []
    asked = found = False
    for code, parts in told.subfields:
        texts, has = _value(parts, values, template, given)
        asked = asked or any(part.columns or part.given for part in parts)
        found = found or has
        pairs += [(code, text) for text in texts if text]
    if (asked and not found and not told.always) or not pairs:
        return ""
    return pairs[0][1] if not told.subfields[0][0] else marc.field(told.indicators, pairs)


def _value(parts: Sequence[Part], values: _Values, template: Template, given: Given) -> tuple[list[str], bool]:
    """(texts of a subfield, whether a column had something). Several texts come of one part with several values."""
    told: list[list[str]] = []
    has = False
    for part in parts:
        texts = [given.library] if part.given and given.library else []
        if not part.given:
            texts = _constant(part, values) if part.text else _read(part, values, template)
        has = has or bool((part.columns or part.given) and texts)
        told.append(texts or [part.default])
    if len(parts) == 1:
        return told[0], has
    if not has and not all(texts[0] for texts in told):
        return [], False
    whole = "".join(texts[0] for texts in told)
    return [whole if any(part.default for part in parts) else whole.strip(" ;")], has


def _constant(part: Part, values: _Values) -> list[str]:
    return [part.text] if not part.when or any(values.get(key) for key in part.when) else []


def _read(part: Part, values: _Values, template: Template) -> list[str]:
    if APART in part.read:
        each = zip(part.columns, part.read.split(APART), strict=False)
        tried = ([text for text in map(READINGS[name], values.get(key, ())) if text] for key, name in each)
        texts = next(filter(None, tried), [])
    else:
        pieces = next((found for key in part.columns if (found := values.get(key, ()))), ())
        texts = list(pieces) if part.read == "plain" else [text for text in map(READINGS[part.read], pieces) if text]
    if part.map:
        table = template.maps[part.map]
        texts = [table.get(text, table.get(text.casefold(), text)) for text in texts]
    if part.before or part.after:
        texts = [part.before + text + part.after for text in texts]
    return [part.join.join(texts)] if part.join and texts else texts


def _json(told: Mapping[str, object]) -> bytes:
    try:
        return msgspec.json.encode(told)
    except UnicodeEncodeError:  # bytes without meaning are kept as what they are
        return json.dumps(told, separators=(",", ":")).encode()
