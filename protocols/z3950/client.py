"""A Z39.50 client: one connection to one target, one operation at a time (shell).

    async with client.session(how) as target:
        result = await target.search(query, ("Default",), records=10, wish=Wish(...))
        records = await target.present(1, 20, wish)

Nothing that a server does holds it up or fills it: an operation has its seconds, an answer its octets, and a connection
whose operation did not end in order is not used again. What a server says it can't do is `Diagnosed`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from config.errors import Refused, Unreachable
from config.secret import Secret
from protocols.http import connect
from protocols.http.guard import Rules
from protocols.z3950 import apdu, diagnostics, userinfo
from protocols.z3950.apdu import close, init, search
from protocols.z3950.apdu.init import Option
from protocols.z3950.apdu.parts import DefaultDiagFormat, DiagRec, OtherInfo
from protocols.z3950.apdu.present import PresentRequest, PresentResponse, Segment
from protocols.z3950.apdu.query import RpnQuery, Type1
from protocols.z3950.apdu.records import MultipleDiagnostics, NamePlusRecord, Records
from protocols.z3950.ber import Frames, Malformed
from protocols.z3950.limits import Limits
from protocols.z3950.primitive import Oid

NAME = "Tianlu"
ANSWERS = Limits(octets=5 << 20, elements=50_000)  # of an answer: what we say that we take, and some more
MOST_SEGMENTS = 500  # APDUs before the one that ends an answer
READ = 1 << 16  # bytes at once
LARGE = (1 << 31) - 1  # more hits than any server has
MESSAGE, RECORD = 1 << 20, 4 << 20  # octets that we take: of an APDU usually, of one with a single large record
SET = "default"
LONGEST = 200  # characters of a server's own words that are shown
OPTIONS = frozenset({Option.SEARCH, Option.PRESENT, Option.SCAN, Option.NAMED_RESULT_SETS, Option.LEVEL_1_SEGMENTATION})

A = TypeVar("A", bound=apdu.Response)


class Diagnosed(Refused):
    """The target says that it can't, and why: a number of set bib-1 (0 = of another set) and the value it is about."""

    code = "target-diagnostic"

    def __init__(self, name: str, said: DiagRec) -> None:
        super().__init__(f"{name}: {printable(diagnostics.said(said))}")
        self.number = said.condition if isinstance(said, DefaultDiagFormat) else 0
        self.addinfo = said.text if isinstance(said, DefaultDiagFormat) else ""


class NotAdmitted(Refused):
    """The target does not let us in."""

    code = "target-not-admitted"


class Gone(Unreachable):
    """The target closed the connection."""

    code = "target-gone"


class Nonsense(Unreachable):
    """The target answers what is no answer, or too much."""

    code = "target-nonsense"


class Silent(Unreachable):
    """The target did not answer in time."""

    code = "target-silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """Where a target is and how it is spoken to."""

    name: str  # for messages
    host: str
    port: int
    rules: Rules
    tls: bool = False
    seconds: float = 20.0  # that connecting, and each operation, may take
    authentication: str | init.IdPass | None = field(default=None, repr=False)
    negotiation: OtherInfo | None = None  # proposal of character sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """In which form records are asked for."""

    syntax: Oid
    elements: str = ""  # element set; empty = none is named


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a search found. `records`: the first of them, if the target sent them along."""

    hits: int
    records: tuple[NamePlusRecord, ...] = ()


def open_form(user: str, password: Secret) -> str:
    """Who asks, as one text."""
    return f"{user}/{password.reveal()}" if password else user


def id_pass(user: str, group: str, password: Secret) -> init.IdPass:
    """Who asks, as three."""
    return init.IdPass(group_id=group or None, user_id=user, password=password.reveal() or None)


class Connection:
    """An open connection. `usable` only between operations that ended in order."""

    def __init__(self, how: How, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.how = how
        self.usable = False
        self.accepted: init.InitResponse | None = None
        self._reader, self._writer = reader, writer
        self._frames = Frames(ANSWERS)
        self._waiting: deque[bytes] = deque()  # APDUs that came together with others

    async def begin(self) -> init.InitResponse:
        """Initialize. NotAdmitted if the target does not let us in."""
        how = self.how
        options = OPTIONS | ({Option.NEGOTIATION} if how.negotiation else frozenset())
        request = init.InitRequest(
            protocol_version=init.VERSIONS,
            options=options,
            preferred_message_size=MESSAGE,
            exceptional_record_size=RECORD,
            id_authentication=how.authentication,
            implementation_id=NAME,
            implementation_name=NAME,
            implementation_version="1",
            other_info=(how.negotiation,) if how.negotiation else None,
        )
        accepted, _ = await self._operation(request, init.InitResponse)
        if not accepted.result:
            self.usable = False
            raise NotAdmitted(f"{how.name} does not let us in{_why(accepted)}")
        self.accepted = accepted
        return accepted

    async def search(
        self, query: RpnQuery, databases: Sequence[str], *, records: int = 0, wish: Wish | None = None
    ) -> Result:
        """Search, and have up to so many records sent along, where the target does that. Raises Diagnosed."""
        along = records if wish else 0
        request = search.SearchRequest(
            small_set_upper_bound=along,
            large_set_lower_bound=LARGE if along else 1,
            medium_set_present_number=along,
            replace_indicator=True,
            result_set_name=SET,
            database_names=tuple(databases),
            small_set_element_set_names=(wish.elements or None) if along and wish else None,
            medium_set_element_set_names=(wish.elements or None) if along and wish else None,
            preferred_record_syntax=wish.syntax if wish else None,
            query=Type1(query),
        )
        answer, _ = await self._operation(request, search.SearchResponse)
        if not answer.search_status:
            raise self._diagnosed(answer.records)
        sent = answer.records if isinstance(answer.records, tuple) else ()
        return Result(hits=max(0, answer.result_count), records=sent[:along])

    async def present(self, start: int, count: int, wish: Wish) -> tuple[NamePlusRecord, ...]:
        """Records of the last search from a place on (1 = the first): as many as asked for, or fewer. Raises
        Diagnosed."""
        request = PresentRequest(
            result_set_id=SET,
            result_set_start_point=start,
            number_of_records_requested=count,
            record_composition=wish.elements or None,
            preferred_record_syntax=wish.syntax,
        )
        answer, before = await self._operation(request, PresentResponse)
        if answer.records is not None and not isinstance(answer.records, tuple):
            raise self._diagnosed(answer.records)
        return (*before, *(answer.records or ()))[:count]

    async def close(self) -> None:
        """Say good-bye, and wait for no answer."""
        ending, self.usable = self.usable, False
        if ending:
            with contextlib.suppress(OSError):
                self._writer.write(apdu.encode(close.Close(close_reason=close.CloseReason.FINISHED)))
        self._writer.close()

    def _diagnosed(self, records: Records | None) -> Diagnosed:
        said: DiagRec | None = None
        if isinstance(records, MultipleDiagnostics):
            said = next(iter(records.diagnostics), None)
        elif isinstance(records, DefaultDiagFormat):
            said = records
        return Diagnosed(self.how.name, said or diagnostics.diagnostic(diagnostics.Bib1.UNSPECIFIED))

    async def _operation(self, request: apdu.Request, wanted: type[A]) -> tuple[A, tuple[NamePlusRecord, ...]]:
        """One operation from request to answer, and the records of segments before it."""
        name = self.how.name
        self.usable = False
        try:
            async with asyncio.timeout(self.how.seconds):
                self._writer.write(apdu.encode(request))
                await self._writer.drain()
                answer, before = await self._answer(wanted)
        except TimeoutError as error:
            raise Silent(f"{name}: no answer within {self.how.seconds:g} s") from error
        except Malformed as error:
            raise Nonsense(f"{name} answers what is no Z39.50: {error}") from error
        except OSError as error:
            raise Gone(f"{name} closed the connection: {error.strerror or type(error).__name__}") from error
        self.usable = True
        return answer, before

    async def _answer(self, wanted: type[A]) -> tuple[A, tuple[NamePlusRecord, ...]]:
        records: list[NamePlusRecord] = []
        octets = 0
        for _ in range(MOST_SEGMENTS):
            raw = await self._next()
            octets += len(raw)
            if octets > ANSWERS.octets:
                break
            got = apdu.decode(raw, ANSWERS)
            if isinstance(got, wanted):
                return got, tuple(records)
            if isinstance(got, close.Close):
                why = got.diagnostic_information or f"reason {got.close_reason}"
                raise Gone(f"{self.how.name} closed the session: {printable(why)}")
            if not isinstance(got, Segment) or wanted is not PresentResponse:
                raise Nonsense(f"{self.how.name} answers {type(got).__name__} where {wanted.__name__} is due")
            records += got.segment_records
        raise Nonsense(f"{self.how.name} answers more than {ANSWERS.octets:,} octets or {MOST_SEGMENTS} segments")

    async def _next(self) -> bytes:
        while not self._waiting:
            if self._frames.broken:
                raise self._frames.broken
            data = await self._reader.read(READ)
            if not data:
                raise Gone(f"{self.how.name} closed the connection")
            self._waiting += self._frames.feed(data)
        return self._waiting.popleft()


def printable(text: str) -> str:
    """What a server says, for a terminal: short, and without controls and halves of characters."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:LONGEST])


def _why(accepted: init.InitResponse) -> str:
    """Why, where the server says so; else which server it is."""
    if said := userinfo.refused(accepted.user_information_field):
        return f": {printable(diagnostics.said(said))}"
    return f" ({printable(accepted.implementation_name)})" if accepted.implementation_name else ""


async def opened(how: How) -> Connection:
    """A connection on which operations may begin. Raises Forbidden, Unreachable or NotAdmitted."""
    reader, writer = await connect.connect(how.host, how.port, how.rules, tls=how.tls, seconds=how.seconds)
    made = Connection(how, reader, writer)
    try:
        await made.begin()
    except BaseException:
        await made.close()
        raise
    return made


@contextlib.asynccontextmanager
async def session(how: How) -> AsyncIterator[Connection]:
    """A connection for the length of the block."""
    made = await opened(how)
    try:
        yield made
    finally:
        await made.close()
