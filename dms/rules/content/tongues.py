"""The language of a record in one place and in the other: 008/35-37 and 041 (MARC 21), 100$a and 101 (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from catalog.model import Format
from dms.rules import edit
from dms.rules.content import codes
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.model import Finding, Mended
from protocols.marc import DELIMITER, Record, values

_SILENT = frozenset(("mul", "und", "zxx", "|||", "   ", "###"))
_OF_THE_TEXT = "ad"  # 041: text, or sung or spoken words


def _first(texts: list[str]) -> tuple[str, frozenset[str]]:
    """The first language of the text that 041 names in the MARC list, and all of them."""
    found = [
        code.strip()
        for text in texts
        if text[1:2] != "7" and DELIMITER + "2" not in text
        for code in values(text, _OF_THE_TEXT)
    ]
    return (found[0] if found else "", frozenset(found))


def wanted(record: Record) -> str:
    """What 008/35-37 should be by the first $a or $d of 041; "" where it is right or nobody can say."""
    coded = (record.first("008") or "")[35:38]
    first, every = _first(record.all("041"))
    if len(coded) < 3 or coded == first or coded in every or coded in _SILENT:
        return ""
    return first if codes.is_language(first) and first not in _SILENT else ""


def _look(seen: Look) -> Iterator[Finding]:
    if found := wanted(seen.record):
        yield Finding("language-differs", "008", 1, "", 35, seen.fields["008"][0][35:38], found)


def _mend(record: Record, fmt: Format) -> Mended:
    found = wanted(record) if fmt == Format.MARC21 else ""
    if not found:
        return Mended(record, ())
    first = record.first("008")
    return edit.fields(
        record,
        "language-differs",
        lambda tag, text: text[:35] + found + text[38:] if tag and text == first else text,
        ("008",),
    )


def _without(seen: Look) -> Iterator[Finding]:
    """101 says that it is a translation and doesn't say of what."""
    for nth, text in enumerate(seen.texts("101"), 1):
        if text[:1] in "12" and DELIMITER + "c" not in text and DELIMITER + "b" not in text:
            yield Finding("original-language-missing", "101", nth, "c", -1, text[:1])


RULES: tuple[ContentRule, ...] = (
    ContentRule(ids=("language-differs",), look=_look, tags=frozenset(("041",)), formats=frozenset((Format.MARC21,))),
    ContentRule(
        ids=("original-language-missing",), look=_without, tags=frozenset(("101",)), formats=frozenset((Format.CNMARC,))
    ),
)
FIXES: Mapping[str, Fix] = {"language-differs": _mend}
