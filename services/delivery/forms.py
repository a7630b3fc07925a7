"""The forms that records leave in: every MARC carrier, Dublin Core simple and qualified, MODS.

A file of records is what stands `before` them, the records, and what stands `after`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from catalog.model import Format
from config.errors import BadRecord
from dms import describe
from dms.crosswalk import dublin as qualified
from dms.crosswalk import mods
from protocols import writing
from protocols.charsets import codec, encode
from protocols.charsets.encode import Encoded
from protocols.marc import Record
from protocols.writing import XML, Around
from services.delivery import coding, dublin

AROUND: Mapping[str, Around] = {
    **writing.AROUND,
    "dc": Around(f"{XML}<records>\n".encode(), b"</records>\n"),
    "qdc": Around(f"{XML}<records>\n".encode(), b"</records>\n"),
    "mods": Around(f'{XML}<modsCollection xmlns="{mods.NAMESPACE}">\n'.encode(), b"</modsCollection>\n"),
}
NAMES = tuple(AROUND)


class Going(NamedTuple):
    """A record on its way out."""

    ident: str  # cluster id, or SOURCE/LOCAL-ID
    record: Record
    format: Format


def check(form: str, encoding: str) -> str:
    """The encoding as `codec.known` spells it. Raises `Misconfigured` for one that is not, or not for it."""
    return writing.check(form, encoding)


def write(going: Going, form: str, encoding: str = codec.UTF8, *, ordinal: int = 1) -> Encoded:
    """The record in a form of `NAMES`, with the characters that the encoding lacks. `ordinal`: its place in the file.

    Raises `BadRecord` that names the record and says what the form can't.
    """
    try:
        return _written(going, form, encoding, ordinal)
    except BadRecord as error:
        raise BadRecord(f"{going.ident}: {error}") from error


def _written(going: Going, form: str, encoding: str, ordinal: int) -> Encoded:
    match form:
        case "dc":
            text = dublin.write(describe.describe(going.record, going.format), going.ident)
        case "qdc":
            text = qualified.write_qualified(going.record, going.format, going.ident)
        case "mods":
            text = mods.write(going.record, going.format)
        case _:
            said = going.record
            if form in writing.ENCODED:
                said = coding.said(said, going.format, encoding)
            return writing.write(said, form, encoding, ordinal=ordinal)
    return encode.encode(text + "\n", codec.UTF8)
