"""Whose files the demonstration loads: the bundled libraries, or one invented library for each file of the user's."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.errors import Misconfigured

SAMPLE = Path(__file__).resolve().parent / "sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A library of the demonstration, its one source and that source's file."""

    symbol: str
    name: str
    name_en: str
    area: str
    source: str
    file: Path
    format: str = "auto"
    encoding: str = "auto"


def bundled() -> list[Member]:
    """The libraries of the sample."""
    told = tomllib.loads((SAMPLE / "libraries.toml").read_text(encoding="utf-8"))
    return [Member(**{**each, "file": SAMPLE / each["file"]}) for each in told["library"]]


def of_files(paths: Sequence[str]) -> list[Member]:
    """A library for each file, named after it. Misconfigured names a file that can't be read."""
    members = []
    for number, each in enumerate(paths, 1):
        file = Path(each).expanduser().absolute()
        if not file.is_file():
            raise Misconfigured(f"--records: there is no file {file}")
        symbol, name = f"LIB-{number}", file.name.partition(".")[0]
        members.append(Member(symbol=symbol, name=name, name_en=name, area="", source=f"{number}-{name}", file=file))
    return members
