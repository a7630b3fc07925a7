"""Logs on standard error, as text or JSON, each line with what was being worked on.

`with logs.about(load=7, unit=3): …` names the work in every line logged inside, in this task and those it starts.
Record-level faults don't come here: they are findings. Secrets can't: `config.secret.Secret` doesn't show itself.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

OURS = ("node", "services", "exchange", "dms", "catalog", "protocols", "config")

# Signs that end a line, order a terminal about or turn the reading around: names and messages come from anywhere
# (CWE-117). They are written as in Python, so that nothing is lost.
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_PLAIN = {code: chr(code).encode("unicode_escape").decode("ascii") for code in _CONTROLS}
_ESCAPED = {code: f"\\u{code:04x}" for code in _CONTROLS}  # the same as JSON has it

_about: ContextVar[Mapping[str, object]] = ContextVar("about", default={})  # noqa: B039 (never changed in place)


@contextmanager
def about(**names: object) -> Iterator[None]:
    """Adds names (node, load, unit, record …) to every line logged inside."""
    token = _about.set({**_about.get(), **names})
    try:
        yield
    finally:
        _about.reset(token)


def set_up(level: str, form: str, stream: TextIO | None = None) -> None:
    """Sends our log lines of at least `level` to `stream` (standard error), other libraries' from warning up."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        names = "".join(f" {name}={value}" for name, value in _about.get().items())
        line = f"{_time(record)} {record.levelname.lower():7} {record.name}{names}: {record.getMessage()}"
        trace = self.formatException(record.exc_info).split("\n") if record.exc_info else ()
        return "\n".join([line.translate(_PLAIN), *(f"    {each.translate(_PLAIN)}" for each in trace)])


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            **{name: str(value) for name, value in _about.get().items()},
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False).translate(_ESCAPED)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
