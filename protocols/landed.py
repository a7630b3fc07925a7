"""Where rows of a table stood, and the day when a record was made of them: the end of its line of MARC-in-JSON (pure).

    {"leader": …, "fields": […], "template": …, "row": […],"landed":{"at":[["书目",3]],"entered":"20261121"}}

Rows move and days pass while the record stays the same, so what tells one version of it from another is `content`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from protocols.marc import DELIMITER

MARK = b',"landed":{'  # can't stand in a JSON string, where the quotes would be escaped
END = b"}}"
MOST_PLACES = 20  # of one record that are told

Place = tuple[str, int]  # sheet, "" where there are none; row or line, 1 = first

_BLANK = " " * 8


def tail(places: Sequence[Place], entered: str) -> bytes:
    """What follows the last value of the line's object. `entered`: the day as YYYYMMDD, "" where nobody asked."""
    told: dict[str, object] = {"at": places[:MOST_PLACES]}
    if entered:
        told["entered"] = entered
    return MARK[:-1] + json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode() + b"}"


def content(raw: bytes) -> bytes:
    """The line without that: the same for the same record, wherever and whenever it was landed."""
    if raw.endswith(END) and (at := raw.rfind(MARK)) >= 0:
        return raw[:at] + b"}"
    return raw


def places(raw: bytes) -> list[Place]:
    """Where the rows of a record stood; none if it was not made of a table."""
    if not raw.endswith(END) or (at := raw.rfind(MARK)) < 0:
        return []
    try:
        told = json.loads(raw[at + len(MARK) - 1 : -1])["at"]
        return [(str(sheet), int(row)) for sheet, row in told]
    except (ValueError, KeyError, TypeError):  # a file that has such a key of its own
        return []


def dated(fields: list[tuple[str, str]], told: Any) -> list[tuple[str, str]]:
    """The fields with the date entered on file, where they leave it blank: UNIMARC 100 $a/0-7, MARC 21 008/00-05."""
    day = told.get("entered") if isinstance(told, Mapping) else None
    if not isinstance(day, str) or len(day) != len(_BLANK) or not day.isdecimal():
        return fields
    return [(tag, _dated(tag, text, day)) for tag, text in fields]


def _dated(tag: str, text: str, day: str) -> str:
    if tag == "008" and text.startswith(_BLANK[2:]):
        return day[2:] + text[6:]
    begin = f"{DELIMITER}a{_BLANK}"
    return text.replace(begin, f"{DELIMITER}a{day}", 1) if tag == "100" and text[2:].startswith(begin) else text
