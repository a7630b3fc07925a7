"""What came back as a file: the bytes as they came, MARC that any editor opens, or a table with the reasons."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import Any

from catalog import bodies, quarantine
from catalog.connection import Connection
from catalog.model import CARRIER_NAMES, Carrier
from config.errors import BadRecord
from dms import quality_scope
from dms.rules.model import LEADER, Profile
from protocols import csv, detect, iso2709
from services.returning import previews, shown

WRITERS = ("marc", "csv")
HEAD = {
    "zh": ("编号", "数据源", "装载", "位置", "序号", "字节位置", "记录号", "规则", "说明", "原因", "记录"),
    "en": (
        "case",
        "source",
        "load",
        "place",
        "record",
        "byte",
        "local id",
        "rule",
        "what it looks for",
        "reason",
        "record text",
    ),
}
LONGEST = 30_000  # characters of a cell: spreadsheets take 32,767


async def pieces(
    conn: Connection,
    to: str,
    lang: str,
    *,
    source: int | None,
    rule: str | None,
    within: Collection[str] | None = None,
) -> AsyncIterator[bytes]:
    """The file in pieces; `to`: raw, marc (ISO 2709 in UTF-8) or csv. Needs a transaction."""
    if to == "csv":
        yield (csv.MARK + csv.line(HEAD[lang])).encode()
    profiles: dict[str, Profile] = {}
    async for case in quarantine.bodies(conn, source=source, rule=rule, within=within):
        raw = bodies.grow(case["body"])
        match to:
            case "csv":
                library = case["library"]
                if library not in profiles:
                    profiles[library] = await quality_scope.of_library(conn, library)
                yield csv.line(_cells(case, raw, previews.reason(case, profiles[library], lang), lang)).encode()
            case "marc":
                yield _marc(case)
            case _:
                yield raw + _between(case["carrier"])


def _between(carrier: int) -> bytes:
    """What sets records of a carrier apart."""
    lines = detect.LINES.get(CARRIER_NAMES[Carrier(carrier)])
    return lines.BETWEEN if lines else b"" if carrier == Carrier.ISO2709 else b"\n"


def _marc(case: Any) -> bytes:
    """As ISO 2709 where there is a record; what has none is only in the other kinds of file."""
    try:
        found = previews.opened(case)
        return iso2709.write(found.record)
    except BadRecord:
        return b""


def _cells(case: Any, raw: bytes, why: str, lang: str) -> list[csv.Cell]:
    try:
        found = previews.opened(case)
        text = "\n".join(" ".join(filter(None, line[:3])) for line in shown.lines(found.record) if line.tag != LEADER)
    except BadRecord:
        text = raw.decode("utf-8", "backslashreplace")
    return [
        case["id"],
        case["source_name"],
        case["load"],
        shown.where(case, lang),
        case["ordinal"] or None,
        case["position"] if case["ordinal"] else None,
        case["local_id"],
        case["rule"],
        shown.heading(case["rule"], lang),
        why,
        text[:LONGEST],
    ]
