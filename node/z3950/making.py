"""Records in the form that was asked for, ready for the answer (pure; runs in threads of its own)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from catalog.model import Format, Holding, Published
from config.errors import BadRecord
from node.z3950 import holdings
from node.z3950.tasks import SUTRS, Trouble, Wanted
from protocols.charsets import codec
from protocols.z3950 import charsets, oids, sutrs
from protocols.z3950.apdu import records
from protocols.z3950.apdu.parts import External
from protocols.z3950.apdu.records import NamePlusRecord
from protocols.z3950.diagnostics import Bib1
from services.delivery import asked, copied
from services.retrieval.databases import MARC21

Held = tuple[Holding, ...]
FEW = 12  # records


def made(
    found: Sequence[Published | None], held: Sequence[Held], names: Mapping[str, str], wanted: Wanted, lang: str
) -> list[NamePlusRecord | Trouble]:
    """Each record, or why it can't be given. `held` is empty unless holdings are wanted; `names` are of libraries."""
    every: Iterable[Held] = held or ((),) * len(found)
    return [_one(each, its, names, wanted, lang) for each, its in zip(found, every, strict=True)]


def is_soon(found: Sequence[Published | None], wanted: Wanted) -> bool:
    """Whether these are made in less time than it takes to hand them to a thread: few, and as they are kept."""
    return (
        len(found) <= FEW
        and wanted.form == asked.ISO2709
        and wanted.encoding == codec.UTF8
        and not wanted.holdings
        and wanted.dialects[Format.MARC21] == MARC21
        and all(each is None or each.format is Format.MARC21 for each in found)
    )


def text(wanted: Wanted, told: str) -> NamePlusRecord:
    """A record that is a text."""
    return _named(wanted, sutrs.external(charsets.spelt(told, wanted.texts)))


def octets(wanted: Wanted, data: bytes, held: Held, *, is_marc21: bool) -> NamePlusRecord:
    """A record of MARC or XML."""
    if wanted.syntax == oids.XML:
        return _named(wanted, External(direct_reference=oids.XML, encoding=data))
    marc = External(direct_reference=oids.USMARC if is_marc21 else oids.UNIMARC, encoding=data)
    if wanted.syntax == oids.OPAC:
        marc = holdings.external(marc, held, lambda told: charsets.spelt(told, wanted.texts))
    return _named(wanted, marc)


def _named(wanted: Wanted, record: External) -> NamePlusRecord:
    return records.written(NamePlusRecord(name=wanted.database, record=record))


def _one(
    published: Published | None, held: Held, names: Mapping[str, str], wanted: Wanted, lang: str
) -> NamePlusRecord | Trouble:
    if published is None:
        return Trouble(Bib1.RECORD_DELETED)
    try:
        if wanted.form == SUTRS:
            named = ((each.library, each) for each in held)
            return text(wanted, asked.text(published, named, names, lang, brief=wanted.brief))
        going = copied.copied(published, wanted.dialects[published.format])
        if wanted.brief:
            going = asked.shortened(going)
        data = asked.written(going, wanted.form, wanted.encoding)
    except BadRecord as error:
        return Trouble(Bib1.NOT_IN_SYNTAX, str(error))
    return octets(wanted, data, held, is_marc21=going.format is Format.MARC21)
