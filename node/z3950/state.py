"""What a session knows: who it is for, what was agreed on at its start, and its result sets (values; pure)."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from config.settings import Z3950
from config.z3950 import NOBODY, Clients, Habits
from node.z3950 import characters
from node.z3950.visitors import Visitor
from protocols import query
from protocols.z3950 import charsets
from protocols.z3950.apdu.init import Option
from services.retrieval.databases import Database, Databases
from services.retrieval.results import ResultSet

LARGEST = 4 << 20  # octets of a message, whatever a client could take
SMALLEST = 1024
USUAL = 1 << 20  # where a client says nothing of use


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What all sessions of a door share."""

    told: Z3950
    databases: Databases
    clients: Clients
    version: str  # of the program
    lang: str  # of sentences for people
    updates: bool = False  # extended services are taken


class Kept(msgspec.Struct, frozen=True):
    """A result set of a session."""

    result: ResultSet
    asked: query.Node  # what it was found by, for queries that name it
    databases: tuple[Database, ...]  # that were searched


@dataclass(slots=True, eq=False)
class State:
    """Of one session."""

    house: House
    address: str  # "" = not known
    is_open: bool = False
    visitor: Visitor = field(default_factory=Visitor)
    habits: Habits = NOBODY
    options: frozenset[int] = frozenset()
    is_v3: bool = False
    preferred: int = USUAL  # octets of a message
    exceptional: int = LARGEST  # octets of a record
    charset: str = ""  # negotiated
    only_texts: bool = False  # negotiated for everything but records
    guessed: str = ""  # by what was found
    sets: dict[str, Kept] = field(default_factory=dict)  # the one that was used last is the last

    def keep(self, name: str, kept: Kept) -> None:
        """Keep a result set; of too many the one that was used longest ago goes, as many clients name a new one with
        every search and delete none (a server may: diagnostic 27 of bib-1 is of such).
        """
        self.sets.pop(name, None)
        if len(self.sets) >= self.house.told.sets:
            del self.sets[next(iter(self.sets))]
        self.sets[name] = kept

    def used(self, name: str) -> Kept | None:
        """The result set of that name."""
        kept = self.sets.pop(name, None)
        if kept is not None:
            self.sets[name] = kept
        return kept

    @property
    def known_charset(self) -> str:
        """In which the client is known to write, "" if it isn't."""
        return characters.read_as(self.charset or self.habits.charset or self.guessed)

    @property
    def of_texts(self) -> str:
        """In which terms, diagnostics and texts for people go to the client."""
        guessed = characters.GBK if self.guessed == characters.GB18030 else self.guessed
        return self.charset or self.habits.charset or guessed or characters.UTF8

    @property
    def of_records(self) -> str:
        """In which MARC records do."""
        return (self.habits.charset or characters.UTF8) if self.only_texts else self.of_texts

    @property
    def segmented(self) -> bool:
        """An answer may come in several messages."""
        return self.is_v3 and Option.LEVEL_1_SEGMENTATION in self.options

    def shown(self, text: str) -> str:
        """A text for an APDU, as the client reads it."""
        return charsets.spelt(text, self.of_texts)

    def read(self, text: str) -> str:
        """A text of an APDU, as it was meant; it is never certain."""
        octets = charsets.octets(text)
        return octets.decode(self.known_charset or characters.guesses((octets,))[0], "replace")
