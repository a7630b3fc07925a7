"""Regular expressions that people write for a batch change: a part of Python's that can't run away (pure).

Only characters and classes are repeated, groups at most left out (`?`), and nothing looks back or around: so a search
takes at most (length of the text) ^ (repeats + 1) x 2 ^ choices steps, and a text for which that is too many is told,
not searched. Choices are `?` and `|`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from config.errors import BadRecord, Misconfigured

LONGEST = 200  # characters of a pattern
MOST_STEPS = 10**8  # about a second
_TOKEN = re.compile(
    r"(?P<escape>\\.)|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<open>\((?!\?)|\(\?:)|(?P<odd>\(\?)|(?P<close>\))"
    r"|(?P<repeat>(?:[*+]|\{\d*,?\d*\})[?+]?)|(?P<maybe>\?[?+]?)|(?P<other>.)",
    re.DOTALL,
)


class BadPattern(Misconfigured):
    """A regular expression that isn't one, or might run away."""

    code = "bad-pattern"


class TooLong(BadRecord):
    """A text that a pattern would take too long on."""

    code = "too-long-for-pattern"


class Pattern:
    """A pattern at work."""

    def __init__(self, written: str) -> None:
        """Raises BadPattern."""
        self._repeats, self._choices = _counts(written)
        try:
            self._compiled = re.compile(written)
        except (re.error, OverflowError) as error:
            raise BadPattern(f"/{written}/ is no regular expression: {error}") from error

    def check(self, put: str) -> None:
        """Raise BadPattern if what is put names a group that the pattern hasn't."""
        try:
            re.compile(f"(?:{self._compiled.pattern})|").sub(put, "")
        except (re.error, IndexError) as error:
            raise BadPattern(f"{put!r} can't be put for /{self._compiled.pattern}/: {error}") from error

    def finds(self, text: str) -> bool:
        """Whether it finds anything. Raises TooLong."""
        return bool(self._compiled.search(self._bearable(text)))

    def put(self, text: str, put: str) -> str:
        """The text with `put` for whatever is found. Raises TooLong."""
        return self._compiled.sub(put, self._bearable(text))

    def _bearable(self, text: str) -> str:
        if len(text) ** (self._repeats + 1) << self._choices > MOST_STEPS:
            raise TooLong(f"a subfield of {len(text):,} characters is too long for this pattern")
        return text


@lru_cache(maxsize=256)
def compiled(written: str) -> Pattern:
    """The pattern. Raises BadPattern."""
    return Pattern(written)


def _counts(written: str) -> tuple[int, int]:
    """How many repeats and choices there are. Raises BadPattern where they could take exponentially long."""
    if not 0 < len(written) <= LONGEST:
        raise BadPattern(f"a regular expression has 1 to {LONGEST} characters")
    repeats = choices = 0
    before = ""
    for found in _TOKEN.finditer(written):
        kind = str(found.lastgroup)
        if kind == "odd":
            raise BadPattern(f"/{written}/: of the groups with (? only (?: may be used")
        if kind == "escape" and found[0][1] in "123456789":
            raise BadPattern(f"/{written}/: a pattern can't ask for what it found before ({found[0]})")
        if kind == "repeat":
            if before == "close":
                raise BadPattern(f"/{written}/: a group can be left out (?), not repeated ({found[0]})")
            repeats += 1
        choices += kind == "maybe" or found[0] == "|"
        before = kind
    return repeats, choices
