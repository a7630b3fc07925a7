"""What a bench found: rows for people, and the same as JSON for comparing runs."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. `goal` is what docs/performance.md asks for, where it does."""

    name: str
    value: float
    unit: str
    goal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All figures of one bench at one size."""

    bench: str
    size: int
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    facts: dict[str, str] = field(default_factory=lambda: {"python": platform.python_version()})

    def table(self) -> str:
        """Aligned text."""
        cells = [
            (row.name, _number(row.value), row.unit, f"(goal {row.goal})" if row.goal else "") for row in self.rows
        ]
        width = max((len(cell[0]) for cell in cells), default=0)
        figures = max((len(cell[1]) for cell in cells), default=0)
        lines = [f"{self.bench}, {self.size:,} records"]
        lines += [f"  {name:<{width}}  {value:>{figures}} {unit} {goal}".rstrip() for name, value, unit, goal in cells]
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def json(self) -> str:
        """One line."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def keep(self, now: datetime | None = None) -> Path:
        """Write the JSON below `bench/results`, which git ignores; returns the file."""
        at = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self.bench}-{self.size}-{at}.json"
        path.write_text(self.json() + "\n", encoding="utf-8")
        return path


def shares(stages: Iterable[tuple[str, float]]) -> list[Row]:
    """Seconds by stage as rows of per cent of their sum."""
    listed = list(stages)
    whole = sum(seconds for _, seconds in listed) or 1.0
    return [Row(name=f"stage {name}", value=100 * seconds / whole, unit="%") for name, seconds in listed]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.4g}"
