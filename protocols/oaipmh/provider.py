"""What a harvester asks for: arguments in, a request value or an `OaiError` out.

`parse` checks everything that needs no catalogue (verbs, arguments, dates, tokens: OAI-PMH 2.0, 3.6 and 4); the shell
answers the request value and raises the errors that only the catalogue knows (`no_such_record`, `nothing`, …).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal

from config import errors
from protocols.oaipmh import tokens

ListVerb = Literal["ListRecords", "ListIdentifiers"]
DAY = re.compile(r"\d{4}-\d\d-\d\d")
SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
SET_SPEC = re.compile(r"[A-Za-z0-9\-_.!~*'()]+(:[A-Za-z0-9\-_.!~*'()]+)*")  # OAI-PMH.xsd, setSpecType


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a verb takes; `exclusive` may only stand alone."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    exclusive: str = ""


_LIST = Arguments(frozenset({"metadataPrefix"}), frozenset({"from", "until", "set"}), "resumptionToken")
VERBS: Mapping[str, Arguments] = {
    "Identify": Arguments(),
    "ListMetadataFormats": Arguments(optional=frozenset({"identifier"})),
    "ListSets": Arguments(exclusive="resumptionToken"),
    "GetRecord": Arguments(required=frozenset({"identifier", "metadataPrefix"})),
    "ListIdentifiers": _LIST,
    "ListRecords": _LIST,
}


class OaiError(errors.TianluError):
    """An error of the protocol (OAI-PMH 2.0, 3.6): `oai` is its code, the message goes to the harvester."""

    code = "oai"
    SILENT: ClassVar[frozenset[str]] = frozenset({"badVerb", "badArgument"})  # whose answers repeat no argument

    def __init__(self, oai: str, message: str) -> None:
        super().__init__(message)
        self.oai = oai


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify:
    """Who are you?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFormats:
    """Which formats, altogether or for one record?"""

    identifier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSets:
    """Which sets?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRecord:
    """One record in one format."""

    identifier: str
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of records or headers with `since` ≤ datestamp ≤ `until`, after `after`."""

    verb: ListVerb
    prefix: str
    since: datetime | None  # inclusive
    until: datetime | None  # inclusive: the last microsecond of the second or day asked for
    spec: str  # set, "" = everything
    after: tuple[datetime, int] | None = None  # keyset: datestamp with microseconds, cluster number
    cursor: int = 0  # records given on earlier pages


Request = Identify | ListFormats | ListSets | GetRecord | Listing


def shown(pairs: Iterable[tuple[str, str]], error: OaiError | None = None) -> list[tuple[str, str]]:
    """The arguments that the answer's `request` element repeats."""
    return [] if error and error.oai in OaiError.SILENT else list(pairs)


def parse(pairs: list[tuple[str, str]], *, formats: Collection[str], key: bytes, now: datetime) -> Request:
    """The request that `pairs` of arguments (as received, repeats included) make. Raises `OaiError`."""
    verb, arguments = _arguments(pairs)
    if verb == "Identify":
        return Identify()
    if verb == "ListMetadataFormats":
        return ListFormats(identifier=arguments.get("identifier", ""))
    if verb == "ListSets":
        if "resumptionToken" in arguments:
            raise OaiError("badResumptionToken", "ListSets is one page here; it gives no resumption token.")
        return ListSets()
    if "resumptionToken" in arguments:
        return _resumed(verb, arguments["resumptionToken"], key, now)
    prefix = arguments["metadataPrefix"]
    if prefix not in formats:
        raise OaiError("cannotDisseminateFormat", f"Formats here: {', '.join(sorted(formats))}.")
    if verb == "GetRecord":
        return GetRecord(identifier=arguments["identifier"], prefix=prefix)
    since, until = window(arguments.get("from", ""), arguments.get("until", ""))
    return Listing(verb=_list_verb(verb), prefix=prefix, since=since, until=until, spec=_spec(arguments.get("set", "")))


def _arguments(pairs: list[tuple[str, str]]) -> tuple[str, dict[str, str]]:
    """The verb and its arguments, each known, present where required, and given once."""
    verbs = [value for name, value in pairs if name == "verb"]
    if len(verbs) != 1 or verbs[0] not in VERBS:
        raise OaiError("badVerb", f"Give one verb of {', '.join(VERBS)}.")
    verb, rules = verbs[0], VERBS[verbs[0]]
    arguments: dict[str, str] = {}
    for name, value in pairs:
        if name == "verb":
            continue
        if name not in rules.required | rules.optional | {rules.exclusive}:
            raise OaiError("badArgument", f"{verb} takes no argument of that name.")
        if name in arguments:
            raise OaiError("badArgument", f"The argument {name} is repeated.")
        if not value:
            raise OaiError("badArgument", f"The argument {name} is empty.")
        arguments[name] = value
    if rules.exclusive in arguments:
        if len(arguments) > 1:
            raise OaiError("badArgument", "resumptionToken is exclusive: give it alone.")
    elif missing := rules.required - arguments.keys():
        raise OaiError("badArgument", f"{verb} needs {', '.join(sorted(missing))}.")
    return verb, arguments


def _list_verb(verb: str) -> ListVerb:
    return "ListRecords" if verb == "ListRecords" else "ListIdentifiers"


def _resumed(verb: str, token: str, key: bytes, now: datetime) -> Listing:
    try:
        place = tokens.read(token, key=key, now=now)
    except tokens.BadToken as error:
        raise OaiError("badResumptionToken", str(error)) from error
    if place.verb != verb:
        raise OaiError("badResumptionToken", f"This resumption token continues {place.verb}.")
    return Listing(
        verb=_list_verb(verb),
        prefix=place.prefix,
        since=place.since,
        until=place.until,
        spec=place.spec,
        after=(place.at, place.number),
        cursor=place.cursor,
    )


def _spec(spec: str) -> str:
    if spec and not SET_SPEC.fullmatch(spec):
        raise OaiError("badArgument", "The set is not a legal setSpec.")
    return spec


def window(since: str, until: str) -> tuple[datetime | None, datetime | None]:
    """The bounds that `from` and `until` mean, both inclusive to the microsecond (OAI-PMH 2.0, 3.3 and 3.6).

    A day's or second's `until` reaches its last microsecond: records are kept with microseconds but shown in seconds,
    so that whatever carries the datestamp `until` is inside.
    """
    if since and until and len(since) != len(until):
        raise OaiError("badArgument", "from and until differ in granularity.")
    first = _date(since, "from")
    last = _date(until, "until")
    if last:
        width = timedelta(days=1) if DAY.fullmatch(until) else timedelta(seconds=1)
        last += width - timedelta(microseconds=1)
    if first and last and first > last:
        raise OaiError("badArgument", "from is after until.")
    return first, last


def _date(text: str, name: str) -> datetime | None:
    if not text:
        return None
    try:
        if DAY.fullmatch(text):
            return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        if SECOND.fullmatch(text):
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:  # the form is right, the day isn't, such as 30 February
        raise OaiError("badArgument", f"{name} is no date of the calendar.") from error
    raise OaiError("badArgument", f"{name} must be YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ.")


def no_such_record(identifier: str) -> OaiError:
    """GetRecord or ListMetadataFormats of what isn't here."""
    return OaiError("idDoesNotExist", f"There is no record {identifier!r} here.")


def nothing() -> OaiError:
    """An empty list."""
    return OaiError("noRecordsMatch", "No record matches these arguments.")


def no_sets() -> OaiError:
    """Sets were asked for where there are none."""
    return OaiError("noSetHierarchy", "This repository has no sets yet.")


def token_after(request: Listing, last: tuple[datetime, int], given: int, *, key: bytes, now: datetime) -> str:
    """The token for the page after `last`, the keyset of the last of `given` records on this page."""
    place = tokens.Place(
        verb=request.verb,
        prefix=request.prefix,
        since=request.since,
        until=request.until,
        spec=request.spec,
        at=last[0],
        number=last[1],
        cursor=request.cursor + given,
    )
    return tokens.mint(place, key=key, now=now)
