"""From a row and its header to a line of MARC-in-JSON (pure).

The line has the record, the template's name and, under `row`, names and cells as received. A row that can't be a record
becomes a line with `fault` instead: it is read as a failure and goes into quarantine with its cells.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from protocols import marc, marcjson
from protocols.marc import Record
from protocols.tables.cells import Row
from protocols.tables.header import Header, letters
from protocols.tables.readings import READINGS, is_secondary, plain
from protocols.tables.template import APART, Field, Part, Template

LONGEST_ID = 120  # characters of a record's name

_Values = Mapping[str, tuple[str, ...]]
_LOST = re.compile("[\ud800-\udfff]")


def line(row: Row, header: Header) -> bytes:
    """One line of JSON, with its line end."""
    reason = row.fault or _fault(row, header)
    received = list(zip(_named(header, len(row.cells)), row.cells, strict=True))
    if reason:
        place = f"sheet {row.sheet}, {reason}" if row.sheet else reason
        sound = not row.fault and len(row.cells) <= len(header.names)  # else the name may stand in another column
        name = _name(header.template, _values(row.cells, header)) if sound else ""
        return _json({"fault": place, "name": name, "row": received})
    beside = _json({"template": header.template.name, "row": received})
    return marcjson.write(record(row.cells, header))[:-1].encode() + b"," + beside[1:]


def record(cells: Sequence[str], header: Header) -> Record:
    """The record that a row says."""
    template = header.template
    values = _values(cells, header)
    fields = [("001", name)] if (name := _name(template, values)) else []
    for each in header.fields:
        fields += [(each.tag, text) for text in _texts(each, values, template)]
    for place, name in header.rest:
        if place < len(cells) and (text := plain(cells[place])):
            fields.append((template.rest, marc.field("  ", [("a", name), ("b", text)])))
    leader = "".join(_value(template.leader, values, template)[0])[:24].ljust(24)
    return Record(leader=leader, fields=tuple((tag, _LOST.sub("\ufffd", text)) for tag, text in fields))


def _values(cells: Sequence[str], header: Header) -> _Values:
    """What the known columns hold, by key."""
    columns = header.template.columns
    return {
        key: _pieces(cells[place], columns[key].split) for key, place in header.places.items() if place < len(cells)
    }


def _fault(row: Row, header: Header) -> str:
    """Why the row can't be a record, with row and column; "" if it can."""
    beyond = [cell for cell in row.cells[len(header.names) :] if cell.strip()]
    if beyond:
        wide = len(header.names)
        return (
            f"row {row.number} has {len(row.cells)} cells and the header {wide}: {plain(beyond[0])[:60]!r} is too much"
        )
    for key, column in header.template.columns.items():
        place = header.places.get(key)
        if column.need and place is not None and (place >= len(row.cells) or not plain(row.cells[place])):
            return (
                f"row {row.number}, column {header.names[place] or key}: nothing is in it, and no record is without it"
            )
    return ""


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


def _name(template: Template, values: _Values) -> str:
    """What names the record: the first of the template's ids that has one value in each of its columns."""
    for group in template.id:
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


def _texts(told: Field, values: _Values, template: Template) -> Iterator[str]:
    """The texts of a field: none, one, or one for each value of a column."""
    chosen = _chosen(told, values)
    for piece in chosen:
        own = {**values, told.each: (piece,)} if told.each and piece else values
        if text := _field(told, own, template):
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


def _field(told: Field, values: _Values, template: Template) -> str:
    """The field's text; "" if its columns had nothing."""
    pairs: list[tuple[str, str]] = []
    asked = found = False
    for code, parts in told.subfields:
        texts, has = _value(parts, values, template)
        asked = asked or any(part.columns for part in parts)
        found = found or has
        pairs += [(code, text) for text in texts if text]
    if (asked and not found) or not pairs:
        return ""
    return pairs[0][1] if not told.subfields[0][0] else marc.field(told.indicators, pairs)


def _value(parts: Sequence[Part], values: _Values, template: Template) -> tuple[list[str], bool]:
    """(texts of a subfield, whether a column had something). Several texts come of one part with several values."""
    told: list[list[str]] = []
    has = False
    for part in parts:
        texts = _constant(part, values) if part.text else _read(part, values, template)
        has = has or bool(part.columns and texts)
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
        return msgspec.json.encode(told) + b"\n"
    except UnicodeEncodeError:  # bytes without meaning are kept as what they are
        return json.dumps(told, separators=(",", ":")).encode() + b"\n"
