"""Signing a message: the fields that it gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocols.signatures import digests, fields, message
from protocols.signatures.fields import InnerList, Item, Value
from protocols.signatures.message import Message, Request, Response
from protocols.suites import Suite

LIFE = 60  # seconds that a signature holds
INPUT, SIGNATURE = "signature-input", "signature"
# What every signature covers.
OF_REQUEST = ("@method", "@authority", "@target-uri", digests.FIELD)
OF_ANSWER = ("@status", digests.FIELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs, by which name the key is known, and what the signature is for (`tag`: application and receiver)."""

    suite: Suite
    seed: bytes
    key_id: str
    tag: str
    label: str = "tianlu"


def of_answered(label: str) -> list[Item]:
    """The components that bind an answer to its request (RFC 9421, 2.4): what that asked, and its very signature, which
    with its nonce is like no other.
    """
    asked = [Item(name, (("req", True),)) for name in ("@method", "@target-uri", digests.FIELD)]
    return [*asked, Item(SIGNATURE, (("req", True), ("key", label)))]


def request(signer: Signer, bare: Request, body: bytes, *, now: int, nonce: str, more: Sequence[str] = ()) -> Request:
    """The request with Content-Digest, Signature-Input and Signature; `more` names further fields to cover."""
    items = [Item(name) for name in (*OF_REQUEST, *more)]
    extra: tuple[tuple[str, Value], ...] = (("nonce", nonce),)
    signed = bare.headers | {digests.FIELD: digests.of(body)}
    unsigned = Request(method=bare.method, target=bare.target, headers=signed)
    return Request(
        method=bare.method, target=bare.target, headers=signed | _fields(signer, unsigned, items, now, extra)
    )


def response(
    signer: Signer, bare: Response, body: bytes, *, now: int, answered: str, more: Sequence[str] = ()
) -> Response:
    """The answer likewise, bound to the signature `answered` (a label) of its request."""
    items = [*(Item(name) for name in (*OF_ANSWER, *more)), *of_answered(answered)]
    signed = bare.headers | {digests.FIELD: digests.of(body)}
    unsigned = Response(status=bare.status, request=bare.request, headers=signed)
    return Response(
        status=bare.status, request=bare.request, headers=signed | _fields(signer, unsigned, items, now, ())
    )


def _fields(
    signer: Signer, unsigned: Message, items: Sequence[Item], now: int, extra: tuple[tuple[str, Value], ...]
) -> dict[str, str]:
    params: tuple[tuple[str, Value], ...] = (
        ("created", now),
        ("expires", now + LIFE),
        *extra,
        ("keyid", signer.key_id),
        ("alg", signer.suite.algorithm),
        ("tag", signer.tag),
    )
    covered = InnerList(tuple(items), params)
    signature = signer.suite.sign(signer.seed, message.base(unsigned, covered))
    return {INPUT: f"{signer.label}={covered}", SIGNATURE: f"{signer.label}={fields.bare(signature)}"}
