"""The other door: records to the bytes of a carrier, in an encoding; characters that it lacks are told (pure).

Documents in XML and JSON are UTF-8 (RFC 8259, 8.1; XML 1.0 takes any, and harvesters expect this one). What a carrier
can't say is refused: `iso2709.TooLong`, or `BadRecord` for a tag that is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from config.errors import Misconfigured
from protocols import alephseq, iso2709, marcjson, marcxml, mrk
from protocols.charsets import codec, encode
from protocols.charsets.encode import Encoded
from protocols.marc import Record

_MARKS = "=001 $\x1fa\n"  # of ISO 2709 and of the line forms: single bytes (ISO 2709:2008, 4.3; ISO 646)
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Around(NamedTuple):
    """What stands before and after the records of a file."""

    before: bytes = b""
    after: bytes = b""


AROUND: Mapping[str, Around] = {
    "iso2709": Around(),
    "marcxml": Around(f'{XML}<collection xmlns="{marcxml.NAMESPACE}">\n'.encode(), b"</collection>\n"),
    "marcjson": Around(),
    "mrk": Around(),
    "alephseq": Around(),
}
ENCODED = frozenset(("iso2709", "mrk", "alephseq"))  # those that take other encodings than UTF-8


def check(carrier: str, encoding: str) -> str:
    """The encoding as `codec.known` spells it. Raises `Misconfigured` if there is none, or not in this carrier."""
    name = codec.known(encoding)
    if name != codec.UTF8 and carrier not in ENCODED:
        raise Misconfigured(f"{carrier} is always UTF-8; --encoding is for {', '.join(sorted(ENCODED))}")
    if not _has_marks(name):
        raise Misconfigured(
            f"{encoding} has other bytes for the marks between fields: no program reads {carrier} in it"
        )
    return name


def _has_marks(name: str) -> bool:
    """Whether Python's codec of that name, if it is one, writes the marks as what they are in ASCII."""
    try:
        return _MARKS.encode(name) == _MARKS.encode("ascii")
    except LookupError:
        return True  # one of ours: all of them keep ASCII


def write(record: Record, carrier: str, encoding: str = codec.UTF8, *, ordinal: int = 1) -> Encoded:
    """One record of a file; `ordinal` is its place, for carriers that number records. Raises `BadRecord`."""
    match carrier:
        case "iso2709":
            return iso2709.encoded(record, encoding)
        case "marcxml":
            return Encoded(marcxml.write(record, namespace=False).encode() + b"\n")
        case "marcjson":
            return Encoded(marcjson.write(record).encode() + b"\n")
        case "mrk":
            return _lines(mrk.write(record), encoding)
        case "alephseq":
            return _lines(alephseq.write(record, ordinal), encoding)
        case _:
            raise ValueError(f"unknown carrier {carrier!r}")


def lacking(record: Record, encoding: str) -> dict[str, str]:
    """What the encoding lacks, each character once, by tag."""
    found: dict[str, dict[str, None]] = {}
    for tag, text in record.fields:
        if lost := encode.encode(text, encoding).lost:
            found.setdefault(tag, {}).update(dict.fromkeys(lost))
    return {tag: "".join(characters) for tag, characters in found.items()}


def _lines(text: str, encoding: str) -> Encoded:
    """Line by line: encodings that keep state begin each anew, as they are read."""
    if encoding == codec.UTF8:
        return encode.encode(text, encoding)
    told = [encode.encode(line, encoding) for line in text.split("\n")]
    return Encoded(b"\n".join(each.data for each in told), tuple(lost for each in told for lost in each.lost))
