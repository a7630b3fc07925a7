"""The nodes of the demonstration and whose files they load: the bundled libraries', or the user's own.

centre ─ domain ─┬─ node of the first library
                 ├─ node of the second library
                 └─ the third library, which has no node: the domain hosts it
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.model import Library
from config.errors import Misconfigured

SAMPLE = Path(__file__).resolve().parent / "sample"
PORTS = 10  # from one node's port to the next one's

CENTRE = Library(symbol="CN-CENTRE", name="国家联合目录中心", name_en="National Union Catalogue Centre")
DOMAIN = Library(symbol="CN-JIANGNAN", name="江南文献联盟", name_en="Jiangnan Library Consortium", area="江南")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Records of a library, which come from one source."""

    library: str  # symbol
    source: str
    path: Path
    format: str = "auto"
    encoding: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A node."""

    own: Library  # the node's own
    tier: str
    parent: str = ""  # symbol
    hosted: tuple[Library, ...] = ()  # beside its own
    files: tuple[File, ...] = ()

    @property
    def symbol(self) -> str:
        """The node's."""
        return self.own.symbol

    @property
    def libraries(self) -> tuple[Library, ...]:
        """Those whose records it takes in."""
        return (self.own, *self.hosted)

    @property
    def folder(self) -> str:
        """Name of its home, and of its database."""
        return self.symbol.lower()


def bundled() -> tuple[Part, ...]:
    """The network with the sample, a parent before its children."""
    told = tomllib.loads((SAMPLE / "libraries.toml").read_text(encoding="utf-8"))["library"]
    libraries = [Library(**{name: each[name] for name in ("symbol", "name", "name_en", "area")}) for each in told]
    files = [
        File(
            library=each["symbol"],
            source=each["source"],
            path=SAMPLE / each["file"],
            format=each["format"],
            encoding=each["encoding"],
        )
        for each in told
    ]
    return _network(libraries, files)


def of_files(paths: Sequence[str]) -> tuple[Part, ...]:
    """The same network with the user's files, dealt out to three libraries. Misconfigured names a missing one."""
    libraries = [Library(symbol=f"LIB-{n}", name=f"{name}馆", name_en=f"Library {n}", area=f"江南/{city}")
                 for n, name, city in ((1, "甲", "临江"), (2, "乙", "海州"), (3, "丙", "临江"))]  # fmt: skip
    files = []
    for number, each in enumerate(paths):
        path = Path(each).expanduser().absolute()
        if not path.is_file():
            raise Misconfigured(f"--records: there is no file {path}")
        holder = libraries[number % len(libraries)].symbol
        files.append(File(library=holder, source=f"{number + 1}-{path.name.partition('.')[0]}", path=path))
    return _network(libraries, files)


def shared() -> list[list[str]]:
    """`source/local id` of the records of each well-known work that several libraries of the sample hold."""
    return [line.split("\t") for line in (SAMPLE / "shared.tsv").read_text(encoding="utf-8").splitlines()]


def _network(libraries: Sequence[Library], files: Sequence[File]) -> tuple[Part, ...]:
    first, second, hosted = libraries

    def part(own: Library, tier: str, parent: str = "", *hosts: Library) -> Part:
        ours = {each.symbol for each in (own, *hosts)}
        return Part(
            own=own, tier=tier, parent=parent, hosted=hosts, files=tuple(each for each in files if each.library in ours)
        )

    domain = part(DOMAIN, "domain", CENTRE.symbol, hosted)
    leaves = [part(each, "local", DOMAIN.symbol) for each in (first, second)]
    return (part(CENTRE, "central"), domain, *leaves)


def named(library: Library, lang: str) -> str:
    """What a library is called."""
    return library.name_en if lang == "en" else library.name
