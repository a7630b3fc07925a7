"""A field taken apart into what the rules of a crosswalk speak of: subfields, also of embedded fields (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from dms.crosswalk.marc import parted
from dms.crosswalk.marc.parted import Parting
from dms.crosswalk.marc.table import Table
from protocols import embedded, marc
from protocols.marc import DELIMITER

_ONE = DELIMITER + "1"


class Pieces(NamedTuple):
    """The subfields of a field, side by side."""

    keys: tuple[str, ...]  # their codes; `200a` of an embedded field, with a mark (`b=`) of what was parted
    codes: Sequence[str]  # how a report calls them
    values: list[str]
    romanised: Sequence[int] = ()  # places of those that spell another in Latin letters


Taken = tuple[tuple[str, ...], Sequence[str], list[str]]  # keys, codes, values


class Reader:
    """Takes fields apart as a table says."""

    def __init__(self, table: Table) -> None:
        self._romanised = frozenset(table.settings.get("romanised", ""))
        self._partings = parted.partings(
            table.settings.get("parting", []),
            {tag: frozenset(key for row in rows for key in row.take) for tag, rows in table.rows.items()},
        )

    def of(self, tag: str) -> Callable[[str], Taken]:
        """What takes the data fields of a tag apart."""
        if how := self._partings.get(tag):
            apart = partial(_parted, how)
            return partial(_linking, apart) if tag[0] == "4" else apart
        return partial(_linking, _plain) if tag[0] == "4" else _plain

    def may_spell(self, tag: str, keys: Sequence[str]) -> bool:
        """Whether fields with these subfields may have romanised ones."""
        return tag not in self._partings and not self._romanised.isdisjoint(keys)

    def spelled(self, keys: Sequence[str], values: Sequence[str]) -> Sequence[int]:
        """Those with a code for romanised forms that have letters, but none of Han, and stand behind some of Han."""
        found: list[int] = []
        han = False
        for i, value in enumerate(values):
            if _han(value):
                han = True
            elif han and keys[i] in self._romanised and any(map(str.isalpha, value)):
                found.append(i)
        return found


def _plain(text: str) -> Taken:
    if text[2:3] == DELIMITER:
        found = text.split(DELIMITER)
        del found[0]
        if "" in found:
            found = [part for part in found if part]
        keys = tuple([part[0] for part in found])
        return keys, keys, [part[1:] for part in found]
    _, _, pairs = next(marc.walk(marc.Record("", (("   ", text),))))
    keys = tuple([code for code, _ in pairs])
    return keys, keys, [value for _, value in pairs]


def _parted(how: Parting, text: str) -> Taken:
    keys, codes, values = parted.parts(text, how)
    return tuple(keys), codes, values


def _linking(other: Callable[[str], Taken], text: str) -> Taken:
    """The subfields of a linking field, whatever its technique."""
    return _embedded(text) if _ONE in text else other(text)


def opened(key: str, value: str) -> tuple[str, str]:
    """The subfield of a key as it stands in a field: of an embedded field with its `$1`."""
    if len(key) < 3:
        return key[0], value
    return ("1", f"{key}{value}" if marc.is_control(key) else f"{key[:3]}  {DELIMITER}{key[3]}{value}")


def _embedded(text: str) -> Taken:
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
    return tuple(keys), codes, values


def _han(value: str) -> bool:
    return not value.isascii() and any("\u2e80" <= each <= "\u9fff" or each >= "\U00020000" for each in value)
