"""HTTP messages as values, the values of their components (RFC 9421, 2), and the signature base (2.5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from config.errors import Refused
from protocols.signatures import fields
from protocols.signatures.fields import InnerList, Item

DEFAULT_PORTS = {"http": 80, "https": 443}


class BadMessage(Refused):
    """A message lacks what a signature is to cover, or has it in a form that can't be signed."""

    code = "bad-message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request: `target` is the absolute URI it goes to, `headers` are its fields by lower-case name."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer and the request it answers."""

    status: int
    request: Request
    headers: dict[str, str] = field(default_factory=dict)


Message = Request | Response


def headers(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Fields by lower-case name; lines of the same name are joined as RFC 9110, 5.2 says."""
    found: dict[str, str] = {}
    for name, value in pairs:
        name, value = name.lower(), value.strip(" \t")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def base(message: Message, covered: InnerList) -> bytes:
    """The octets that are signed: a line for each component, then the signature's parameters."""
    if len({item.identity for item in covered.items}) < len(covered.items):
        raise BadMessage("a component is covered twice")
    lines = [f"{item}: {value(message, item)}" for item in covered.items]
    lines.append(f'"@signature-params": {covered}')
    text = "\n".join(lines)
    # Line ends would let one component pose as two, and no two parties agree on how to write other alphabets.
    if text.count("\n") != len(covered.items) or "\r" in text or not text.isascii():
        raise BadMessage("a covered component has a line end or a character outside ASCII")
    return text.encode()


def value(message: Message, item: Item) -> str:
    """The value of a component. BadMessage if the message has none, or the identifier is one that we don't know."""
    params = dict(item.params)
    if "req" in params:
        if not isinstance(message, Response) or params.pop("req") is not True:
            raise BadMessage(f"{item}: only an answer refers to a request")
        return value(message.request, Item(item.name, tuple(params.items())))
    key = params.pop("key", None)
    if params or not (key is None or isinstance(key, str)):
        raise BadMessage(f"{item}: no such parameters are known")
    if item.name.startswith("@"):
        if key is not None:
            raise BadMessage(f"{item}: only a field has keys")
        return _derived(message, item.name)
    found = message.headers.get(item.name)
    if found is None:
        raise BadMessage(f"the message has no field {item.name}, which the signature covers")
    return found if key is None else _member(item, found, key)


def _member(item: Item, text: str, key: str) -> str:
    """One member of a dictionary (2.1.2); byte sequences are the only ones that we sign."""
    member = fields.byte_sequences(text).get(key)
    if member is None:
        raise BadMessage(f"{item}: the field has no such key")
    return fields.bare(member)


def _derived(message: Message, name: str) -> str:
    if isinstance(message, Response):
        if name == "@status":
            return str(message.status)
        raise BadMessage(f"an answer has no component {name}")
    match name:
        case "@method":
            return message.method
        case "@target-uri":
            return message.target
        case "@authority":
            return authority(message.target)
        case "@path":
            return urlsplit(message.target).path or "/"
    raise BadMessage(f"a request has no component {name} that is known here")


def authority(target: str) -> str:
    """Host and port of an absolute URI, in lower case and without the scheme's own port (2.2.3)."""
    try:
        parts = urlsplit(target)
        port = parts.port
    except ValueError as error:
        raise BadMessage(f"the address can't be read: {error}") from error
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise BadMessage("the address isn't http(s)://host[:port]/…")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return host if port is None or port == DEFAULT_PORTS[parts.scheme] else f"{host}:{port}"
