"""Full-width letters and digits where codes stand: control fields, coded data, identifiers (pure).

In transcribed text a full-width letter may be what the title page shows; in a code it is another code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from catalog.model import Format
from dms.rules import bulk, edit
from dms.rules.bulk import Bools, Columns
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.values import LONGEST_VALUE
from dms.rules.model import Finding, Kind, Mended
from protocols.marc import DELIMITER, Record, is_control

_CONTROL = ("001", "003", "004", "005", "006", "007", "008")
TAGS: Mapping[Format, tuple[str, ...]] = {
    Format.MARC21: (*_CONTROL, "010", "016", "022", "040", "043", "852", "853", "863", "866"),
    Format.CNMARC: (
        *_CONTROL, "011", "100", "105", "106", "110", "111", "115", "116", "117", "120", "121", "122", "123", "124",
        "125", "126", "127", "128", "130", "135", "140", "141", "191", "192", "193", "194", "801",
    ),
}  # fmt: skip
_TABLE = {fmt: bulk.of_tags(tags) for fmt, tags in TAGS.items()}
_CODES: Mapping[str, str] = {"852": "ab8", "853": "8", "863": "8", "866": "8", "801": "ac"}  # others: $a
_WIDE = {code + 0xFEE0: code for code in range(0x21, 0x7F)} | {0x3000: 0x20}


def _narrow(tag: str, text: str) -> str:
    """A field's text with its codes in ASCII."""
    if text.isascii():
        return text
    if is_control(tag):
        return text.translate(_WIDE)
    codes = _CODES.get(tag, "a")
    head, *parts = text.split(DELIMITER)
    return DELIMITER.join([head.translate(_WIDE), *[p.translate(_WIDE) if p[:1] in codes else p for p in parts]])


def _among(columns: Columns, fmt: Format) -> Bools:
    texts = columns.texts
    return columns.rows_of([field for field in columns.tagged(_TABLE[fmt]).tolist() if not texts[field].isascii()])


def _look(seen: Look) -> Iterator[Finding]:
    fields = seen.fields
    for tag in TAGS[seen.format]:
        if tag not in fields:
            continue
        for nth, text in enumerate(fields[tag], 1):
            if not text.isascii() and (wanted := _narrow(tag, text)) != text:
                shown, right = (each.replace(DELIMITER, " ‡").strip()[:LONGEST_VALUE] for each in (text, wanted))
                yield Finding("code-wide", tag, nth, "", -1, shown, right)


def _mend(record: Record, fmt: Format) -> Mended:
    return edit.fields(record, "code-wide", _narrow, TAGS[fmt])


RULES: tuple[ContentRule, ...] = (ContentRule(ids=("code-wide",), look=_look, kinds=frozenset(Kind), among=_among),)
FIXES: Mapping[str, Fix] = {"code-wide": _mend}
