"""A field taken apart into what the rules of a crosswalk speak of: subfields, also of embedded fields (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dms.crosswalk.marc import parted
from dms.crosswalk.marc.table import Table
from protocols import embedded, marc
from protocols.marc import DELIMITER


class Pieces(NamedTuple):
    """The subfields of a field, side by side."""

    keys: list[str]  # their codes; `200a` of an embedded field, with a mark (`b=`) of what was parted
    codes: list[str]  # how a report calls them
    values: list[str]
    romanised: Sequence[int]  # places of those that spell another in Latin letters


class Reader:
    """Takes fields apart as a table says."""

    def __init__(self, table: Table) -> None:
        self._romanised = frozenset(table.settings.get("romanised", ""))
        self._partings = parted.partings(
            table.settings.get("parting", []),
            {tag: frozenset(key for row in rows for key in row.take) for tag, rows in table.rows.items()},
        )

    def read(self, tag: str, text: str) -> Pieces:
        """The subfields of a data field."""
        if tag[0] == "4" and f"{DELIMITER}1" in text:
            return _embedded(text)
        if how := self._partings.get(tag):
            return Pieces(*parted.parts(text, how), ())
        if text[2:3] == DELIMITER:
            found = [part for part in text.split(DELIMITER)[1:] if part]
            keys = [part[0] for part in found]
            values = [part[1:] for part in found]
        else:
            _, _, pairs = next(marc.walk(marc.Record("", ((tag, text),))))
            keys = [code for code, _ in pairs]
            values = [value for _, value in pairs]
        spelled = () if self._romanised.isdisjoint(keys) else self._spelled(keys, values)
        return Pieces(keys, keys, values, spelled)

    def _spelled(self, keys: Sequence[str], values: Sequence[str]) -> Sequence[int]:
        """Those with a code for romanised forms that have letters, but none of Han, and stand behind some of Han."""
        found: list[int] = []
        han = False
        for i, value in enumerate(values):
            if _han(value):
                han = True
            elif han and keys[i] in self._romanised and any(map(str.isalpha, value)):
                found.append(i)
        return found


def opened(key: str, value: str) -> tuple[str, str]:
    """The subfield of a key as it stands in a field: of an embedded field with its `$1`."""
    if len(key) < 3:
        return key[0], value
    return ("1", f"{key}{value}" if marc.is_control(key) else f"{key[:3]}  {DELIMITER}{key[3]}{value}")


def _embedded(text: str) -> Pieces:
    keys: list[str] = []
    codes: list[str] = []
    values: list[str] = []
    for inner in embedded.fields(text):
        if inner.tag != embedded.OUTSIDE and marc.is_control(inner.tag):
            keys.append(inner.tag)
            codes.append(f"1{inner.tag}")
            values.append(inner.text)
            continue
        for code, value in marc.subfields(inner.text):
            keys.append(inner.tag + code)
            codes.append(f"1{inner.tag}${code}" if inner.tag else code)
            values.append(value)
    return Pieces(keys, codes, values, ())


def _han(value: str) -> bool:
    return not value.isascii() and any("\u2e80" <= each <= "\u9fff" or each >= "\U00020000" for each in value)
