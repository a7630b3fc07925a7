"""Records of a search, as a target gives them: in the first syntax of several that it has, in chunks that it can send
(shell).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from protocols.z3950 import client, diagnostics, oids
from protocols.z3950.apdu.parts import External, octets
from protocols.z3950.apdu.records import NamePlusRecord, SurrogateDiagnostic
from protocols.z3950.ber import Malformed
from protocols.z3950.client import Diagnosed, Wish
from protocols.z3950.diagnostics import Bib1
from protocols.z3950.primitive import Oid
from services.copying.asking import Found

# Diagnostics after which another syntax is asked for, and those after which no element set is named.
OF_SYNTAX = frozenset({Bib1.NO_DATA_IN_SYNTAX, Bib1.NOT_IN_SYNTAX, Bib1.SYNTAX, 1069, 1070, 1071})
OF_ELEMENTS = frozenset({Bib1.NO_ELEMENT_SETS, Bib1.ELEMENT_SET_NAME, 26})
MOST_SKIPPED = 3  # records in a row that can't be sent, before nothing more is asked for
MARC = range(1, 40)  # of the last arc of a syntax of MARC: 1.2.840.10003.5.N (register of record syntaxes)


class Presents(Protocol):
    """What gives records: `protocols.z3950.client.Connection`."""

    async def present(self, start: int, count: int, wish: Wish) -> tuple[NamePlusRecord, ...]: ...


class Fetch:
    """The records of one search. What a target turns out not to have isn't asked of it again."""

    def __init__(self, syntaxes: Iterable[str], elements: str, chunk: int) -> None:
        self._syntaxes = [oids.SYNTAXES[name] for name in syntaxes]
        self._elements = elements
        self._chunk = chunk
        self.notes: list[str] = []

    @property
    def wish(self) -> Wish:
        """In which form records are asked for now."""
        return Wish(syntax=self._syntaxes[0], elements=self._elements)

    async def records(self, target: Presents, most: int, sent: tuple[NamePlusRecord, ...] = ()) -> list[Found]:
        """Records from the first to `most`; `sent`: the first of them, if they are there. Raises Diagnosed if there
        are none for a reason that the target tells."""
        found: list[Found] = []
        if sent and (wrong := _syntax_lacks(sent)) and self._yields(wrong):
            sent = ()
        self._take(sent, 1, found)
        at, count, skipped = 1 + len(sent), self._chunk, 0
        while at <= most:
            asked = min(count, most - at + 1)
            try:
                got = await target.present(at, asked, self.wish)
            except Diagnosed as error:
                if self._yields(error.number):
                    continue
                if asked > 1:
                    count = max(1, asked // 2)
                    continue
                skipped += 1
                if skipped == MOST_SKIPPED or error.number == Bib1.OUT_OF_RANGE:
                    if not found:
                        raise
                    self.notes.append(str(error))
                    break
                self.notes.append(str(error))
                at += 1
                continue
            if not got:
                break
            if (wrong := _syntax_lacks(got)) and self._yields(wrong):
                continue
            skipped = 0
            self._take(got, at, found)
            at += len(got)
        return found

    def _yields(self, number: int) -> bool:
        """Whether something else can be asked for instead of what this diagnostic is about."""
        if number in OF_ELEMENTS and self._elements:
            self._elements = ""
            return True
        if number in OF_SYNTAX and len(self._syntaxes) > 1:
            del self._syntaxes[0]
            return True
        return False

    def _take(self, got: tuple[NamePlusRecord, ...], start: int, found: list[Found]) -> None:
        for position, each in enumerate(got, start):
            if isinstance(each.record, SurrogateDiagnostic):
                self.notes.append(f"{position}: {client.printable(diagnostics.said(each.record.diagnostic))}")
            elif isinstance(each.record, External) and (carrier := _carrier(each.record.direct_reference)):
                try:
                    raw = octets(each.record)
                except Malformed as error:
                    self.notes.append(f"{position}: {error}")
                    continue
                found.append(Found(raw=raw, carrier=carrier, database=each.name or "", position=position))
            else:
                self.notes.append(f"{position}: it is in a form that can't be read")


def _syntax_lacks(got: tuple[NamePlusRecord, ...]) -> int:
    """The diagnostic that stands for every one of some records, if it is about their syntax."""
    numbers = {
        getattr(each.record.diagnostic, "condition", 0) if isinstance(each.record, SurrogateDiagnostic) else 0
        for each in got
    }
    return numbers.pop() if len(numbers) == 1 else 0


def _carrier(syntax: Oid | None) -> str:
    """Our name of what a record is in, "" for what we don't read."""
    if syntax == oids.XML:
        return "marcxml"
    return "iso2709" if syntax and syntax[:-1] == oids.USMARC[:-1] and syntax[-1] in MARC else ""
