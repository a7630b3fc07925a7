"""What a batch change does to a record: operations, written one a line (pure).

606$a 图书馆学 -> 图书馆事业        a subfield that is the one becomes the other
606$a /\\s+$/ ->                    what a regular expression finds in a subfield; \\1 stands for a group
add 690 ##$aG250                    a field, unless it is there; # is a blank indicator
delete 690                          fields; delete 690$a, delete 690$a G250 (a subfield, one with this value)
indicator 606 1 # -> 0              the first indicator, where it is this
copy 200$f -> 701$a                 a subfield to a field of another tag (made if there is none), or within one
move 606$x -> 606$y
fix isbn-hyphens                    the fix of a quality rule
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from catalog import patches
from catalog.model import Format
from config.errors import Misconfigured
from dms import batch_edits, batch_pattern
from dms.batch_edits import Edit
from dms.rules import catalogue, mend
from dms.rules.model import LEADER
from protocols import marc
from protocols.marc import Record

MOST = 100  # operations of a change
NUMBERS = {"001": "the record's number", "003": "whose number that is", "005": "when its library changed it last"}


class Operation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a change."""

    do: Literal["replace", "add", "delete", "indicator", "copy", "move", "fix"]
    tag: str = ""
    code: str = ""  # of a subfield; "1" or "2" of an indicator
    find: str = ""
    put: str = ""
    regex: bool = False
    to_tag: str = ""
    to_code: str = ""
    rule: str = ""


class BadChange(Misconfigured):
    """A change that can't be read."""

    code = "bad-change"


class Changed(msgspec.Struct, frozen=True):
    """What a change makes of a record: edits, or why it is refused; neither = there is nothing to change."""

    edits: tuple[Edit, ...] = ()
    refused: str = ""


_TAG = r"([0-9A-Za-z]{3})"
_SUB = _TAG + r"\$([0-9a-zA-Z])"
_REPLACE = re.compile(_SUB + r" (.+?) ?->(?: (.*))?")
_ADD = re.compile("add " + _TAG + r" (.+)")
_DELETE = re.compile("delete " + _TAG + r"(?:\$([0-9a-zA-Z])(?: (.+))?)?")
_INDICATOR = re.compile("indicator " + _TAG + r" ([12]) (?:(.) )?-> (.)")
_COPY = re.compile("(copy|move) " + _SUB + " -> " + _SUB)
_FIX = re.compile(r"fix ([a-z0-9-]+)")


def read(lines: Iterable[str]) -> tuple[Operation, ...]:
    """Operations as people write them; empty lines and those that begin with # say nothing. BadChange if one can't be
    read.
    """
    told = [line.strip("\r\n").lstrip() for line in lines]
    found = tuple(_operation(line) for line in told if line and not line.startswith("#"))
    if not 0 < len(found) <= MOST:
        raise BadChange(f"a change has 1 to {MOST} operations, not {len(found)}")
    return found


def pack(change: Sequence[Operation]) -> str:
    """As JSON."""
    return msgspec.json.encode(list(change)).decode()


def of_plain(told: Any) -> tuple[Operation, ...]:
    """What `pack` wrote, as plain values."""
    return tuple(msgspec.convert(told, type=list[Operation]))


def written(one: Operation) -> str:
    """An operation as `read` takes it."""
    find = f"/{one.find}/" if one.regex else one.find
    match one.do:
        case "replace":
            return f"{one.tag}${one.code} {find} -> {one.put}"
        case "add":
            text = one.put
            if not marc.is_control(one.tag):
                text = text[:2].replace(" ", "#") + text[2:].replace(marc.DELIMITER, "$")
            return f"add {one.tag} {text}"
        case "delete":
            return f"delete {one.tag}" + (f"${one.code}" if one.code else "") + (f" {find}" if one.find else "")
        case "indicator":
            old = one.find.replace(" ", "#") + " " if one.find else ""
            return f"indicator {one.tag} {one.code} {old}-> {one.put.replace(' ', '#')}"
        case "copy" | "move":
            return f"{one.do} {one.tag}${one.code} -> {one.to_tag}${one.to_code}"
        case "fix":
            return f"fix {one.rule}"


def apply(record: Record, fmt: Format, change: Sequence[Operation], protected: Mapping[str, str]) -> Changed:
    """What the change makes of a record. `protected`: why tags are not to be changed, beside the numbers."""
    new = record
    try:
        for one in change:
            new = _DO[one.do](new, fmt, one)
    except batch_pattern.TooLong as error:
        return Changed(refused=str(error))
    if new == record:
        return Changed()
    edits = batch_edits.between(record, new)
    for edit in edits:
        if why := NUMBERS.get(edit.tag) or protected.get(edit.tag):
            return Changed(refused=f"field {edit.tag} is protected: {why}")
        try:
            if edit.after and edit.tag != LEADER:
                patches.check(edit.tag, edit.before, edit.after)
        except patches.Unsound as error:
            return Changed(refused=f"field {edit.tag}: {error}")
    if not new.fields:
        return Changed(refused="nothing would be left of the record")
    return Changed(edits)


def _operation(line: str) -> Operation:
    if found := _COPY.fullmatch(line):
        do, tag, code, to_tag, to_code = found.groups()
        return Operation(do="copy" if do == "copy" else "move", tag=tag, code=code, to_tag=to_tag, to_code=to_code)
    if found := _ADD.fullmatch(line):
        text = _text(found[1], found[2])
        patches.check(found[1], "", text)
        return Operation(do="add", tag=found[1], put=text)
    if found := _DELETE.fullmatch(line):
        find, regex = _pattern(found[3] or "")
        return Operation(do="delete", tag=found[1], code=found[2] or "", find=find, regex=regex)
    if found := _INDICATOR.fullmatch(line):
        tag, which, old, new = found.groups()
        return Operation(do="indicator", tag=tag, code=which, find=_blank(old or ""), put=_blank(new))
    if found := _FIX.fullmatch(line):
        if found[1] not in mend.fixes():
            known = found[1] in catalogue.rules()
            raise BadChange(f"the rule {found[1]} has no fix" if known else f"no rule is named {found[1]}")
        return Operation(do="fix", rule=found[1])
    if found := _REPLACE.fullmatch(line):
        find, regex = _pattern(found[3])
        put = found[4] or ""
        if regex:
            batch_pattern.compiled(find).check(put)
        return Operation(do="replace", tag=found[1], code=found[2], find=find, put=put, regex=regex)
    raise BadChange(f"{line!r} is no operation: write for example 606$a old -> new")


def _pattern(written: str) -> tuple[str, bool]:
    if len(written) > 2 and written[0] == "/" == written[-1]:
        batch_pattern.compiled(written[1:-1])
        return written[1:-1], True
    return written, False


def _text(tag: str, written: str) -> str:
    if marc.is_control(tag):
        return written
    if written[2:3] != "$":
        raise BadChange(f"a field {tag} has two indicators and subfields: {tag} ##$aText")
    return _blank(written[0]) + _blank(written[1]) + re.sub(r"\$(?=[0-9a-zA-Z])", marc.DELIMITER, written[2:])


def _blank(indicator: str) -> str:
    return " " if indicator in ("#", "_") else indicator


def _with(record: Record, fields: Iterable[tuple[str, str]]) -> Record:
    return Record(record.leader, tuple(fields))


def _replaced(value: str, one: Operation) -> str:
    if not one.regex:
        return one.put if value == one.find else value
    return batch_pattern.compiled(one.find).put(value, one.put)


def _finds(value: str, one: Operation) -> bool:
    if one.regex:
        return batch_pattern.compiled(one.find).finds(value)
    return not one.find or value == one.find


def _replace(record: Record, fmt: Format, one: Operation) -> Record:
    fields = []
    for tag, text in record.fields:
        if tag == one.tag and marc.DELIMITER + one.code in text:
            pairs = [(c, _replaced(v, one) if c == one.code else v) for c, v in marc.subfields(text)]
            if pairs != marc.subfields(text):
                text = marc.field(text[:2], [(c, v) for c, v in pairs if v])
                if len(text) < 3:  # nothing is left of it
                    continue
        fields.append((tag, text))
    return _with(record, fields)


def _add(record: Record, fmt: Format, one: Operation) -> Record:
    if (one.tag, one.put) in record.fields:
        return record
    return _with(record, batch_edits.put(record.fields, one.tag, one.put))


def _delete(record: Record, fmt: Format, one: Operation) -> Record:
    if not one.code:
        return _with(record, [pair for pair in record.fields if pair[0] != one.tag])
    fields = []
    for tag, text in record.fields:
        if tag == one.tag and not marc.is_control(tag):
            pairs = marc.subfields(text)
            left = [(c, v) for c, v in pairs if c != one.code or not _finds(v, one)]
            if not left:
                continue
            if left != pairs:
                text = marc.field(text[:2], left)
        fields.append((tag, text))
    return _with(record, fields)


def _indicator(record: Record, fmt: Format, one: Operation) -> Record:
    place = int(one.code) - 1
    fields = []
    for tag, text in record.fields:
        if tag == one.tag and not marc.is_control(tag) and len(text) > 2 and one.find in ("", text[place]):
            text = text[:place] + one.put + text[place + 1 :]
        fields.append((tag, text))
    return _with(record, fields)


def _copy(record: Record, fmt: Format, one: Operation) -> Record:
    if one.tag == one.to_tag:
        return _with(record, [(tag, _within(text, one) if tag == one.tag else text) for tag, text in record.fields])
    values = [v for text in record.all(one.tag) for v in marc.values(text, one.code)]
    if one.do == "move":
        record = _delete(record, fmt, Operation(do="delete", tag=one.tag, code=one.code))
    there = [n for n, (tag, _) in enumerate(record.fields) if tag == one.to_tag]
    had = marc.values(record.fields[there[0]][1], one.to_code) if there else []
    new = [(one.to_code, v) for v in dict.fromkeys(values) if v not in had]
    if not new:
        return record
    if not there:
        return _with(record, batch_edits.put(record.fields, one.to_tag, marc.field("  ", new)))
    fields = list(record.fields)
    fields[there[0]] = (one.to_tag, fields[there[0]][1] + marc.field("", new))
    return _with(record, fields)


def _within(text: str, one: Operation) -> str:
    pairs = marc.subfields(text)
    if one.code not in [c for c, _ in pairs]:
        return text
    if one.do == "move":
        return marc.field(text[:2], [(one.to_code if c == one.code else c, v) for c, v in pairs])
    had = {v for c, v in pairs if c == one.to_code}
    new = [(one.to_code, v) for c, v in pairs if c == one.code and v not in had]
    return marc.field(text[:2], [*pairs, *new]) if new else text


def _fix(record: Record, fmt: Format, one: Operation) -> Record:
    return mend.mend(record, fmt, (one.rule,)).record


_DO = {
    "replace": _replace,
    "add": _add,
    "delete": _delete,
    "indicator": _indicator,
    "copy": _copy,
    "move": _copy,
    "fix": _fix,
}
