"""Query strings into questions: what may be asked, how long, how deep. Whatever isn't right is a `BadInput` (400)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TypeVar, get_args

from multidict import MultiMapping

from catalog.search import port
from catalog.search.port import LONGEST_TEXT
from node.web.asking import HOPS, LEFT
from node.web.middleware import BadInput
from services.discovery import authorities
from services.discovery.find import Question

LONGEST_VALUE = 200  # characters of a filter's value
MOST_FILTERS = 20
SIZE = 20  # results a page unless told
SORTS: tuple[port.Sort, ...] = get_args(port.Sort)
# Control characters but white space, which a form may well send, and halves of characters.
Choice = TypeVar("Choice", bound=str)
_SHORT_NUMBER = re.compile(r"[0-9]{1,5}")
_NUMBERED = re.compile(r"[0-9]{1,18}")
_SCOPE = re.compile(r"[A-Za-z0-9-]{0,16}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def question(query: MultiMapping[str], *, strict: Collection[str] | None = None) -> Question:
    """The question in a query string. `strict` names the only parameters allowed besides ours (programs' addresses);
    pages pass None, because addresses gather foreign parameters on their way through mails and other sites."""
    if strict is not None:
        _refuse_unknown(query, strict, _OF_SEARCH)
    size = number(query, "limit", SIZE, 1, port.MOST_HITS)
    sort = _choice(query, "sort", SORTS)
    deepest = port.deepest(sort) // size
    return Question(
        text=_text(query.get("q", ""), "q", LONGEST_TEXT).strip(),
        filters=_filters(query),
        field=_choice(query, "field", port.FIELDS),
        sort=sort,
        page=number(query, "page", 1, 1, deepest),
        size=size,
        scope=_scope(query.get("scope", "")),
        home=_text(query["from"], "from", LONGEST_VALUE) if "from" in query else None,
    )


def names(query: MultiMapping[str], *, strict: bool = False) -> authorities.Question:
    """The question for authority records in a query string; `strict` as for `question`."""
    if strict:
        _refuse_unknown(query, (), {"q", "kind", "page", "limit", "lang"})
    size = number(query, "limit", SIZE, 1, port.MOST_HITS)
    return authorities.Question(
        text=_text(query.get("q", ""), "q", LONGEST_TEXT).strip(),
        kind=_choice(query, "kind", ("", *authorities.KINDS)),
        page=number(query, "page", 1, 1, port.DEEPEST // size),
        size=size,
    )


def passed_on(headers: Mapping[str, str]) -> tuple[float | None, int]:
    """Seconds left for the answer (None = not said) and the number of nodes that passed the question on."""
    left, hops = headers.get(LEFT, ""), headers.get(HOPS, "")
    return (
        int(left) / 1000 if _SHORT_NUMBER.fullmatch(left) else None,
        int(hops) if _SHORT_NUMBER.fullmatch(hops) else 0,
    )


def pairs(question: Question) -> list[tuple[str, str]]:
    """The question as parameters of an address; what is as usual is left out, so that equal questions look equal."""
    found = [("q", question.text)] if question.text else []
    if question.field != port.FIELDS[0]:
        found.append(("field", question.field))
    found += question.filters
    if question.sort != SORTS[0]:
        found.append(("sort", question.sort))
    if question.scope:
        found.append(("scope", question.scope))
    # Said even where there is none: beside a scope a library filter alone would be taken for it.
    if question.home or (question.scope and question.home is not None):
        found.append(("from", question.home))
    if question.page > 1:
        found.append(("page", str(question.page)))
    return found


_OF_SEARCH = {"q", "field", "sort", "page", "limit", "lang", "scope", "from", *port.FACETS}


def _refuse_unknown(query: MultiMapping[str], others: Collection[str], known: set[str]) -> None:
    known = known.union(others)
    for name in query:
        if name not in known:
            raise BadInput(f"There is no parameter {name!r}; known are {', '.join(sorted(known))}.")


def _text(value: str, name: str, longest: int) -> str:
    if len(value) > longest:
        raise BadInput(f"{name} has {len(value):,} characters; at most {longest} are allowed.")
    if _CONTROL.search(value):
        raise BadInput(f"{name} contains control characters; leave them out.")
    return value


def number(query: MultiMapping[str], name: str, default: int, low: int, high: int) -> int:
    """A whole number of a query string, `default` where it isn't said."""
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and low <= int(text) <= high):
        raise BadInput(f"{name} must be a whole number from {low} to {high:,}.")
    return int(text)


def numbered(text: str) -> int | None:
    """The number by which something is named in an address or a form; None if nothing is named so."""
    return int(text) if _NUMBERED.fullmatch(text) else None


def reasoned(why: str) -> str:
    """A reason for what is done. BadInput if there is none."""
    if not why.strip():
        raise BadInput("Say why: others will read it, and you will in a year.")
    return why.strip()


def _choice(query: MultiMapping[str], name: str, choices: tuple[Choice, ...]) -> Choice:
    value = query.get(name, "")
    chosen = next((each for each in choices if each == (value or choices[0])), None)
    if chosen is None:
        raise BadInput(f"{name} must be one of {', '.join(choices)}.")
    return chosen


def _scope(value: str) -> str:
    if not _SCOPE.fullmatch(value):
        raise BadInput("scope must be the key of a level, such as city or nation.")
    return value


def _filters(query: MultiMapping[str]) -> tuple[tuple[str, str], ...]:
    found: dict[tuple[str, str], None] = {}
    for name, value in query.items():
        if name in port.FACETS and value:
            found[name, _text(value, name, LONGEST_VALUE)] = None
    if len(found) > MOST_FILTERS:
        raise BadInput(f"At most {MOST_FILTERS} filters at once.")
    return tuple(found)
