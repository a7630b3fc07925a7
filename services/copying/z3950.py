"""Targets that speak Z39.50: a line to one, by its profile (shell)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from catalog.targets import Target
from config.secret import Secret
from dms.formats import identifiers
from protocols import target as profiles
from protocols.charsets import codec, encode
from protocols.http.guard import Rules
from protocols.query import Node, Or, Unanswerable, terms
from protocols.target import Profile
from protocols.z3950 import charsets, client, rpn
from protocols.z3950.apdu.init import IdPass
from protocols.z3950.apdu.parts import OtherInfo
from protocols.z3950.client import Connection, Diagnosed, Gone, How
from protocols.z3950.diagnostics import Bib1
from services.copying.asking import Answer, Closed, Found
from services.copying.fetching import Fetch

# What servers say that know no operators: then the operands are tried one after the other.
WITHOUT_OPERATORS = frozenset({Bib1.UNSUPPORTED_SEARCH, 6, Bib1.QUERY_TYPE, Bib1.MALFORMED_QUERY, Bib1.OPERATOR})
# What is said of an answer that was put together so.
FIRST_ONLY = "knows no operators: of what is joined by or, the rest was not asked for"
EACH_APART = "knows no operators: what is joined by or was asked for apart, and titles that are both count twice"
USUAL = {"isbn": "1=7", "issn": "1=8"}  # servers differ in the structure that they give numbers: none is named
_ATTRIBUTE = re.compile(r"([0-9]+)=([0-9]+)")

Password = Callable[[Target], Awaitable[Secret]]  # of a target; empty = it has none


class Z3950Line:
    """A connection to a target."""

    def __init__(self, target: Target, connection: Connection) -> None:
        profile = target.profile
        self._session, self._profile = connection, profile
        self.terms = negotiated(connection) or profile.terms
        self._chosen = {
            index: [(int(kind), int(value)) for kind, value in _ATTRIBUTE.findall(told)]
            for index, told in {**USUAL, **profile.attributes}.items()
        }
        self._fetch = Fetch(profile.syntaxes, profile.elements, profile.chunk)
        self._fresh = True

    async def ask(self, query: Node, most: int) -> Answer:
        """As `asking.Line`. A target that takes one database a query is asked about one after the other."""
        names = self._profile.databases
        hits, found, notes = 0, list[Found](), list[str]()
        for databases in [(name,) for name in names] if self._profile.apart else [names]:
            answer = await self._asked(query, databases, most - len(found))
            hits += answer.hits
            found += answer.found
            notes += answer.notes
            if len(found) >= most:
                break
        self._fresh = False
        return Answer(hits=hits, found=tuple(found), notes=tuple(notes))

    async def _asked(self, query: Node, databases: tuple[str, ...], most: int) -> Answer:
        try:
            return await self._searched(query, databases, most)
        except Diagnosed as error:
            if not isinstance(query, Or) or error.number not in WITHOUT_OPERATORS:
                raise
        left = await self._asked(query.left, databases, most)
        if left.hits and _of_one_number(query):
            return left
        right = Answer(hits=0, notes=(FIRST_ONLY,))
        if len(left.found) < most:
            try:
                right = await self._asked(query.right, databases, most - len(left.found))
            except Diagnosed:
                if not left.hits:
                    raise
        notes = (*left.notes, *right.notes, *((EACH_APART,) if left.hits and right.hits else ()))
        return Answer(hits=left.hits + right.hits, found=left.found + right.found, notes=tuple(dict.fromkeys(notes)))

    async def _searched(self, query: Node, databases: tuple[str, ...], most: int) -> Answer:
        asked = rpn.write(query, self._encode, self._chosen)
        along = min(most, self._profile.chunk)
        self._fetch.notes.clear()
        try:
            result = await self._session.search(asked, databases, records=along, wish=self._fetch.wish)
            found = await self._fetch.records(self._session, min(most, result.hits), result.records)
        except Gone as error:
            if self._fresh:
                raise
            raise Closed(str(error)) from error
        return Answer(hits=result.hits, found=tuple(found), notes=tuple(self._fetch.notes))

    def _encode(self, text: str) -> bytes:
        made = encode.encode(text, self.terms)
        if made.lost:
            raise Unanswerable("term", text, f"{text!r} can't be written in {self.terms}, in which the target is asked")
        return made.data

    async def close(self) -> None:
        """As `asking.Line`."""
        await self._session.close()

    @property
    def open(self) -> bool:
        """As `asking.Line`."""
        return self._session.usable


def _of_one_number(query: Node) -> bool:
    """Whether a query is an ISBN in several forms: whoever has one of them has answered."""
    found = list(terms(query))
    numbers = {identifiers.isbn(each.text) for each in found}
    return len(numbers) == 1 and None not in numbers and all(each.index == "isbn" for each in found)


def opener(rules: Rules, password: Password) -> Callable[[Target], Awaitable[Z3950Line]]:
    """What opens lines (`asking.Open`)."""

    async def open_line(target: Target) -> Z3950Line:
        return Z3950Line(target, await client.opened(how(target, rules, await password(target))))

    return open_line


def how(target: Target, rules: Rules, password: Secret) -> How:
    """Where a target is and how it is spoken to."""
    profile = target.profile
    return How(
        name=target.name,
        host=profile.host,
        port=profile.port,
        rules=rules,
        tls=profile.tls,
        seconds=profile.timeout,
        authentication=_authentication(profile, password),
        negotiation=_proposal(profile),
    )


def _authentication(profile: Profile, password: Secret) -> str | IdPass | None:
    match profile.auth:
        case profiles.OPEN:
            return client.open_form(profile.user, password)
        case profiles.IDPASS:
            return client.id_pass(profile.user, profile.group, password)
    return None


def _proposal(profile: Profile) -> OtherInfo | None:
    return charsets.propose(list(dict.fromkeys((codec.UTF8, profile.terms)))) if profile.negotiates else None


def negotiated(connection: Connection) -> str:
    """The character set of terms that both sides agreed on; "" if they did not."""
    accepted = connection.accepted
    if accepted is None:
        return ""
    answered = charsets.answered(accepted.other_info, accepted.user_information_field)
    return codec.UTF8 if answered and answered.charset == codec.UTF8 else ""
