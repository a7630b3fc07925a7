"""Content-Digest (RFC 9530): SHA-256 over the body as it is sent."""

from __future__ import annotations

import hashlib
import hmac

from config.errors import Refused
from protocols.signatures import fields

FIELD = "content-digest"
ALGORITHM = "sha-256"


class BadDigest(Refused):
    """The body isn't the one that was signed."""

    code = "bad-digest"


def of(body: bytes) -> str:
    """The field's value for a body; an empty body has one too."""
    return f"{ALGORITHM}={fields.bare(hashlib.sha256(body).digest())}"


def check(field: str, body: bytes) -> None:
    """BadDigest unless the field has the body's SHA-256 digest. Other algorithms beside it are left alone."""
    told = fields.byte_sequences(field).get(ALGORITHM)
    if told is None:
        raise BadDigest(f"Content-Digest has no {ALGORITHM}")
    if not hmac.compare_digest(told, hashlib.sha256(body).digest()):
        raise BadDigest("the body isn't the one that its Content-Digest was made of: it was damaged or changed")
