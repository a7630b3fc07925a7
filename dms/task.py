"""One record on its way through the stages of PREPARE, each of which adds what it makes of it (pure)."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass

from catalog.facts import Facts
from catalog.model import Carrier, Format
from catalog.naming import Heading
from catalog.versions import Version
from config.errors import TianluError
from dms.batch_edits import Edit
from dms.holdings import Copy
from dms.match.features import Features
from dms.packed import Told
from dms.pipeline import Back, Signed
from dms.rules.model import Finding, Kind
from protocols.marc import Record

NO_FACTS = Facts()


@dataclass(slots=True)
class Task:
    """What is known of it so far."""

    position: int  # bytes from the start of the input
    ordinal: int
    raw: bytes  # as received
    record: Record
    carrier: Carrier
    encoding: str
    findings: tuple[tuple[str, str], ...]  # of reading: rule, detail
    version: Version | None = None  # of an undo; one without bytes is to be deleted
    told: Told | None = None  # by another node; one without a bib is to be deleted
    local_id: str = ""
    digest: bytes = b""
    stamp: str = ""
    format: Format = Format.MARC21
    kind: Kind = Kind.BIBLIOGRAPHIC
    parent: str = ""  # of a holdings record: what names its parent (catalog.attached)
    placed: bool = False  # its parent is told by its place in the input
    instead: str = ""  # at the beginning of a unit: see dms.mfhd.Named, as the next
    number: str = ""
    facts: Facts = NO_FACTS
    heading: tuple[Heading, str] | None = None  # of an authority record, with its lexemes
    title: str = ""
    features: Features | None = None  # of authority and holdings records none
    signed: Signed | None = None
    holdings: tuple[Copy, ...] = ()
    visibility: int = 0
    found: list[Finding] | None = None  # by the rules; None = not looked at
    score: int | None = None  # by the rules of the profile; None = not judged
    mends: frozenset[str] = frozenset()  # of a recheck: what somebody had mended of it
    dropped: tuple[tuple[int, int], ...] = ()  # edits that expected something else (dms.batch_edits)
    edits: tuple[tuple[int, Edit], ...] = ()  # of a version put back: those that it bears, by batch
    kept: bytes = b""  # what is kept in place of the bytes as received, of a record that was mended
    body: bytes = b""
    deleted: bool = False
    unchanged: bool = False
    same: bool = False  # of a recheck: what is kept stays, only score and digest are new
    back: Back | None = None  # it came back and goes no further


def through(stage: Callable[[Task], bool], works: list[Task]) -> list[Task]:
    """The records that go on to the next stage. One on which our own rules fail must not stop the others."""
    going: list[Task] = []
    for one in works:
        try:
            if stage(one):
                going.append(one)
        except TianluError:
            raise  # a mistake in the source's habits, which is no record's fault
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            reason = f"a fault of ours: {type(error).__name__}: {error} ({where.name}, line {where.lineno})"
            one.back = returned(one, "fault", storable(reason))
    return going


def returned(one: Task, rule: str, reason: str) -> Back:
    return Back(one.position, one.ordinal, one.local_id, "returned", rule, reason, one.carrier, one.raw)


def storable(text: str) -> str:
    """Without what no text column of PostgreSQL takes: NUL and halves of surrogate pairs."""
    if text.isprintable():  # which neither is
        return text
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
