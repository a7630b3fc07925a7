"""What an authority record says of its heading, as values (`catalog.heading` makes it searchable)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Naming(IntEnum):
    """What a heading names."""

    OTHER = 0
    PERSON = 1  # or a family
    CORPORATE = 2
    MEETING = 3
    TITLE = 4  # of a work, with or without its author
    SUBJECT = 5
    PLACE = 6
    GENRE = 7
    CLASSIFICATION = 8


class Heading(NamedTuple):
    """An authority record in short. `sounds`: how names are read aloud, where the cataloguer wrote it down."""

    kind: int
    heading: str
    variants: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()  # the record's own number first
    sounds: tuple[str, ...] = ()
