"""Records in the form that was asked for (pure; runs in threads of its own)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from catalog.model import Format, Holding, Published
from config.errors import BadRecord
from node.z3950.presenting import SUTRS
from node.z3950.tasks import Made, Trouble, Wanted
from protocols.z3950.diagnostics import Bib1
from services.delivery import asked, copied

Held = tuple[Holding, ...]


def made(
    found: Sequence[Published | None], held: Sequence[Held], names: Mapping[str, str], wanted: Wanted, lang: str
) -> list[Made | Trouble]:
    """Each record, or why it can't be given. `held` is empty unless holdings are wanted; `names` are of libraries."""
    every: Iterable[Held] = held or ((),) * len(found)
    return [_one(each, its, names, wanted, lang) for each, its in zip(found, every, strict=True)]


def _one(
    published: Published | None, held: Held, names: Mapping[str, str], wanted: Wanted, lang: str
) -> Made | Trouble:
    if published is None:
        return Trouble(Bib1.RECORD_DELETED)
    try:
        if wanted.form == SUTRS:
            named = ((each.library, each) for each in held)
            return Made(text=asked.text(published, named, names, lang, brief=wanted.brief))
        going = copied.copied(published, wanted.dialects[published.format])
        if wanted.brief:
            going = asked.shortened(going)
        data = asked.written(going, wanted.form, wanted.encoding)
    except BadRecord as error:
        return Trouble(Bib1.NOT_IN_SYNTAX, str(error))
    return Made(data=data, is_marc21=going.format is Format.MARC21, holdings=held)
