"""What a match is worth: the ranking of results as tables, for any engine.

The order that readers expect: the title itself, titles in which the query stands in one piece, titles with its words,
then subtitles, authors, series, subjects, imprint, notes. Each step outweighs all later ones together for one word.
Among equals the score of the engine (short titles, rare words) and the number of holding libraries decide.
"""

from __future__ import annotations

import math

FIELDS = {"title": 60.0, "part": 30.0, "author": 25.0, "series": 14.0, "subject": 12.0, "imprint": 5.0, "notes": 2.0}
WHOLE = 1000.0  # the whole title, or an identifier
SPELLED = 400.0  # the whole title in pinyin or as initials
PIECE = 100.0  # the whole query as one piece of the title
SOUND = 15.0  # a piece of a title or a name in pinyin
PLAIN = 12.0  # a match elsewhere
ENGINE = 0.5  # of the engine's own score of a title

# The index fields in which each search field looks.
SEARCHED = {
    "any": tuple(FIELDS),
    "title": ("title", "part"),
    "author": ("author",),
    "subject": ("subject",),
    "publisher": ("imprint",),
    "series": ("series",),
    "place": ("place",),
    "note": ("notes",),
}
SOUNDS = {"any": ("title_sound", "author_sound"), "title": ("title_sound",), "author": ("author_sound",)}


def of(field: str) -> float:
    """What a match in an index field is worth."""
    return FIELDS.get(field, PLAIN)


def popularity(libraries: int) -> float:
    """By what a score is multiplied: 1 where no library holds it, 1.3 from a thousand on."""
    return 1 + min(0.3, 0.1 * math.log10(1 + libraries))
