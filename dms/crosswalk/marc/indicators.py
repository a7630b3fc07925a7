"""Which indicators of a field say something that the target does not (pure).

An indicator is carried over if the way back makes it again of the target field: that a title is significant needs no
indicator in a 245 that makes an added entry. What a table or a row has under `implied` is said otherwise, or says
nothing of what is described. Rows decide about this, not values: it is found once a row and pair of indicators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dms.crosswalk.marc.table import Indicator, Row, Table
from dms.crosswalk.model import Fate, Loss

NO_INDICATOR = "no indicator of the target says this"
REMEMBERED = 10_000  # rows with indicators
NOTHING = " |#^"  # blank, and how systems write it or a fill
NAMES = ("ind1", "ind2")
_NONE = ("", "")


class Judge:
    """Tells the indicators that a crosswalk loses, with the opposite crosswalk's rows."""

    def __init__(self, table: Table, back: Table) -> None:
        self._back = back.rows
        self._implied: Mapping[str, Sequence[str]] = table.settings.get("implied", {})
        self._filing = {tag: each["filing"] for each in table.settings.get("parting", []) if "filing" in each
                        for tag in each["tags"]}  # fmt: skip
        self._known: dict[tuple[str, str, tuple[int, ...]], tuple[Loss, ...]] = {}

    def losses(self, tag: str, indicators: str, rows: Sequence[Row]) -> tuple[Loss, ...]:
        """A line for each indicator of a field that these rows lose."""
        if not indicators.strip(NOTHING):
            return ()
        key = (tag, indicators, tuple(map(id, rows)))  # rows live as long as their table
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[key] = tuple(
                Loss(tag, name, Fate.LOST, why=NO_INDICATOR, value=value)
                for place, (name, value) in enumerate(zip(NAMES, indicators, strict=False), 1)
                if value not in NOTHING and not self._is_said(tag, indicators, place, rows)
            )
        return found

    def _is_said(self, tag: str, indicators: str, place: int, rows: Sequence[Row]) -> bool:
        value = indicators[place - 1]
        if self._filing.get(tag) == place or value in self._implied.get(tag, _NONE)[place - 1]:
            return True
        if any(value in row.implied[place - 1] for row in rows):
            return True
        if any(_carries(row, place, value) for row in rows):
            return True
        returned = {told for row in rows for told in self._returned(tag, indicators, place, row)}
        if returned:
            return value in returned
        return any(NAMES[place - 1] in row.when or _keeps(row, place, value) for row in rows)

    def _returned(self, tag: str, indicators: str, place: int, row: Row) -> set[str | None]:
        """What the way back may make of the indicator at this place; None = it is reckoned of the values."""
        found: set[str | None] = set()
        for target, specs in ((row.to, row.ind), (row.head, row.ind_head)):
            own = "".join(_told(each, indicators) or " " for each in specs)
            for back in self._back.get(target, ()):
                if all(own[int(name[3]) - 1] in wanted for name, wanted in back.when.items() if name in NAMES):
                    for there, back_specs in ((back.to, back.ind), (back.head, back.ind_head)):
                        if there == tag:
                            found.add(_told(back_specs[place - 1], own))
        return found


def _told(spec: Indicator, indicators: str) -> str | None:
    """A target's indicator; None = it is reckoned."""
    if spec.by:
        return None
    if spec.of and spec.map is not None:
        own = indicators[spec.of - 1 : spec.of] or " "
        return spec.map.get(own, spec.map.get("*", own))
    return spec.text


def _carries(row: Row, place: int, value: str) -> bool:
    """Whether the row has a character or words for this value of the indicator, and for no other."""
    for spec in (*row.ind, *row.ind_head, *(spec for _, spec in (*row.add, *row.lead))):
        if spec.of == place and spec.map is not None:
            told = spec.map.get(value, "" if spec.map else value)
            if told and list(spec.map.values()).count(told) <= 1:
                return True
    return False


def _keeps(row: Row, place: int, value: str) -> bool:
    """Whether the row's target has the same character."""
    return any(
        spec.of == place and _told(spec, " " * (place - 1) + value) == value for spec in (*row.ind, *row.ind_head)
    )
