"""What the operator told this node: one frozen tree, and where each value came from.

Order, later wins: default < `<home>/tianlu.toml` < environment (`TIANLU_WEB__PORT=8081`) < command-line flag.
A secret can be kept in a file of its own (`database.dsn_file`, `TIANLU_DATABASE__DSN_FILE`); its path is relative to
the home folder. An unknown key, a wrong type or a value out of range stops the start and names file, line and the
nearest key. The dataclasses below are the one list of settings: docs, checks and `config show` read their fields.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from config import allow, networks, told, z3950
from config.secret import Secret
from config.told import Told

FILE = "tianlu.toml"
ADDRESS = re.compile(r"https?://[^\s/?#]+/?")
EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+")
SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,15}")
DEFAULT = "default"
NOT_TOLD = Secret("")


def _told(default: object, about: str, **limits: object) -> Any:
    """A field with its sentence for the docs and the limits that `told.check` reads: choices, low, high, pattern with
    its `shape` in words, `read` that raises ValueError."""
    return field(default=default, metadata={"about": about, **limits})


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Who this node is."""

    symbol: str = _told(
        "",
        "code of this node's library (ISIL letters, digits, hyphen)",
        pattern=SYMBOL,
        shape="1 to 16 letters, digits and hyphens, starting with a letter or digit",
    )
    tier: str = _told("local", "preset of capabilities", choices=("central", "domain", "local"))
    name: str = _told("", "name of the library, in its own language")


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Where the catalogue is kept; empty = the embedded PostgreSQL in the home folder."""

    # Ruff holds a call for a shared mutable default; this one returns a field, and a Secret never changes.
    dsn: Secret = _told(NOT_TOLD, "address of a PostgreSQL 15 or newer: postgresql://user:password@host/name")  # noqa: RUF009
    programs: str = _told("auto", "PostgreSQL programs of the embedded server: auto, machine, wheel or a folder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """The web door."""

    host: str = _told("127.0.0.1", "address to listen on; 0.0.0.0 opens the node to the network")
    port: int = _told(8080, "TCP port to listen on", low=1, high=65535)
    base_url: str = _told(
        "",
        "http(s)://host[:port]/ that visitors know; empty = as each of them asks",
        pattern=ADDRESS,
        shape="an address like https://catalogue.example.org/ without a path",
    )
    proxies: str = _told(
        "", "addresses and networks of reverse proxies, whose X-Forwarded-For is believed; empty = none",
        read=networks.read,
    )  # fmt: skip
    connections: int = _told(4000, "connections at once", low=16)
    connections_each: int = _told(200, "connections at once of one address", low=1)
    at_work: int = _told(16, "requests that are worked on at once", low=1, high=1000)
    waiting: int = _told(64, "requests that wait for that; further ones are told to come back", low=0, high=100_000)
    rate: float = _told(20.0, "requests a second of one block of addresses, while others ask too", low=0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Oai:
    """The OAI-PMH provider."""

    admin_email: str = _told(
        "",
        "mail address of those who look after it; empty = postmaster",
        pattern=EMAIL,
        shape="a mail address",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Z3950:
    """The Z39.50 door."""

    host: str = _told("127.0.0.1", "address to listen on; 0.0.0.0 opens it to the network")
    port: int = _told(9999, "TCP port to listen on; 0 takes a free one", low=0, high=65535)
    certificate: str = _told(
        "", "PEM file of a certificate with its chain, relative to the home folder: then TLS is spoken; empty = none"
    )
    key: str = _told("", "PEM file of its private key; empty = in the certificate's file")
    search: str = _told("everybody", "who may search: everybody, or accounts alone", choices=("everybody", "accounts"))
    dialect: str = _told("cnmarc-nlc", "UNIMARC dialect of databases that name none",
                         choices=("cnmarc-nlc", "cnmarc-calis", "unimarc"))  # fmt: skip
    databases: str = _told("", "further databases: NAME=DIALECT or NAME=DIALECT@SCOPE", read=z3950.databases)
    clients: str = _told(
        "", "what clients don't say, and may: WHO charset=gb18030 databases=A+B records=N sessions=N; …",
        read=z3950.clients,
    )  # fmt: skip
    sessions: int = _told(1000, "sessions at once", low=1)
    sessions_each: int = _told(100, "sessions at once of one address; this machine's own are not counted", low=1)
    sets: int = _told(50, "result sets of one session; of more the one used longest ago goes", low=1, high=1000)
    idle: int = _told(600, "seconds without a request after which a session ends", low=5)
    at_work: int = _told(8, "requests that are worked on at once", low=1, high=256)
    waiting: int = _told(64, "requests that wait for that; further ones are refused", low=0, high=100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """The worker, which prepares, places and merges records."""

    processes: int = _told(os.cpu_count() or 1, "processes that prepare records (default: one a core)", low=1, high=256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """How this node meets others."""

    key: str = _told("node.key", "file of this node's private key, in the home folder unless absolute")
    address: str = _told("", "http(s)://host[:port]/ that other nodes reach this one at; empty = that of the web door")
    proxy: Secret = _told(  # noqa: RUF009
        NOT_TOLD,
        "HTTP proxy that this node's requests go through: http://host:port or http://user:password@host:port",
        pattern=ADDRESS,
        shape="an address like http://proxy.example.org:3128",
    )
    corrections: str = _told(
        "review", "corrections that a parent offers: review = a person decides", choices=("review", "accept")
    )
    peer_requests: int = _told(60_000, "requests that each other node may make in an hour", low=60)
    peer_megabytes: int = _told(20_000, "megabytes that each other node may send and fetch in an hour", low=16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """What this node's own requests may reach."""

    allow: str = _told(
        "", "private networks (10.20.0.0/16), hosts and host:port that requests may reach besides", read=allow.read
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What goes to standard error."""

    level: str = _told("info", "least level that a running node writes", choices=("debug", "info", "warning", "error"))
    format: str = _told("text", "json = one object a line", choices=("text", "json"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a load is held for a person's decision before anything of it is published."""

    mojibake: float = _told(0.01, "share of records with damaged text", low=0.0, high=1.0)
    rejects: float = _told(0.1, "share of records returned or unreadable", low=0.0, high=1.0)
    title_changes: float = _told(0.1, "share of already known records whose title changed", low=0.0, high=1.0)
    delete_share: float = _told(0.02, "share of a source's records that a full dump may delete", low=0.0, high=1.0)
    delete_records: int = _told(1000, "records that a full dump may delete", low=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who comes in, and for how long."""

    duties: str = _told(
        "together",
        "separate = operator, security and auditor are different accounts, and commands ask who is there (--as)",
        choices=("together", "separate"),
    )
    totp: str = _told(
        "duties",
        "who must sign in with a one-time code beside the password: those with a duty, all staff or nobody",
        choices=("duties", "staff", "nobody"),
    )
    idle_minutes: int = _told(30, "minutes without a request after which a session ends", low=1, high=720)
    absolute_hours: int = _told(12, "hours after which a session ends in any case", low=1, high=168)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The audit log."""

    days: int = _told(365, "days that its entries are kept, at the least 180", low=180)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole tree, and the origin of every value by its dotted key."""

    node: Node = field(default_factory=Node)
    database: Database = field(default_factory=Database)
    web: Web = field(default_factory=Web)
    oai: Oai = field(default_factory=Oai)
    z3950: Z3950 = field(default_factory=Z3950)
    worker: Worker = field(default_factory=Worker)
    exchange: Exchange = field(default_factory=Exchange)
    access: Access = field(default_factory=Access)
    http: Http = field(default_factory=Http)
    log: Log = field(default_factory=Log)
    limits: Limits = field(default_factory=Limits)
    audit: Audit = field(default_factory=Audit)
    lang: str = _told("", "language of messages; empty = of the terminal or browser", choices=("", "zh", "en"))
    origins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One setting as the docs and `config show` name it."""

    name: str  # dotted, e.g. "web.port"
    kind: type
    default: object
    about: str
    limits: Mapping[str, Any]


def _keys_of(cls: type, prefix: str) -> Iterator[Key]:
    kinds = get_type_hints(cls)
    for each in fields(cls):
        if "about" in each.metadata:
            about = each.metadata["about"]
            yield Key(
                name=prefix + each.name,
                kind=kinds[each.name],
                default=each.default,
                about=about,
                limits={name: limit for name, limit in each.metadata.items() if name != "about"},
            )
        elif not prefix and each.name != "origins":
            yield from _keys_of(kinds[each.name], f"{each.name}.")


KEYS: dict[str, Key] = {key.name: key for key in _keys_of(Settings, "")}
SECTIONS: dict[str, type] = {
    name: kind for name, kind in get_type_hints(Settings).items() if any(key.startswith(f"{name}.") for key in KEYS)
}


def load(
    home: Path, environ: Mapping[str, str], flags: Mapping[str, object] | None = None, file: str = FILE
) -> Settings:
    """The settings of the node in `home`.

    `flags` maps dotted keys to values given on the command line. Raises Misconfigured.
    """
    values: dict[str, Told] = {name: Told(value=key.default, origin=DEFAULT) for name, key in KEYS.items()}
    path = home / file
    if path.is_file():
        values.update(told.from_toml(path, KEYS))
    values.update(told.from_environment(environ, KEYS, home))
    for name, value in (flags or {}).items():
        values[name] = told.check(KEYS[name], value, told.flag(name))
    return _build(values)


def value(settings: Settings, name: str) -> object:
    """The value of a dotted key."""
    section, _, leaf = name.rpartition(".")
    return getattr(getattr(settings, section) if section else settings, leaf)


def _build(values: Mapping[str, Told]) -> Settings:
    parts: dict[str, dict[str, Any]] = {}
    top: dict[str, Any] = {}
    for name, each in values.items():
        section, _, leaf = name.rpartition(".")
        (parts.setdefault(section, {}) if section else top)[leaf] = each.value
    origins = {name: each.origin for name, each in values.items()}
    built = {section: SECTIONS[section](**leaves) for section, leaves in parts.items()}
    return Settings(**built, **top, origins=origins)
