"""Target fields that a record has once, made one of several (pure): UNIMARC's chain of 801 is MARC 21's one 040."""

from __future__ import annotations

from collections.abc import Mapping

from dms.crosswalk.marc.recipe import Made
from dms.crosswalk.marc.table import Table
from protocols import marc
from protocols.marc import Record

REMEMBERED = 20_000  # fields made of several; about 10 MB at worst


class Merger:
    """Joins target fields as a table's settings say: `merged`, by tag the order of subfields, and `agency`, where the
    source names the agency whose control number 001 is: tag, code and the field that says so."""

    def __init__(self, table: Table) -> None:
        self._order: Mapping[str, str] = table.settings.get("merged", {})
        self._agency: str = table.settings.get("agency", "")
        self._known: dict[tuple[str, tuple[str, ...]], Made] = {}
        self._numbers: str = table.settings.get("numbers", "")

    def merged(self, made: list[Made], record: Record) -> list[Made]:
        """The fields, those of a merged tag in one."""
        if self._agency and (named := self._named(record)):
            agency, number = named
            made = [*made, Made("003", agency), Made(self._numbers, f"  \x1fa({agency}){number.strip()}")]
        tags = [one.tag for one in made]
        for tag, order in self._order.items():
            if tags.count(tag) < 2:
                continue
            texts = tuple([one.text for one in made if one.tag == tag])
            whole = self._known.get((tag, texts))
            if whole is None:
                if len(self._known) >= REMEMBERED:
                    self._known.clear()
                whole = self._known[tag, texts] = _one(tag, texts, order)
            made = [one for one in made if one.tag != tag]
            made.append(whole)
        return made

    def _named(self, record: Record) -> tuple[str, str] | None:
        """The record's number, and the agency that issued the record, else the last one that changed or transcribed
        it, else the first; None where one of them is not told."""
        tag, _, code = self._agency.partition("$")
        number = ""
        named: dict[str, str] = {}
        for own, text in record.fields:
            if own == tag and (found := marc.value(text, code).strip()):
                named[text[1:2]] = found
            elif own == "001" and not number:
                number = text
        agency = next((named[each] for each in "3210 " if each in named), "")
        return (agency, number) if agency and number else None


def _one(tag: str, texts: tuple[str, ...], order: str) -> Made:
    """Fields of a tag as one, each subfield once, in the order of their codes."""
    pairs = list(dict.fromkeys(pair for text in texts for pair in marc.subfields(text)))
    pairs.sort(key=lambda pair: order.find(pair[0]))
    return Made(tag, marc.field(texts[0][:2], pairs))
