"""The forms that records leave in: every MARC carrier, Dublin Core simple and qualified, MODS, BIBFRAME, schema.org.

A file of records is what stands `before` them, the records, and what stands `after`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from catalog.model import Format
from config.errors import BadRecord
from dms.crosswalk import bibframe, mods, targets
from dms.crosswalk.lines import Brief
from protocols import writing
from protocols.charsets import codec, encode
from protocols.charsets.encode import Encoded
from protocols.marc import Record
from protocols.writing import XML, Around
from services.delivery import coding

AROUND: Mapping[str, Around] = {
    **writing.AROUND,
    "dc": Around(f"{XML}<records>\n".encode(), b"</records>\n"),
    "qdc": Around(f"{XML}<records>\n".encode(), b"</records>\n"),
    "mods": Around(f'{XML}<modsCollection xmlns="{mods.NAMESPACE}">\n'.encode(), b"</modsCollection>\n"),
    "bibframe": Around(f"{XML}{bibframe.OPENING}\n".encode(), f"{bibframe.CLOSING}\n".encode()),
    "schemaorg": Around(b"", b""),  # a JSON object a line
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
    return told(going, form, encoding, ordinal=ordinal)[0]


def told(
    going: Going, form: str, encoding: str = codec.UTF8, *, ordinal: int = 1
) -> tuple[Encoded, Callable[[], list[Brief]] | None]:
    """`write`, and for a form that is no MARC a way to ask what became of the record's fields.

    Raises `BadRecord` as `write` does.
    """
    target = targets.TARGETS.get(form)
    try:
        if target is None:
            return _marc(going, form, encoding, ordinal), None
        found = target(going.record, going.format, going.ident)
        return encode.encode(found.text + "\n", codec.UTF8), found.brief
    except BadRecord as error:
        raise BadRecord(f"{going.ident}: {error}") from error


def _marc(going: Going, form: str, encoding: str, ordinal: int) -> Encoded:
    said = going.record
    if form in writing.ENCODED:
        said = coding.said(said, going.format, encoding)
    return writing.write(said, form, encoding, ordinal=ordinal)
