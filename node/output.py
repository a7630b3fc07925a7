"""What a command says: on standard output tables for people or NDJSON for programs, on standard error the rest."""

from __future__ import annotations

import json
import sys
import time
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, TextIO

from node import words

BOLD, DIM, RED, YELLOW, GREEN, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[0m"
BAR_WIDTH = 24
BAR_EVERY = 0.1  # seconds between repaints on a terminal
LINE_EVERY = 10.0  # seconds between lines elsewhere


class Output:
    """The two streams of a command. `json`: only objects go to standard output; `lang`: of the words around values."""

    def __init__(
        self, *, json: bool, color: bool, lang: str = "en", stdout: TextIO | None = None, stderr: TextIO | None = None
    ) -> None:
        self.json = json
        self.lang = lang
        self.stdout = stdout or sys.stdout
        self.stderr = stderr or sys.stderr
        self._color = color

    def item(self, value: Mapping[str, Any]) -> None:
        """One result as a line of NDJSON, whatever the mode."""
        self.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")

    def say(self, line: str) -> None:
        """A line of the answer for people; left out with --json."""
        if not self.json:
            self.stdout.write(line + "\n")

    def table(self, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
        """Rows as a table with `columns`, or with --json each whole row as an object."""
        if self.json:
            for row in rows:
                self.item(row)
            return
        cells = [
            [words.heading(column, self.lang) for column in columns],
            *([_cell(words.cell(column, row.get(column), self.lang)) for column in columns] for row in rows),
        ]
        widths = [max(width(line[i]) for line in cells) for i in range(len(columns))]
        for n, line in enumerate(cells):
            text = "  ".join(cell + " " * (space - width(cell)) for cell, space in zip(line, widths, strict=True))
            self.say(self.paint(BOLD, text.rstrip()) if n == 0 else text.rstrip())

    def fact(self, name: str, value: object, space: int = 12) -> None:
        """A line of the answer for people: a name, `space` columns wide, and what it is."""
        label = words.heading(name, self.lang)
        self.say(f"{label}{' ' * (space - width(label))} {words.cell(name, value, self.lang)}")

    def note(self, line: str) -> None:
        """A line on standard error, in both modes: what is going on, not the answer."""
        self.stderr.write(line + "\n")
        self.stderr.flush()

    def paint(self, color: str, text: str) -> str:
        """The text in a color where the terminal shows it (NO_COLOR and pipes: plain)."""
        return f"{color}{text}{PLAIN}" if self._color else text

    def progress(self, label: str, total: int | None = None) -> Progress:
        """A bar on a terminal, else a line every 10 s; use it in `with`."""
        return Progress(self.stderr, label, total)

    def flush(self) -> None:
        """Hands what was written to the system."""
        self.stdout.flush()
        self.stderr.flush()


class Progress:
    """How far a long piece of work is. `at()` may be called as often as wanted; it paints rarely."""

    def __init__(self, stream: TextIO, label: str, total: int | None) -> None:
        self._stream = stream
        self._label = label
        self._total = total
        self._terminal = stream.isatty()
        self._started = self._painted = time.monotonic()
        self._line = ""

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._terminal and self._line:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def at(self, done: int, note: str = "", total: int | None = None) -> None:
        """`done` units of `total` are finished; `note` follows, e.g. a rate."""
        self._total = total if total is not None else self._total
        now = time.monotonic()
        if now - self._painted < (BAR_EVERY if self._terminal else LINE_EVERY):
            return
        self._painted = now
        self._line = self._text(done, note, now - self._started)
        self._stream.write(f"\r\x1b[K{self._line}" if self._terminal else self._line + "\n")
        self._stream.flush()

    def _text(self, done: int, note: str, seconds: float) -> str:
        parts = [self._label]
        if self._total:
            share = min(done / self._total, 1.0)
            if self._terminal:
                full = round(share * BAR_WIDTH)
                parts.append("█" * full + "░" * (BAR_WIDTH - full))
            parts.append(f"{share:.0%}")
        parts.append(f"{done:,}" + (f"/{self._total:,}" if self._total else ""))
        return "  ".join([*parts, *([note] if note else []), f"{seconds:.0f} s"])


def width(text: str) -> int:
    """Columns that a text takes on a terminal: wide East Asian characters take two (Unicode UAX #11)."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
