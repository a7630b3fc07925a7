"""Target fields that a record has once, made one of several (pure): UNIMARC's chain of 801 is MARC 21's one 040."""

from __future__ import annotations

from collections.abc import Mapping

from dms.crosswalk.marc.recipe import Made
from dms.crosswalk.marc.table import Table
from protocols import marc
from protocols.marc import Record


class Merger:
    """Joins target fields as a table's settings say: `merged`, by tag the order of subfields, and `agency`, where the
    source names the agency whose control number 001 is: tag, code and the field that says so."""

    def __init__(self, table: Table) -> None:
        self._order: Mapping[str, str] = table.settings.get("merged", {})
        self._agency: str = table.settings.get("agency", "")
        self._numbers: str = table.settings.get("numbers", "")

    def merged(self, made: list[Made], record: Record) -> list[Made]:
        """The fields, those of a merged tag in one."""
        if self._agency and (number := record.first("001")) and (agency := self._named(record)):
            made = [*made, Made("003", agency), Made(self._numbers, f"  \x1fa({agency}){number.strip()}")]
        tags = [one.tag for one in made]
        for tag, order in self._order.items():
            if tags.count(tag) < 2:
                continue
            several = [one for one in made if one.tag == tag]
            pairs = [pair for one in several for pair in marc.subfields(one.text)]
            pairs = list(dict.fromkeys(pairs))
            pairs.sort(key=lambda pair: order.find(pair[0]))
            made = [one for one in made if one.tag != tag]
            made.append(Made(tag, marc.field(several[0].text[:2], pairs)))
        return made

    def _named(self, record: Record) -> str:
        """The agency that issued the record, else the last one that changed or transcribed it, else the first."""
        tag, _, code = self._agency.partition("$")
        named = {text[1:2]: found for text in record.all(tag) if (found := marc.value(text, code).strip())}
        return next((named[each] for each in "3210 " if each in named), "")
