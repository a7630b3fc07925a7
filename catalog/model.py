"""The frozen nouns of the catalogue. Values only: nothing here waits, reads or writes.

Cluster ids are `<symbol>.<base32>` outside and a positive number inside; `cluster_id` and `cluster_number` convert.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple, NewType

import msgspec

Symbol = NewType("Symbol", str)  # a library's code, e.g. "CN-TJU"
SourceNo = NewType("SourceNo", int)  # row number of a source
LocalId = NewType("LocalId", str)  # a record's id within its source
Cluster = NewType("Cluster", int)  # a cluster's number at this node
Sid = NewType("Sid", int)  # a signature's number at this node

HELD_PREFIX = "h:"  # of local ids of holdings records: libraries number them apart, so a number may come twice
BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's alphabet: no i, l, o, u


class Format(IntEnum):
    """What a record's tags mean. CNMARC stands for the whole UNIMARC family."""

    MARC21 = 1
    CNMARC = 2


class Carrier(IntEnum):
    """How the kept bytes are written."""

    ISO2709 = 1
    MARCXML = 2
    MARCJSON = 3
    PACKED = 4  # a bib as another node told it (catalog.payload)
    MRK = 5
    ALEPHSEQ = 6
    MARCLINES = 7  # a field a line, as programs show it to people
    DC = 8  # Dublin Core
    MODS = 9


CARRIERS = {carrier.name.lower(): carrier for carrier in Carrier}  # names as `protocols.detect` has them
CARRIER_NAMES = {carrier: name for name, carrier in CARRIERS.items()}


class Visibility(IntEnum):
    """Whether a source record may be shown; `catalog.visibility` says what passes."""

    PUBLIC = 0
    SUPPRESSED = 1  # the library's own mark, e.g. Koha 942$n
    PRIVATE = 2  # the source is not shared
    HELD = 3  # returned by a rule; the last good version stays
    HOLDINGS = 4  # matched, and its holdings are shown; what it says is not


class LoadState(StrEnum):
    """Life of a load: landing → preparing → (held →) placing → done → undone."""

    LANDING = "landing"
    PREPARING = "preparing"
    HELD = "held"
    PLACING = "placing"
    DONE = "done"
    UNDONE = "undone"
    FAILED = "failed"


class Verdict(StrEnum):
    """What two records are to each other."""

    JOIN = "join"  # one manifestation: one cluster
    LINK = "link"  # related and shown together, never one cluster
    REVIEW = "review"  # a cataloguer decides
    APART = "apart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict on a pair, with its score in points and the reasons as `(rule, points)`; a veto has 0 points."""

    verdict: Verdict
    score: int
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One copy or one statement of holdings of one library, mapped from 852, 866, 905, 949 …"""

    library: str
    call_number: str = ""
    item: str = ""  # barcode or accession number
    location: str = ""
    status: str = ""
    note: str = ""  # textual holdings, e.g. "1998-2004"


class Description(msgspec.Struct, array_like=True, frozen=True, kw_only=True, gc=False):
    """What result lists, record pages, facets, oai_dc and the index need of a merged record, whatever its format.

    It is kept as the array of its fields (catalog.packing), so new ones go last.
    """

    title: str
    subtitle: str = ""
    volume: str = ""  # designation and part title as transcribed, e.g. "第三卷 上古时代"
    parallel: tuple[str, ...] = ()  # parallel, original, other-script (880) titles
    responsibility: str = ""
    authors: tuple[str, ...] = ()
    edition: str = ""
    place: str = ""
    publisher: str = ""
    date: str = ""  # as transcribed
    year: int = 0  # 0 = unknown
    extent: str = ""
    series: tuple[str, ...] = ()
    isbns: tuple[str, ...] = ()  # 13 digits
    issns: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    classification: tuple[str, ...] = ()  # 中图法 or other class numbers
    languages: tuple[str, ...] = ()  # ISO 639-2 codes
    kind: str = "book"  # book, serial, article, map, score, sound, video, electronic, ancient …
    summary: str = ""
    notes: tuple[str, ...] = ()
    links: tuple[str, ...] = ()  # public 856 addresses
    pinyin: str = ""  # the cataloguer's pinyin of the title


class Shelved(NamedTuple):
    """What a holding library knows a title by."""

    library: str
    number: str = ""  # of its own record
    call_number: str = ""


class Published(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A cluster as every output sees it: the latest state at a place in the change feed."""

    cluster: Cluster
    id: str
    seq: int
    at: datetime  # UTC, of the last change
    deleted: bool
    redirect: str = ""  # id of the cluster that took this one's records
    format: Format = Format.MARC21
    body: bytes = b""  # packed merged record (catalog.packing), empty when deleted
    description: Description | None = None
    libraries: tuple[str, ...] = ()  # holding libraries, visible ones only
    shelved: tuple[Shelved, ...] = ()  # what they know it by; read for the search index only


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A member of the directory."""

    symbol: str
    name: str  # in its own language
    name_en: str = ""
    area: str = ""  # from the largest part, 广东/深圳 (catalog.area)
    state: str = "active"  # active, merged, closed
    successor: str = ""
    node: str = ""  # symbol of the node that hosts it; "" = this one


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where records come from: one system of one library, with its habits."""

    no: SourceNo
    name: str
    library: str
    format: str = "auto"
    encoding: str = "auto"
    identity: str = "001"  # 001, 001+003, 035a, 905b, digest, or TAG$code
    mapping: dict[str, object] = field(default_factory=dict)  # holdings mapping: dms.holdings reads it
    sharing: dict[str, object] = field(default_factory=dict)  # what of it is shared: dms.sharing reads it
    visibility: Visibility = Visibility.PUBLIC
    state: str = "active"
    trust: int = 0
    template: str = ""  # for its tables: name of a ready one or its text (protocols.tables.template)
    characters: int = 0  # number of its table of private-use characters (catalog.dictionaries); 0 = none


def cluster_id(symbol: str, cluster: int) -> str:
    """`<symbol>.<base32>` of a cluster's number, at least 6 characters, last one first in sort order."""
    digits = ""
    rest = cluster
    while rest:
        rest, digit = divmod(rest, 32)
        digits = BASE32[digit] + digits
    return f"{symbol}.{digits.rjust(6, '0')}"


def cluster_number(ident: str, symbol: str) -> Cluster | None:
    """The number in a cluster id of this node, or None if it is not one."""
    prefix, _, digits = ident.rpartition(".")
    if prefix != symbol or not digits or any(c not in BASE32 for c in digits.lower()) or len(digits) > 12:
        return None
    number = 0
    for c in digits.lower():
        number = number * 32 + BASE32.index(c)
    return Cluster(number)


def unique(values: Sequence[str]) -> tuple[str, ...]:
    """Values without empties and repeats, first occurrence kept."""
    return tuple(dict.fromkeys(filter(None, values))) if values else ()
