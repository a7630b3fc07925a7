"""Records at hand as an input to be landed: out of quarantine, or copied from elsewhere (pure)."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence

from exchange.landing import Inputs
from protocols import detect
from protocols.gunzip import Input


def inputs(raws: Sequence[bytes], carrier: str, name: str = "quarantine") -> Inputs:
    """One input of these records' bytes, by the name of where they were; a fingerprint of its own, so that it is never
    taken for the file it was in."""
    joiner = b"" if carrier == "iso2709" else detect.LINES[carrier].BETWEEN if carrier in detect.LINES else b"\n"
    data = b"".join(raw + joiner for raw in raws)
    return Inputs(
        names=(name,),
        streams=(Input(io.BytesIO(data), name),),
        carrier=carrier,
        fingerprint=hashlib.sha256(name.encode() + data).digest()[:16],
        size=len(data),
    )
