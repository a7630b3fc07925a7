"""What a reader types, as a tree that any engine can answer.

Words divided by blanks must all be found; "…" “…” 「…」 is one piece; `-word` must not be found; `title:` 题名: and so
on ask one field (`PREFIXES`); `stem*` is the beginning of a word; ISBN and ISSN are known by their form. A word in
Latin letters may be pinyin: then what sounds so is found as well.
"""

from __future__ import annotations

import re

import msgspec

from catalog.search import pinyin, tree
from catalog.search.fold import fold, is_cjk, squeeze, words
from catalog.search.grams import phrase
from catalog.search.headings import notation
from catalog.search.port import BadQuery
from catalog.search.tree import All, Either, Node, Number, Query, Sound, Spelled, Stem, Text, Year

MOST_WORDS = 24
MOST_STEMS = 3  # of words
MOST_OPEN = 10  # beginnings of words and of class numbers in all
MOST_NODES = 64  # of a tree
DEEPEST = 20
SHORTEST_STEM = 2  # letters before *
LONGEST_EXACT = 80  # as in document
LONGEST_SPELLED = 40

PREFIXES = {
    "title": "title", "ti": "title", "题名": "title", "书名": "title", "刊名": "title", "标题": "title",
    "author": "author", "au": "author", "作者": "author", "著者": "author", "责任者": "author",
    "subject": "subject", "su": "subject", "主题": "subject", "主题词": "subject", "关键词": "subject",
    "publisher": "publisher", "pb": "publisher", "出版社": "publisher", "出版者": "publisher",
    "series": "series", "丛书": "series", "丛编": "series",
    "class": "class", "分类号": "class", "分类": "class",
    "isbn": "isbn", "issn": "issn", "year": "year", "年": "year", "出版年": "year",
}  # fmt: skip


class _Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the typed text between blanks or quotation marks."""

    field: str
    text: str
    quoted: bool = False
    unwanted: bool = False


_SOUNDING = ("any", "title", "author")  # fields in which what is typed may be pinyin
_CODED = frozenset(("year", "class", "isbn", "issn"))  # fields of which words are no texts
_CHUNK = re.compile(
    r"""(?P<minus>-(?=[^\s-]))?(?:(?P<prefix>[^\W\d_]+)[:：]\s*(?=\S))?"""
    r"""(?:["“”„](?P<quoted>[^"“”„]*)["“”„]|[「『](?P<bracketed>[^」』]*)[」』]|(?P<plain>\S+))"""
)
_ISBN = re.compile(r"97[89]\d{10}|\d{9}[\dX]|97[89]\d{9}[\dX]")
_ISSN = re.compile(r"\d{4}-?\d{3}[\dX]")
_SPACED_NUMBER = re.compile(r"(?i)(?:isbn|issn)?(?:-1[03])?[\s:：]*([\dx][\dx\s‐‑–—-]{6,20}[\dx])")
_CONNECTED = re.compile(r"[^\s'\-·•・‧.&/+#]+(?:['\-·•・‧.&/+#]+[^\s'\-·•・‧.&/+#]+)*[+#]*")
_PUNCTUATION = re.compile(r"[^\w\s'\-·•・‧.&/+#]+")
_YEARS = re.compile(r"(\d{1,4})?\s*(-)?\s*(\d{1,4})?")


def parse(text: str, field: str = "any") -> Query:
    """The tree of a typed text, looked for in `field` unless it says otherwise. Raises BadQuery beyond the bounds."""
    number = _SPACED_NUMBER.fullmatch(fold(text).strip())
    if number and field in ("any", "isbn", "issn") and numbers(number[1]):
        return Query(wanted=(_identified(number[1], field),), unwanted=(), whole="", piece=())
    chunks = [chunk for found in _CHUNK.finditer(text) if (chunk := _chunk(found, field))]
    if sum(len(words(chunk.text)) for chunk in chunks) > MOST_WORDS:
        raise BadQuery(f"The query has more than {MOST_WORDS} words; leave some out.")
    if sum(chunk.text.endswith("*") for chunk in chunks) > MOST_STEMS:
        raise BadQuery(f"At most {MOST_STEMS} words may end with *.")
    wanted = [chunk for chunk in chunks if not chunk.unwanted]
    sounding = [chunk.text for chunk in wanted if chunk.field in ("any", "title")]
    unwanted = tuple(node for chunk in chunks if chunk.unwanted for node in _atoms(chunk))
    return Query(
        wanted=_bounded(_wanted(wanted), unwanted),
        unwanted=unwanted,
        whole=squeeze("".join(sounding))[:LONGEST_EXACT],
        piece=phrase(" ".join(sounding)),
    )


def plain(text: str, field: str, *, sounding: bool) -> tuple[Node, ...]:
    """The words of a text in which no sign means anything, all of which must be found; as pinyin too if `sounding`."""
    if text.isascii() and text.isalpha() and field not in _CODED:  # the shortest way to what the rest gives of it
        letters = text.lower()
        word = Text(field=field, tokens=((0, letters),))
        return (_either(word, *_sounds(letters, field, True)),) if sounding and field in _SOUNDING else (word,)
    chunks = [_Chunk(field=field, text=word) for word in re.split(r"[\s*]+", fold(text)) if words(word)]
    if not sounding:
        return tuple([node for chunk in chunks for node in _atoms(chunk)])
    return _bounded(_wanted(chunks), ())


def _bounded(wanted: tuple[Node, ...], unwanted: tuple[Node, ...]) -> tuple[Node, ...]:
    """What is wanted, with fewer ways to read its pinyin if there are too many. Raises BadQuery beyond the bounds."""
    found = [*tree.walk(wanted + unwanted)]
    if len(found) > MOST_NODES:
        wanted = tuple(map(_straight, wanted))
        found = [*tree.walk(wanted + unwanted)]
    if len(found) > MOST_NODES or max((depth for _, depth in found), default=0) > DEEPEST:
        raise BadQuery("The query can be understood in too many ways; leave some words out, or put them in quotes.")
    if sum(isinstance(node, Stem) for node, _ in found) > MOST_OPEN:
        raise BadQuery(f"At most {MOST_OPEN} words with * and class numbers in one query.")
    return wanted


def _straight(node: Node) -> Node:
    """A node without other readings of its pinyin than the likeliest."""
    match node:
        case Sound(field=field, ways=ways):
            return Sound(field=field, ways=ways[:1])
        case All(parts=parts):
            return All(parts=tuple(map(_straight, parts)))
        case Either(parts=parts):
            return Either(parts=tuple(map(_straight, parts)))
    return node


def _chunk(found: re.Match[str], field: str) -> _Chunk | None:
    """The chunk of a match; a word before a colon that names no field is a word."""
    prefix = found["prefix"] or ""
    known = PREFIXES.get(fold(prefix))
    quoted = found["quoted"] if found["quoted"] is not None else found["bracketed"]
    text = (found["plain"] or "") if quoted is None else quoted
    if prefix and not known:
        text, quoted = f"{prefix} {text}", None
    if not words(text):
        return None
    return _Chunk(field=known or field, text=text, quoted=quoted is not None, unwanted=bool(found["minus"]))


def _wanted(chunks: list[_Chunk]) -> tuple[Node, ...]:
    """Nodes of chunks; neighbours that may be pinyin are read together."""
    nodes: list[Node] = []
    run: list[_Chunk] = []
    for chunk in chunks:
        if _may_sound(chunk) and (not run or run[-1].field == chunk.field):
            run.append(chunk)
            continue
        nodes += _sounding(run, alone=False)
        run = [chunk] if _may_sound(chunk) else []
        if not run:
            nodes += _atoms(chunk)
    nodes += _sounding(run, alone=not nodes)
    return tuple(nodes)


def _may_sound(chunk: _Chunk) -> bool:
    """Whether a chunk may be pinyin, or initials."""
    folded = fold(chunk.text).replace("'", "")
    return not chunk.quoted and chunk.field in _SOUNDING and folded.isascii() and folded.isalpha()


def _sounding(run: list[_Chunk], *, alone: bool) -> list[Node]:
    """Chunks as they stand or, all together or one by one, as pinyin. `alone` = nothing else is asked."""
    if not run:
        return []
    plain = [node for chunk in run for node in _atoms(chunk)]
    if len(run) == 1:
        return [_either(_all(plain), *_word_sounds(run[0], alone))]
    field = run[0].field
    syllables = [pinyin.cuts(fold(chunk.text).replace("'", "")) for chunk in run]
    ways: list[Node] = [All(parts=tuple(plain))]
    letters = pinyin.plain("".join(fold(chunk.text) for chunk in run).replace("'", ""))
    if field != "author" and alone and len(letters) <= LONGEST_SPELLED:
        ways.append(Spelled(letters=letters))
    if all(syllables):
        straight = tuple(syllable for way in syllables for syllable in way[0])
        ways.append(Sound(field=field, ways=(straight,)))
        groups = _groups(syllables)
        if len(groups) > 1 and len(straight) > 2:
            ways.append(All(parts=tuple(Sound(field=field, ways=group) for group in groups)))
        return [_either(*ways)]
    # Some are no pinyin: each chunk by itself, as in `hongloumeng studies`.
    single = [
        _either(_all(_atoms(chunk)), *(_word_sounds(chunk, False) if len(cut) and len(cut[0]) > 1 else ()))
        for chunk, cut in zip(run, syllables, strict=True)
    ]
    return [_either(_all(single), *ways[1:])]


def _groups(syllables: list[tuple[tuple[str, ...], ...]]) -> list[tuple[tuple[str, ...], ...]]:
    """Words of one syllable joined with their like: `cao xueqin hong lou meng` → cao, xueqin, hong lou meng."""
    groups: list[tuple[tuple[str, ...], ...]] = []
    open_group: tuple[str, ...] = ()
    for ways in syllables:
        if len(ways[0]) == 1:
            open_group += ways[0]
            continue
        if open_group:
            groups.append((open_group,))
            open_group = ()
        groups.append(ways)
    return [*groups, (open_group,)] if open_group else groups


def _word_sounds(chunk: _Chunk, alone: bool) -> list[Node]:
    return _sounds(fold(chunk.text).replace("'", ""), chunk.field, alone)


def _sounds(word: str, field: str, alone: bool) -> list[Node]:
    """One Latin word as several syllables, as a whole title in pinyin, or as a title's initials."""
    letters = pinyin.plain(word)
    found: list[Node] = []
    ways = [way for way in pinyin.cuts(letters) if len(way) > 1]
    if ways:
        found.append(Sound(field=field, ways=tuple(ways)))
    if field != "author" and (2 if alone else 3) <= len(letters) <= LONGEST_SPELLED:
        found.append(Spelled(letters=letters))
    return found


def _atoms(chunk: _Chunk) -> list[Node]:
    """What one chunk asks for, without sounds."""
    if chunk.field == "year":
        return [_years(chunk.text)]
    if chunk.field == "class":
        return [Stem(field="class", stem=notation(chunk.text).rstrip("*"))]
    if chunk.field in ("isbn", "issn") or (chunk.field == "any" and not chunk.quoted and numbers(chunk.text)):
        return [_identified(chunk.text, chunk.field)]
    if chunk.quoted:
        return [Text(field=chunk.field, tokens=phrase(chunk.text))]
    folded = fold(chunk.text)
    if folded.endswith("*"):
        stems = words(folded)
        if len(stems) == 1 and not is_cjk(stems[0]):
            if len(stems[0]) < SHORTEST_STEM:
                raise BadQuery(f"At least {SHORTEST_STEM} letters must stand before *.")
            return [Stem(field=chunk.field, stem=stems[0])]
    return [
        _connected(chunk.field, piece)
        for part in _PUNCTUATION.split(folded)
        for piece in _CONNECTED.findall(part)
        if words(piece)
    ]


def _connected(field: str, piece: str) -> Node:
    """A piece without blanks; Latin words with ' or - between them may be written in one as well."""
    tokens = phrase(piece)
    if len(tokens) > 1 and not any(is_cjk(token) for _, token in tokens):
        return _either(Text(field=field, tokens=tokens), Text(field=field, tokens=((0, squeeze(piece)),)))
    return Text(field=field, tokens=tokens)


def numbers(text: str) -> tuple[str, ...]:
    """The ISBNs (13 digits first) or ISSN that a text may be; () if it has no such form."""
    digits = re.sub(r"[^0-9X]", "", fold(text).upper())
    if re.search(r"[^\dXx\s‐‑–—-]", fold(re.sub(r"(?i)^(isbn|issn)(-1[03])?[:：\s]*", "", text))):
        return ()
    if _ISBN.fullmatch(digits):
        return (isbn13(digits), digits) if len(digits) == 10 else (digits,)
    return (digits,) if _ISSN.fullmatch(digits) else ()


def isbn13(isbn10: str) -> str:
    """An ISBN of ten characters as one of thirteen digits (ISO 2108, 4.4)."""
    stem = "978" + isbn10[:9]
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(stem))
    return stem + str(-total % 10)


def _identified(text: str, field: str) -> Node:
    """A number as identifier; unless an identifier is asked for it may be a plain text too (1998-2000 looks so)."""
    values = numbers(text) or (re.sub(r"[^0-9A-Z]", "", fold(text).upper()),)
    if field in ("isbn", "issn"):
        return Number(values=values)
    return Either(parts=(Number(values=values), Text(field=field, tokens=phrase(text))))


def _years(text: str) -> Year:
    """1998, 1990-1999, 1990- or -1911. Raises BadQuery on anything else."""
    found = _YEARS.fullmatch(fold(text).strip())
    if not found or not (found[1] or found[3]):
        raise BadQuery(f"A year is written 1998, 1990-1999, 1990- or -1911, not {text!r}.")
    first = int(found[1] or 0)
    last = int(found[3]) if found[3] else (9999 if found[2] else first)
    return Year(first=max(first, 1), last=last)


def years(text: str) -> tuple[int, int]:
    """The span that a year filter names, both included. Raises BadQuery."""
    span = _years(text)
    return span.first, span.last


def _all(nodes: list[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else All(parts=tuple(nodes))


def _either(*nodes: Node) -> Node:
    return nodes[0] if len(nodes) == 1 else Either(parts=nodes)
