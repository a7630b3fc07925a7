"""A value that never shows itself: not in logs, not in tracebacks, not in `config show`."""

from __future__ import annotations


class Secret:
    """Holds a text that only `reveal()` gives out. False when empty."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: hand it to the one call that needs it, never keep or print it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret('***')" if self._text else "Secret('')"

    def __str__(self) -> str:
        return "***" if self._text else ""

    def __reduce__(self) -> tuple[object, ...]:
        """Refuses pickling, which would carry the text into a queue, a cache or another process unseen."""
        raise TypeError("a Secret is not pickled; reveal() it where it is used")
