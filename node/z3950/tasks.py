"""What a session wants done that takes the catalogue, and what comes of it (values).

A session hands out a `Do`: the desk does its task and goes on with what the session makes of the outcome, until there
is a `Send`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from catalog.model import Format
from catalog.search import port, tree
from catalog.submissions import Action
from node.z3950.visitors import Visitor
from protocols import query
from protocols.z3950 import apdu, oids
from protocols.z3950.apdu.records import NamePlusRecord
from protocols.z3950.primitive import Oid
from services.retrieval.databases import Database
from services.retrieval.results import ResultSet


@dataclass(frozen=True, slots=True)
class Trouble:
    """A diagnostic of set bib-1: why a task, or one record of it, could not be done."""

    number: int
    about: str = ""  # addinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Prove:
    """Who somebody says to be; without name and password nobody. Outcome: Visitor."""

    name: str
    password: str
    code: str

    def __repr__(self) -> str:
        return f"Prove(name={self.name!r})"


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of a query."""

    encoding: str
    asked: query.Node
    compiled: tree.Query


class Find(msgspec.Struct, frozen=True, kw_only=True):
    """Search. `ways` are the query as it reads in each encoding that it may be in, asked until one finds something.

    Outcome: Found.
    """

    ways: tuple[Way, ...]
    databases: tuple[Database, ...]
    keys: tuple[port.Key, ...] = ()  # to sort by


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, and by which reading of the query."""

    result: ResultSet
    way: Way


SUTRS = "sutrs"  # a form, besides those of `services.delivery.asked`


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The form of records."""

    database: str  # whose name they carry
    syntax: Oid | None  # None = MARC as each record's format is
    form: str  # of `services.delivery.asked.FORMS`, or sutrs
    dialects: Mapping[Format, str]  # that a record of each format is turned into
    brief: bool
    encoding: str  # of ISO 2709
    texts: str  # encoding of texts for people

    @property
    def holdings(self) -> bool:
        """Holdings and circulation are wanted too."""
        return self.syntax in (oids.OPAC, oids.SUTRS)

    @property
    def key(self) -> Hashable:
        """What makes two of the same record the same; None where more than the record is in it."""
        if self.holdings:
            return None
        return (self.database, self.form, *self.dialects.values(), self.brief, self.encoding)


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """Records of a result set, each span as (first, count). Outcome: a list of NamePlusRecord or Trouble."""

    found: ResultSet
    spans: tuple[tuple[int, int], ...]
    wanted: Wanted
    room: int  # octets after which no more need to be made


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    """Values of an ordered list around a place. Outcome: port.Stretch."""

    index: str
    text: str
    before: int
    count: int
    databases: tuple[Database, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A record as a client hands it in."""

    data: bytes
    carrier: str
    encoding: str
    ident: str  # by which the client names it, "" = as it names itself


@dataclass(frozen=True, slots=True, kw_only=True)
class HandIn:
    """Records for the visitor's library. Outcome: a tuple of Handed, one a record."""

    actions: tuple[Action, ...]  # the first that is possible
    records: tuple[Offered, ...]
    note: str
    waits: bool  # until they are placed


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What became of one."""

    error: str = ""  # nothing was done with it, because
    said: str = ""  # new, matched cluster X, held for review
    why: tuple[str, ...] = ()
    waits: bool = False  # for a reviewer
    under_way: bool = False  # it will be placed
    submission: int = 0


Task: TypeAlias = Prove | Find | Take | List | HandIn
Outcome: TypeAlias = Visitor | Found | port.Stretch | list[NamePlusRecord | Trouble] | tuple[Handed, ...] | Trouble


class Send(msgspec.Struct, frozen=True):
    """Answer with these APDUs, and close the connection behind the last."""

    replies: Sequence[apdu.Apdu]
    last: bool = False


class Do(msgspec.Struct, frozen=True):
    """Do this first."""

    task: Task
    then: Callable[[Outcome], Step]


Step: TypeAlias = Send | Do
