"""Query strings into questions: what may be asked, how long, how deep. Whatever isn't right is a `BadInput` (400)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from multidict import MultiMapping

from catalog.search import port
from node.web.middleware import BadInput
from services.discovery.find import Question
from services.discovery.page import DEEPEST

LONGEST = 500  # characters of a query
LONGEST_VALUE = 200  # characters of a filter's value
MOST_FILTERS = 20
SIZE, MOST = 20, 100  # results a page: unless told, at most
# Python's own regular expression for control characters other than white space, which a form may well send.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def question(query: MultiMapping[str], *, strict: Collection[str] | None = None) -> Question:
    """The question in a query string. `strict` names the only parameters allowed besides ours (programs' addresses);
    pages pass None, because addresses gather foreign parameters on their way through mails and other sites."""
    if strict is not None:
        _refuse_unknown(query, strict)
    size = _number(query, "limit", SIZE, 1, MOST)
    deepest = DEEPEST // size
    return Question(
        text=_text(query.get("q", ""), "q", LONGEST).strip(),
        filters=_filters(query),
        sort=_choice(query, "sort", port.SORTS),
        page=_number(query, "page", 1, 1, deepest),
        size=size,
    )


def pairs(question: Question) -> list[tuple[str, str]]:
    """The question as parameters of an address; what is as usual is left out, so that equal questions look equal."""
    found = [("q", question.text)] if question.text else []
    found += list(question.filters)
    if question.sort != port.SORTS[0]:
        found.append(("sort", question.sort))
    if question.page > 1:
        found.append(("page", str(question.page)))
    return found


def _refuse_unknown(query: MultiMapping[str], others: Collection[str]) -> None:
    known = {"q", "sort", "page", "limit", "lang", *port.FACETS, *others}
    for name in query:
        if name not in known:
            raise BadInput(f"There is no parameter {name!r}; known are {', '.join(sorted(known))}.")


def _text(value: str, name: str, longest: int) -> str:
    if len(value) > longest:
        raise BadInput(f"{name} has {len(value):,} characters; at most {longest} are allowed.")
    if _CONTROL.search(value):
        raise BadInput(f"{name} contains control characters; leave them out.")
    return value


def _number(query: MultiMapping[str], name: str, default: int, low: int, high: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and low <= int(text) <= high):
        raise BadInput(f"{name} must be a whole number from {low} to {high:,}.")
    return int(text)


def _choice(query: MultiMapping[str], name: str, choices: Iterable[str]) -> str:
    known = tuple(choices)
    value = query.get(name, "") or known[0]
    if value not in known:
        raise BadInput(f"{name} must be one of {', '.join(known)}.")
    return value


def _filters(query: MultiMapping[str]) -> tuple[tuple[str, str], ...]:
    found: dict[tuple[str, str], None] = {}
    for name, value in query.items():
        if name in port.FACETS and value:
            found[name, _text(value, name, LONGEST_VALUE)] = None
    if len(found) > MOST_FILTERS:
        raise BadInput(f"At most {MOST_FILTERS} filters at once.")
    return tuple(found)
