"""Reads the settings of the Z39.50 door that are lists: databases of its own names, and habits of clients (pure).

`z3950.databases`: `NAME=DIALECT` or `NAME=DIALECT@SCOPE`, with blanks or commas between them; a scope is a level of the
scope bar (library, city, province, nation) or the symbol of a library.
`z3950.clients`: `WHO charset=gb18030 databases=A+B records=1000 sessions=5`, with semicolons between them. WHO is the
name of an account, or an address or network; an account is looked up before the network that it comes from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network

from config.allow import Network

CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "gbk": "gbk", "gb2312": "gbk", "gb18030": "gb18030"}
_DATABASE = re.compile(r"([A-Za-z0-9][\w.-]{0,39})=([A-Za-z0-9-]{1,20})(?:@([A-Za-z0-9-]{1,16}))?")
_ACCOUNT = re.compile(r"\w[\w.-]{1,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A database with a name of the operator's."""

    name: str
    dialect: str
    scope: str = ""  # "" = all that the node holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What is known of a client that it doesn't say, and how much it may; None = as of everybody."""

    charset: str = ""  # of its terms, and of records that have one of their own; "" = not known
    databases: frozenset[str] | None = None  # lower case
    records: int | None = None  # of a result set that it may take
    sessions: int | None = None  # at once from one address


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """Habits by account (lower case), and by network, narrow ones first."""

    accounts: dict[str, Habits]
    networks: tuple[tuple[Network, Habits], ...]

    def of(self, account: str, address: str) -> Habits:
        """Of an account, "" for nobody's, or of where it comes from ("" = not known)."""
        if found := self.accounts.get(account.lower()):
            return found
        if address:
            known = ip_address(address)
            for network, habits in self.networks:
                if known in network:
                    return habits
        return NOBODY


NOBODY = Habits()


@lru_cache(maxsize=8)
def databases(text: str) -> tuple[Named, ...]:
    """The value of `z3950.databases`. ValueError names the item that is wrong."""
    found = []
    for item in re.split(r"[\s,]+", text.strip()):
        if item:
            parts = _DATABASE.fullmatch(item)
            if parts is None:
                raise ValueError(f"{item} is no NAME=DIALECT or NAME=DIALECT@SCOPE")
            found.append(Named(name=parts[1], dialect=parts[2].lower(), scope=parts[3] or ""))
    return tuple(found)


@lru_cache(maxsize=8)
def clients(text: str) -> Clients:
    """The value of `z3950.clients`. ValueError names the item that is wrong."""
    accounts: dict[str, Habits] = {}
    networks: list[tuple[Network, Habits]] = []
    for item in filter(str.strip, text.split(";")):
        who, *words = item.split()
        habits = _habits(who, words)
        try:
            networks.append((ip_network(who), habits))
        except ValueError as error:
            if not _ACCOUNT.fullmatch(who):
                raise ValueError(f"{who} is no account, address or network ({error})") from error
            accounts[who.lower()] = habits
    networks.sort(key=lambda each: -each[0].prefixlen)
    return Clients(accounts=accounts, networks=tuple(networks))


def _habits(who: str, words: list[str]) -> Habits:
    told = dict(word.partition("=")[::2] for word in words)
    if not told or set(told) - {"charset", "databases", "records", "sessions"}:
        raise ValueError(f"{who}: say charset=, databases=, records= or sessions=, not {' '.join(words)!r}")
    charset = told.get("charset", "").lower()
    if charset and charset not in CHARSETS:
        raise ValueError(f"{who}: the charset is one of {', '.join(CHARSETS)}, not {charset}")
    named = told.get("databases", "")
    return Habits(
        charset=CHARSETS.get(charset, ""),
        databases=frozenset(named.lower().split("+")) if named else None,
        records=_count(who, told.get("records")),
        sessions=_count(who, told.get("sessions")),
    )


def _count(who: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ValueError(f"{who}: {text!r} is no number from 1 on")
    return int(text)
