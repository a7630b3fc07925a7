"""Verifying a message: first what the signature claims, then whether it is genuine, then whether it is fresh.

The steps are apart because a key is looked up between the first and the second, and a nonce after the third. The body
comes last: a signature covers its digest, so that nobody makes us read a body who hasn't signed for it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from config.errors import Refused
from protocols.signatures import digests, fields, message, sign
from protocols.signatures.fields import InnerList, Item
from protocols.signatures.message import Message, Request, Response
from protocols.suites import Suite

AHEAD = 5  # seconds that the sender's clock may be ahead
LONGEST_NONCE = 64
SHORTEST_NONCE = 16
MOST_LABELS = 4


class BadSignature(Refused):
    """The message isn't signed as it must be."""

    code = "bad-signature"


class Skewed(BadSignature):
    """The signature is genuine, but not of this time: the clocks differ, or it is an old one."""

    code = "skew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A signature that covers all it must, not verified yet."""

    label: str
    key_id: str
    algorithm: str
    created: int
    expires: int
    nonce: str  # "" in an answer, which is bound to its request instead
    base: bytes
    signature: bytes


def request(told: Request, tag: str, bound: Collection[str]) -> Claim:
    """The claim of a request. BadSignature unless it covers the method, address and digest, and every field of `bound`
    that it has, and was made with this tag.
    """
    claim = _claim(told, tag, [Item(name) for name in (*sign.OF_REQUEST, *_present(told, bound))])
    if not SHORTEST_NONCE <= len(claim.nonce) <= LONGEST_NONCE:
        raise BadSignature(f"the signature needs a nonce of {SHORTEST_NONCE} to {LONGEST_NONCE} characters")
    return claim


def response(told: Response, tag: str, bound: Collection[str], answered: str) -> Claim:
    """The claim of an answer to the request that was signed with the label `answered`."""
    required = [Item(name) for name in (*sign.OF_ANSWER, *_present(told, bound))]
    return _claim(told, tag, [*required, *sign.of_answered(answered)])


def genuine(claim: Claim, suite: Suite, public: bytes) -> None:
    """BadSignature unless the key made it. The suite's algorithm counts, whatever the message says (RFC 9421, 3.2)."""
    if claim.algorithm != suite.algorithm:
        raise BadSignature(f"the signature's alg is {claim.algorithm[:40]!r}, not {suite.algorithm!r} as of the key")
    if not suite.verify(public, claim.base, claim.signature):
        raise BadSignature("the signature doesn't fit the message and the key: one of them was changed")


def fresh(claim: Claim, now: float) -> None:
    """Skewed unless the signature holds now."""
    if claim.created > now + AHEAD:
        raise Skewed(f"the signature was made {claim.created - now:.0f} s from now: compare the clocks")
    if now > claim.expires:
        raise Skewed(f"the signature ran out {now - claim.expires:.0f} s ago: compare the clocks")


def body(told: Message, content: bytes) -> None:
    """BadDigest unless the content is the one whose digest is signed."""
    digests.check(told.headers[digests.FIELD], content)


def _present(told: Message, bound: Collection[str]) -> list[str]:
    return [name for name in bound if name in told.headers]


def _claim(told: Message, tag: str, required: Sequence[Item]) -> Claim:
    label, covered = _ours(told, tag)
    params = dict(covered.params)
    has = {item.identity for item in covered.items}
    missing = [str(item) for item in required if item.identity not in has]
    if missing:
        raise BadSignature(f"the signature must cover {', '.join(missing)}")
    signature = fields.byte_sequences(told.headers.get(sign.SIGNATURE, "")).get(label)
    if signature is None:
        raise BadSignature(f"there is no signature for the input {label}")
    created, expires = _whole(params, "created"), _whole(params, "expires")
    if not 0 < expires - created <= sign.LIFE:
        raise BadSignature(f"a signature must expire within {sign.LIFE} s of being made")
    return Claim(
        label=label,
        key_id=_text(params, "keyid"),
        algorithm=_text(params, "alg"),
        created=created,
        expires=expires,
        nonce=_text(params, "nonce") if "nonce" in params else "",
        base=message.base(told, covered),
        signature=signature,
    )


def _ours(told: Message, tag: str) -> tuple[str, InnerList]:
    """The one signature with our tag; a message may have others, made by somebody on the way."""
    if sign.INPUT not in told.headers:
        raise BadSignature("the message isn't signed")
    inputs = fields.inner_lists(told.headers[sign.INPUT])
    if len(inputs) > MOST_LABELS:
        raise BadSignature(f"the message has more than {MOST_LABELS} signatures")
    ours = [(label, covered) for label, covered in inputs.items() if dict(covered.params).get("tag") == tag]
    if len(ours) != 1:
        tags = ", ".join(sorted({str(dict(each.params).get("tag", "none"))[:60] for each in inputs.values()}))
        raise BadSignature(f"one signature must have the tag {tag!r} (which names the receiver); found: {tags}")
    return ours[0]


def _text(params: dict[str, fields.Value], name: str) -> str:
    found = params.get(name)
    if not isinstance(found, str) or not found:
        raise BadSignature(f"the signature's parameter {name} is missing or no string")
    return found


def _whole(params: dict[str, fields.Value], name: str) -> int:
    found = params.get(name)
    if not isinstance(found, int) or isinstance(found, bool):
        raise BadSignature(f"the signature's parameter {name} is missing or no whole number")
    return found
