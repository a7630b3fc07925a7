"""Which row holds the names of the columns, and which template knows them (pure).

Names are compared without case, width, blanks and signs, so that 題名*, "ISBN 号" and `Publication_Title` are found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from protocols.tables.template import Field, Template, within

DEEPEST = 40  # rows among which the header is looked for: some publishers write a page about the package before it

_SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Where a table's columns are, and what they fill."""

    template: Template
    names: tuple[str, ...]  # as written, one for every column of the header row
    places: dict[str, int]  # of the template's columns, by key
    rest: tuple[tuple[int, str], ...]  # places and names of the columns that the template doesn't know
    fields: tuple[Field, ...]  # of the template, that these columns may fill

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of columns that the template doesn't know; those that have none are left out."""
        return tuple(name for place, name in self.rest if self.names[place])


def fitted(names: Sequence[str], template: Template) -> Header | None:
    """The header by a template; None if a column that it requires is missing."""
    there: dict[str, int] = {}
    for place, name in enumerate(names):
        there.setdefault(squeezed(name), place)
        there.setdefault(f"@{letters(place)}", place)
    places: dict[str, int] = {}
    for key, column in template.columns.items():
        for place in [there[one] for one in map(_asked, column.names) if one in there][:1]:
            if place not in places.values():
                places[key] = place
    if all(any(key in places for key in group) for group in template.require):
        written = tuple(" ".join(name.split()) for name in names)
        known = set(places.values())
        return Header(
            template=template,
            names=written,
            places=places,
            rest=tuple((n, name or f"@{letters(n)}") for n, name in enumerate(written) if n not in known),
            fields=within(template, places),
        )
    return None


def best(names: Sequence[str], templates: Iterable[Template]) -> Header | None:
    """The header by the template that knows most of its columns, those first that no row is without; None if none fits.

    So a list of copies that has titles is a list of books.
    """
    found = [header for each in templates if (header := fitted(names, each))]
    return max(found, key=_knows, default=None)


def _knows(header: Header) -> tuple[int, int]:
    columns = header.template.columns
    return sum(columns[key].need for key in header.places), len(header.places)


def _asked(name: str) -> str:
    return name.upper() if name.startswith("@") else squeezed(name)


def squeezed(name: str) -> str:
    """The text as names are compared: without case, width, blanks and signs."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", name).casefold())


def letters(place: int) -> str:
    """The letters of a column as spreadsheets write them: 0 = A, 26 = AA."""
    letters = ""
    rest = place + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        letters = chr(65 + digit) + letters
    return letters
