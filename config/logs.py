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
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


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
        return json.dumps(line, ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
