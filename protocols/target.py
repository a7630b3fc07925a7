"""How another catalogue is asked: what its server understands, and what it answers in (pure).

A profile is kept as JSON, without its password. Every server of the installed base has habits of its own: a database a
query, GBK without saying so, names of users in one text or three fields, ten records at once and no more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from config.errors import Misconfigured
from protocols import dialect, query
from protocols.charsets import codec

PORT = 210  # of Z39.50 (IANA)
NONE, OPEN, IDPASS = "none", "open", "idpass"
AUTHS = (NONE, OPEN, IDPASS)  # nothing, one text, or group, user and password (Z39.50:2003, 3.2.1.1.2)
SYNTAXES = ("unimarc", "usmarc", "xml", "sutrs")  # that a record can be made of, or at least be shown
ELEMENTS = re.compile(r"[A-Za-z0-9._:/-]{0,120}")
HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*")
NAMED = re.compile(r"[^\x00-\x20/\x7f]{1,120}")  # a database
ATTRIBUTES = re.compile(r"[1-9][0-9]{0,2}=[0-9]{1,5}(?: [1-9][0-9]{0,2}=[0-9]{1,5}){0,9}")  # 1=7 4=2
MOST_DATABASES, MOST_CHUNK, LONGEST, LONGEST_WAIT = 20, 500, 200, 300


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a target's operator told ours."""

    host: str
    port: int = PORT
    tls: bool = False
    databases: tuple[str, ...] = ("Default",)
    apart: bool = False  # it takes one database a query, so that several are asked one by one
    terms: str = "utf-8"  # character set of what is searched for
    records: str = "auto"  # character set of its records; auto = judged on evidence, record by record
    negotiates: bool = True  # it is asked for UTF-8 (character set negotiation 3)
    auth: str = NONE
    user: str = ""
    group: str = ""
    syntaxes: tuple[str, ...] = ("unimarc", "usmarc")  # that are asked for, the best first
    elements: str = "F"  # element set; empty = none is named
    chunk: int = 20  # records that are asked for at once
    dialect: str = "auto"  # what tags of its records mean: a name of `dialect.DIALECTS`, auto = judged by the record
    attributes: Mapping[str, str] = {}  # bib-1 attributes that it wants for an index of ours: {"isbn": "1=7 4=1"}
    drops: tuple[str, ...] = ()  # fields of its own that nobody else wants, beside the usual ones
    timeout: float = 20.0  # seconds that an answer may take

    @property
    def address(self) -> str:
        """host:port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(Profile)
_DROP = re.compile(r"[0-9A-Z.]{3}")
# What is wrong with a value, by field: a test that it passes, and what it should be.
_CHECKS: Mapping[str, tuple[Callable[[Any], object], str]] = {
    "host": (HOST.fullmatch, "a host name or an IP address"),
    "port": (lambda value: 1 <= value <= 65535, "a TCP port, 1 to 65535"),
    "databases": (
        lambda value: 1 <= len(value) <= MOST_DATABASES and all(map(NAMED.fullmatch, value)),
        f"1 to {MOST_DATABASES} names without blanks",
    ),
    "auth": (lambda value: value in AUTHS, f"one of {', '.join(AUTHS)}"),
    "user": (lambda value: len(value) <= LONGEST and value.isprintable(), f"at most {LONGEST} printable characters"),
    "group": (lambda value: len(value) <= LONGEST and value.isprintable(), f"at most {LONGEST} printable characters"),
    "syntaxes": (
        lambda value: value and len(set(value)) == len(value) and set(value) <= set(SYNTAXES),
        f"some of {', '.join(SYNTAXES)}, each once",
    ),
    "elements": (ELEMENTS.fullmatch, "a name such as F, B or marcxml"),
    "chunk": (lambda value: 1 <= value <= MOST_CHUNK, f"1 to {MOST_CHUNK} records"),
    "dialect": (lambda value: value in ("auto", *dialect.DIALECTS), f"one of auto, {', '.join(dialect.DIALECTS)}"),
    "attributes": (
        lambda value: all(name in query.INDEXES and ATTRIBUTES.fullmatch(told) for name, told in value.items()),
        f"an index and its bib-1 attributes, such as isbn: 1=7 4=1; indexes: {', '.join(query.INDEXES)}",
    ),
    "drops": (lambda value: all(map(_DROP.fullmatch, value)), "tags, with dots for any character: 905 9.."),
    "timeout": (lambda value: 0.1 <= value <= LONGEST_WAIT, f"0.1 to {LONGEST_WAIT} seconds"),
}  # fmt: skip


def checked(profile: Profile) -> Profile:
    """The profile with character sets as `codec.known` spells them. Misconfigured names the field that is wrong."""
    for name, (passes, shape) in _CHECKS.items():
        if not passes(value := getattr(profile, name)):
            raise Misconfigured(f"{name} must be {shape}, not {value!r}")
    if profile.auth != NONE and not profile.user:
        raise Misconfigured(f"auth {profile.auth} needs a user")
    return msgspec.structs.replace(
        profile,
        host=profile.host.lower().removesuffix("."),
        terms=codec.known(profile.terms),
        records=profile.records if profile.records == "auto" else codec.known(profile.records),
    )


def address(text: str) -> tuple[str, int]:
    """(host, port) of `host`, `host:port` or `[address]:port`. Misconfigured if it is none."""
    host, sign, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not sign or (":" in host and not host.endswith("]")):
        host, port = text, str(PORT)
    if not (port.isascii() and port.isdecimal()) or not HOST.fullmatch(host.strip("[]")):
        raise Misconfigured(f"{text!r} is no address of a target: write host or host:port")
    return host.strip("[]"), int(port)


def write(profile: Profile) -> str:
    """As JSON, without what is usual."""
    return _ENCODER.encode(profile).decode()


def read(text: str | bytes) -> Profile:
    """A profile from its JSON, checked. Misconfigured says what is wrong."""
    try:
        return checked(_DECODER.decode(text))
    except msgspec.DecodeError as error:
        raise Misconfigured(f"this is no profile of a target: {error}") from error


def told(profile: Profile) -> dict[str, Any]:
    """Every field by name, for people and programs."""
    return msgspec.structs.asdict(profile)
