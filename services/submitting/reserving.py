"""Reservations: what an ISBN or a title is called in the table, and making them (store)."""

from __future__ import annotations

from catalog import libraries, reservations
from catalog.connection import Connection
from catalog.facts import Facts
from catalog.model import Description
from catalog.reservations import Reservation
from catalog.search.fold import squeeze
from config.errors import Misconfigured, NotFound
from dms.formats import identifiers

HOURS = 24.0
MOST_HOURS = 24.0 * 14
LONGEST = 300  # characters of a title


def key(told: str) -> str:
    """What an ISBN or a title is reserved as. Misconfigured if it is neither."""
    told = told.strip()
    if number := identifiers.isbn(told):
        return f"isbn:{number}"
    if identifiers.looks_like_isbn(told):
        raise Misconfigured(f"{told} looks like an ISBN, but its check digit is not right")
    folded = squeeze(told[:LONGEST])
    if not folded or len(told) > LONGEST:
        raise Misconfigured(f"give an ISBN, or a title of at most {LONGEST} characters")
    return f"title:{folded}"


def keys(facts: Facts, description: Description) -> list[str]:
    """Under which keys a record may be reserved: its ISBNs, its title, and its title with what follows it."""
    found = [f"isbn:{number}" for number in facts.isbns]
    for title in (description.title, f"{description.title}{description.subtitle}{description.volume}"):
        if folded := squeeze(title[:LONGEST]):
            found.append(f"title:{folded}")
    return list(dict.fromkeys(found))


async def make(conn: Connection, told: str, library: str, *, made_by: str, hours: float = HOURS) -> Reservation:
    """Reserve an ISBN or a title. NotFound if there is no such library; Conflict if it is another's; Misconfigured
    beyond two weeks.
    """
    if not 0 < hours <= MOST_HOURS:
        raise Misconfigured(f"a reservation is for up to {MOST_HOURS:.0f} hours, not {hours:g}")
    if await libraries.get(conn, library) is None:
        raise NotFound(f"there is no library {library} here")
    await reservations.tidy(conn)
    return await reservations.make(conn, key(told), told.strip(), library, hours=hours, made_by=made_by)
