"""CQL as tokens, each with its place (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from protocols.cql.diagnostics import Diagnosed, Sru

LONGEST = 20_000  # characters of a query
SYMBOLS = frozenset({"=", "==", "<>", "<=", ">=", "<", ">"})

_TOKEN = re.compile(
    r"""\s*(?:"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<sign>==|<>|<=|>=|[=<>()/])|(?P<word>(?:\\.|[^\s"()=<>/\\])+))""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a quoted string (with its backslashes), or a sign; the last one of a query has no text."""

    text: str
    place: int
    quoted: bool = False
    sign: bool = False

    def is_word(self, *words: str) -> bool:
        """Whether this is one of these words, in any case."""
        return not self.quoted and not self.sign and self.text.lower() in words

    @property
    def named(self) -> bool:
        """Whether this is a word or string: what can be a name or a term."""
        return self.quoted or (not self.sign and bool(self.text))


def tokens(text: str) -> list[Token]:
    """The tokens of a query and an empty one at its end. Raises Diagnosed."""
    if len(text) > LONGEST:
        raise Diagnosed(Sru.TOO_LONG, str(LONGEST))
    end = len(text.rstrip())
    found: list[Token] = []
    at = 0
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            raise Diagnosed(Sru.QUOTES if text[place] == '"' else Sru.SYNTAX, text[place : place + 40], place)
        kind = token.lastgroup or ""
        found.append(Token(token[kind], token.start(kind), quoted=kind == "quoted", sign=kind == "sign"))
        at = token.end()
    return [*found, Token("", end)]
