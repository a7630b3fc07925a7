"""Features: what the decision needs of a record, normalised, so that copies of one record have the same features.

A signature is the digest of packed features (and of the pin group, where a cataloguer keeps alike records apart). No
local number, date of change or note goes in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from functools import lru_cache
from typing import TypeVar

import msgspec

from catalog import facts as model
from catalog.facts import Facts
from catalog.search import fold, pinyin
from dms.match import companions, editions, normalize, people, titles, volume, words

Value = TypeVar("Value", int, str, tuple[int, str])

CJK_LANGUAGES = frozenset(("chi", "zho", "jpn", "kor"))
ANCIENT_BEFORE = 1912  # imprints of the empire; the rule is about Chinese, Japanese and Korean imprints only
MODERN_FROM = 1949
TITLE_LENGTH, REST_LENGTH = 120, 80


class Features(msgspec.Struct, frozen=True, array_like=True, kw_only=True, omit_defaults=True, gc=False):
    """One record's features. Empty means not told: an absent feature is no evidence."""

    title: str = ""  # compared form of the title proper (titles.proper)
    rest: str = ""  # squeezed subtitle
    parts: tuple[str, ...] = ()  # squeezed titles of parts, outermost first
    volume: str = ""  # code, see volume
    soft: str = ""  # number at the end of the title that may be a volume
    more: tuple[str, ...] = ()  # further and parallel titles, compared forms
    roman: str = ""  # squeezed romanised title, of a Chinese one only where nothing else is known
    han: bool = False  # the title is in Han characters
    romanised: bool = False  # the title is a romanisation: its script says nothing about the thing
    generic: bool = False
    numbers: tuple[int, ...] = ()  # numbers the titles speak of
    companion: str = ""  # kind of an accompanying work
    stem: str = ""  # squeezed title of the work that it accompanies
    annual: bool = False
    record_class: str = ""
    media: str = ""
    reproduction: tuple[str, ...] = ()
    ancient: bool = False
    of_set: bool = False  # describes a set of several volumes
    set_size: int = 0
    pieces: int = 0  # physical volumes of a set, 99 where the count is open
    edition: int = 0  # from 2 on
    edition_words: tuple[str, ...] = ()
    years: tuple[int, ...] = ()  # the main one first
    pages: int = 0
    publishers: tuple[str, ...] = ()
    places: tuple[str, ...] = ()  # squeezed names of towns
    authors: tuple[str, ...] = ()  # forms of people.name
    stated: tuple[str, ...] = ()  # names in a Western statement of responsibility, as single words
    helpers: tuple[str, ...] = ()  # "T:" translators, "N:" annotators, "D:" illustrators, with the form of the name
    isbns: tuple[int, ...] = ()
    set_isbns: tuple[int, ...] = ()
    weak_isbns: tuple[int, ...] = ()
    bindings: tuple[tuple[int, str], ...] = ()
    unified: tuple[str, ...] = ()
    issns: tuple[str, ...] = ()
    cn_numbers: tuple[str, ...] = ()
    dois: tuple[str, ...] = ()
    control: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    host: str = ""
    host_place: str = ""
    supplied: bool = False  # the title is no title proper: it says as little as a generic one

    @property
    def sound(self) -> str:
        """The title in Latin letters: as romanised, or our pinyin of a Chinese one; empty for Western titles."""
        return self.roman or (sound(self.title) if self.han else "")

    @property
    def western(self) -> bool:
        """Neither in Han characters nor a romanisation."""
        return not self.han and not self.romanised

    @property
    def part(self) -> str:
        """Titles of parts run together."""
        return "".join(self.parts)

    @property
    def year(self) -> int:
        """The main year of publication, 0 if unknown."""
        return self.years[0] if self.years else 0


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Features).decode


def pack(features: Features) -> bytes:
    """Features as bytes; equal features give equal bytes."""
    return _pack(features)


def unpack(packed: bytes) -> Features:
    """Features from their bytes."""
    return _unpack(packed)


def signature(packed: bytes, pin_group: bytes = b"") -> bytes:
    """128-bit digest of packed features; records that a pin keeps apart sign with different groups."""
    return hashlib.blake2b(packed, digest_size=16, key=pin_group[:64]).digest()


def weight(features: Features) -> bytes:
    """A total order of features that depends on nothing else."""
    return _pack(features)


@lru_cache(maxsize=32768)
def sound(title: str) -> str:
    """Pinyin of a compared Han title by the likeliest reading of each character, without tones, blanks and ü."""
    return "".join([pinyin.CHARACTERS[c][0] if c in pinyin.CHARACTERS else c for c in title])


def unified_identifier(number: str) -> int:
    """统一书号 as the number under which its uses are counted."""
    return normalize.h64(f"unified\x1f{number}")


def uses(features: Features) -> tuple[tuple[int, int], ...]:
    """(identifier, token) for each ISBN and 统一书号: an identifier with several live tokens is ambiguous.

    A romanised or supplied title has no token: it would make every ISBN of its book ambiguous.
    """
    if features.romanised or features.supplied or not features.title:
        return ()
    token = normalize.h64(f"{features.title[:6]}\x1f{features.volume}")
    numbers = [*features.isbns, *map(unified_identifier, features.unified)]
    return tuple((number, token) for number in numbers)


@lru_cache(maxsize=8192)
def features(facts: Facts) -> Features:
    """Features of a record's facts. Remembered, because most records are copies of one shared record."""
    title = read_titles(facts)
    edition, edition_words = _edition(facts, title.edition)
    years = _years(facts)
    reproduction = _reproduction(facts)
    pages = normalize.pages(facts.extent) if facts.extent else 0
    pieces = normalize.pieces(facts.extent) if facts.extent else 0
    authors, helpers = _people(facts)
    serial = facts.record_class == model.SERIAL
    spans = "~" in title.volume
    of_set = (
        not serial
        and facts.record_class != model.COMPONENT
        and ((not title.volume and (pieces > 1 or facts.set_evidence or facts.level == "set" or title.of_set)) or spans)
    )
    han = words.is_han(title.title)
    cjk = han or facts.language in CJK_LANGUAGES
    size = facts.set_size or (pieces if of_set and pieces < 99 else 0)
    isbns = _distinct(facts.isbns)
    romanised = not han and facts.language in CJK_LANGUAGES
    # A cataloguer's pinyin stands in some copies of a record and not in others: our own reading serves all of them.
    roman = fold.squeeze(facts.romanised) if facts.romanised and facts.language in ("jpn", "kor") else ""
    # `... novamente ristampati`: the title proper is left out, as if there were none.
    supplied = facts.supplied_title or (bool(facts.titles) and facts.titles[0].startswith(("...", "…", "---")))
    return Features(
        title=title.title,
        rest=title.rest,
        parts=title.parts,
        volume=volume.resolve(title.volume, size),
        soft=title.soft,
        more=title.more,
        roman=roman[:TITLE_LENGTH] or (pinyin.plain(title.title) if romanised else ""),
        han=han,
        romanised=romanised,
        generic=supplied or titles.generic(title.title),
        numbers=title.numbers,
        companion=title.companion,
        stem=title.stem,
        annual=title.annual,
        record_class=facts.record_class,
        media=facts.media,
        reproduction=reproduction,
        ancient=_ancient(facts, cjk, years, reproduction),
        of_set=of_set,
        set_size=size,
        pieces=pieces if of_set else 0,
        edition=edition,
        edition_words=edition_words,
        years=years,
        pages=pages,
        publishers=_publishers(facts),
        places=tuple(dict.fromkeys([p for text in facts.places[:2] if (p := normalize.place(text))])),
        authors=authors,
        stated=people.stated_words(facts.responsibility),
        helpers=helpers,
        isbns=isbns,
        set_isbns=_distinct(facts.set_isbns),
        weak_isbns=_distinct(set(facts.weak_isbns).difference(isbns)) if facts.weak_isbns else (),
        bindings=_distinct(facts.bindings),
        unified=_distinct(facts.unified_numbers),
        issns=_distinct(facts.issns) if serial else (),
        cn_numbers=_distinct(facts.cn_numbers) if serial else (),
        dois=_distinct(facts.dois),
        control=_distinct(facts.control_numbers),
        series=tuple(sorted({fold.squeeze(series)[:TITLE_LENGTH] for series in facts.series})) if facts.series else (),
        host=fold.squeeze(facts.host)[:TITLE_LENGTH] if facts.record_class == model.COMPONENT else "",
        host_place=normalize.host_place(facts.host_place) if facts.record_class == model.COMPONENT else "",
        supplied=supplied,
    )


def _distinct(values: Collection[Value]) -> tuple[Value, ...]:
    """Values in order, each once."""
    if len(values) < 2:
        return tuple(values)
    return tuple(sorted(set(values)))


class Titles(msgspec.Struct, frozen=True, gc=False):
    """What is read from titles, volumes and parts together."""

    title: str
    rest: str
    parts: tuple[str, ...]
    volume: str
    soft: str
    more: tuple[str, ...]
    numbers: tuple[int, ...]
    companion: str
    stem: str
    annual: bool
    of_set: bool
    edition: tuple[int, tuple[str, ...]]


def read_titles(facts: Facts) -> Titles:
    """Titles, volumes and parts, read together and remembered: most of the work of `features`."""
    return _read_titles(
        facts.titles, facts.subtitle, facts.parallel, facts.volumes, facts.parts, facts.own_series_volume
    )


@lru_cache(maxsize=16384)
def _read_titles(
    proper: tuple[str, ...], subtitle: str, parallel: tuple[str, ...], volumes: tuple[str, ...],
    parts: tuple[str, ...], own_volume: str,
) -> Titles:  # fmt: skip
    evidence = volume.designation((own_volume,))[0] if own_volume else ""
    read = titles.read(proper[0] if proper else "", evidence)
    edition = read.edition
    code, beside = volume.designation(volumes) if volumes else ("", "")
    rest = fold.fold(subtitle).strip(" .,:;/") if subtitle else ""
    part = fold.fold(" ".join(parts)) if parts else ""
    if rest and len(rest) < 24:  # $e上册, $e修订版: not subtitles
        if edition == (0, ()) and editions.TAIL.fullmatch(rest):
            edition, rest = editions.read(rest), ""
        elif not code and not read.volume:
            whole = titles.designates(rest, words.is_han(read.title))
            if whole:
                read, rest = read._replace(volume=whole), ""
    if part and not code and len(part) < 24:
        whole = titles.designates(part, words.is_han(read.title))
        if whole:
            code, part = whole, ""
    rest = f"{read.rest} {rest}".strip() if read.rest else rest
    text = read.title
    annual = titles.annual(f"{text} {rest}")[1] != "" or titles.is_annual(text)
    soft = read.soft
    if not code:
        code = read.volume
        if not code and annual:
            text, code = titles.annual(text)
            if not code and rest:
                rest, code = titles.annual(f"{text} {rest}")
                rest = rest.removeprefix(text).strip()
            soft = "" if code else soft
    elif read.volume and volume.relation(code, read.volume) != "same":
        code = f"{read.volume}.{code}"
    code = code or evidence
    kind, stem = companions.read(text, rest, f"{part} {beside}".strip())
    others = (*proper[1:], *parallel)
    squeezed_parts = [fold.squeeze(text) for text in parts] if part else []
    if beside:
        squeezed_parts.append(beside)
    whole_text = f"{text} {rest} {part}" if rest or part else text
    return Titles(
        title=titles.proper(text)[:TITLE_LENGTH],
        rest=titles.proper(rest)[:REST_LENGTH] if rest else "",
        parts=tuple(text[:REST_LENGTH] for text in squeezed_parts if text),
        volume=code,
        soft=soft if not code else "",
        more=tuple(sorted({titles.proper(fold.fold(t))[:TITLE_LENGTH] for t in others})) if others else (),
        numbers=titles.numbers(whole_text),
        companion=kind,
        stem=stem[:TITLE_LENGTH],
        annual=annual,
        of_set=read.of_set,
        edition=edition,
    )


def _edition(facts: Facts, tail: tuple[int, tuple[str, ...]]) -> tuple[int, tuple[str, ...]]:
    if not facts.edition:
        return tail
    number, codes = editions.read(facts.edition)
    return number or tail[0], tuple(sorted({*codes, *tail[1]})) if tail[1] else codes


def _years(facts: Facts) -> tuple[int, ...]:
    found: list[int] = []
    for date in facts.dates:
        found += normalize.years(date)
    if facts.record_class == model.SERIAL:
        found = found[:1]
        return tuple(found or facts.coded_years[:1])
    if facts.media or not found:
        found += facts.coded_years
    return tuple(dict.fromkeys(found + list(facts.coded_years)))[:4]


def _reproduction(facts: Facts) -> tuple[str, ...]:
    """Reproductions told by edition, note or the tail of a Han title; an extent tells large print and braille only."""
    title = facts.titles[0] if facts.titles else ""
    subtitle = facts.subtitle if len(facts.subtitle) <= 12 else ""
    texts = (facts.edition, subtitle, title if title[-1:] in "本版)）]］〕" and words.is_han(title) else "")
    found = editions.reproduction(texts, facts.notes)
    large = facts.large_print or "large print" in facts.extent.lower() or "大字" in facts.extent
    if large or facts.braille or "braille" in facts.extent.lower():
        found = tuple(sorted({*found, "large" if large else "braille"}))
    return found


def _people(facts: Facts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(authors, helpers): headings first, then names of a Han statement of responsibility that no heading gives."""
    authors: list[str] = []
    helpers: dict[str, None] = {}
    others: list[str] = []
    for headings, primary in ((facts.authors, True), (facts.contributors, False)):
        for heading, role_text in headings:
            form = people.name(heading, role_text == model.BODY)
            if not form:
                continue
            kind = people.role(role_text) if role_text else "A"
            if kind == "A":
                (authors if primary else others).append(form)
            else:
                helpers[f"{kind}:{form}"] = None
    kinds = {helper[0] for helper in helpers} if helpers else frozenset()
    for statement in facts.responsibility:
        for kind, form in people.statement(statement):
            if kind != "A":
                if kind not in kinds:
                    helpers[f"{kind}:{form}"] = None
            elif form not in authors and not any(people.same(form, author) for author in authors):
                authors.append(form)
    authors += others
    if not authors:
        authors = [helper[2:] for helper in helpers]
    return tuple(dict.fromkeys(authors))[:6], tuple(sorted(helpers)) if helpers else ()


def _publishers(facts: Facts) -> tuple[str, ...]:
    town = normalize.place(facts.places[0]) if facts.places else ""
    return tuple(dict.fromkeys([p for text in facts.publishers[:3] if (p := normalize.publisher(text, town))]))


def _ancient(facts: Facts, cjk: bool, years: tuple[int, ...], reproduction: tuple[str, ...]) -> bool:
    """Ancient books, rubbings, manuscripts, archives and CJK imprints before 1912: never joined by rule.

    A modern reproduction or edition is none, whatever it says about the original it was made from.
    """
    if facts.manuscript:
        return True
    if not cjk:
        return False
    year = years[0] if years else 0
    if facts.dates and not facts.isbns and not any(map(normalize.years, facts.dates)):
        year = 0 if any(map(editions.old_date, facts.dates)) else year  # the coded year is then a guess
    modern = bool(facts.isbns) or bool(facts.unified_numbers) or "facsimile" in reproduction
    if modern:
        return False
    told = (*facts.notes, *facts.publishers, facts.edition, *facts.dates)
    statements = [text for text in told if text and not text.isascii()]
    if any(map(editions.manuscript, statements)):
        return True
    if year >= MODERN_FROM:
        return facts.ancient_coded
    if facts.ancient_coded or 0 < year < ANCIENT_BEFORE:
        return True
    return any(map(editions.ancient_making, statements)) or (
        not year and any(editions.old_date(text) for text in facts.dates)
    )
