"""The encoding of every record of a stretch of ISO 2709: by itself where that is plain, else beside its neighbours.

Findings: `encoding-uncertain` (nothing fits well), `encoding-leader` (leader/09 says otherwise), `encoding-mixed`
(fields of one record in two encodings, each decoded in its own), `encoding-neighbours` (most records around it are in
another encoding, and leader/09 doesn't say so), `encoding-contradicted` (the encoding that was told fits much worse).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from protocols import dialect, iso2709
from protocols.charsets import codec, evidence, marc8, mixed, points, references, sniff
from protocols.charsets.sniff import Charset
from protocols.marc import Record, value
from protocols.scanned import Finding, Pending, Stretch

CLEARLY = 25.0  # points that another encoding is ahead of the one that was told, to speak against it
OPENING = 16  # records heard of a stretch whose encoding is not plain


def judged(stretch: Stretch, pending: Sequence[Pending]) -> list[Charset]:
    """One a record, in order."""
    utf8 = stretch.is_utf8()
    plain = [_plain(each, utf8) for each in pending]
    unclear = [each for each, charset in zip(pending, plain, strict=True) if charset is None]
    if not unclear:
        return [charset for charset in plain if charset]
    context = sniff.Context()
    # Some are heard before any is judged: the first have neighbours too.
    for each in unclear[:: -(-len(unclear) // OPENING) or 1]:
        part = sniff.sample(each.body(), sniff.GLANCE)
        context.add(part, sniff.scores(part, _hint(each)))
    fitting = _fitting(stretch, context.leaning())
    return [
        charset or fitting.get(each.row) or _beside(each, context) for each, charset in zip(pending, plain, strict=True)
    ]


def contradicted(pending: Sequence[Pending], encoding: str) -> list[tuple[Finding, ...]]:
    """What the bytes of each record say against an encoding that somebody told."""
    told = encoding.partition(mixed.PLUS)[0]
    if told not in evidence.scorers():
        return [() for _ in pending]
    return [_contradicted(each, told) for each in pending]


def _contradicted(each: Pending, told: str) -> tuple[Finding, ...]:
    body = each.body()
    if body.isascii():
        return ()
    points = sniff.scores(sniff.sample(body), _hint(each))
    best = max(points, key=lambda name: points[name])
    if points[best] < sniff.SURE or points[told] > points[best] - CLEARLY:
        return ()
    return (("encoding-contradicted", f"{told} was told, the bytes look like {best}"),)


def doubts(pending: Sequence[Pending], charsets: Sequence[Charset]) -> list[tuple[Finding, ...]]:
    """What there is to say of each judgement."""
    usual = ""
    if len({charset.name for charset in charsets}) > 1:
        named = Counter(charset.name for each, charset in zip(pending, charsets, strict=True) if not each.raw.isascii())
        usual = named.most_common(1)[0][0] if named else ""
    plain = sniff.UNICODE if usual in ("", codec.UTF8) else None  # nothing is to be said of it
    return [
        () if charset is plain else _doubts(each, charset, usual)
        for each, charset in zip(pending, charsets, strict=True)
    ]


def _doubts(each: Pending, charset: Charset, usual: str) -> tuple[Finding, ...]:
    found: tuple[Finding, ...] = ()
    if not charset.sure:
        found += (("encoding-uncertain", f"no encoding fits well, {charset.name} was taken"),)
    says_utf8 = each.leader[9:10] == "a"
    if charset.name != codec.UTF8 and says_utf8:
        found += (("encoding-leader", f"leader/09 says UTF-8, the bytes are {charset.name}"),)
    if mixed.PLUS in charset.name:
        return (*found, ("encoding-mixed", f"fields in {charset.name.replace(mixed.PLUS, ' and in ')}"))
    said = charset.name == (codec.UTF8 if says_utf8 else codec.MARC8)
    if usual not in ("", charset.name) and not said and not each.raw.isascii():
        found += (("encoding-neighbours", f"{charset.name}, while most records around it are {usual}"),)
    return found


def _plain(each: Pending, utf8: bool) -> Charset | None:
    """The judgement that needs no scores; `utf8`: the whole stretch is known to be."""
    body = each.body()
    if not body.isascii():
        return sniff.UNICODE if utf8 and marc8.UTF8_BEGINS not in body else sniff.plain(body)
    if references.BEGINS in body and each.leader[9:10] != "a":
        return sniff.ESCAPED  # MARC-8's way to write what it lacks
    return sniff.plain(body)


def _fitting(stretch: Stretch, leaning: str) -> dict[int, Charset]:
    """By row, the neighbours' encoding for sound records that fit it very well, all of them looked at in one go."""
    if leaning != codec.GB18030:
        return {}
    fits = points.gb18030(stretch.codes(leaning)) >= sniff.FITTING
    if len(fits) != len(stretch.found.starts):
        return {}
    for row in _with_utf8(stretch):
        fits[row] = False
    return dict.fromkeys(np.flatnonzero(fits).tolist(), Charset(name=leaning, sure=True))


def _with_utf8(stretch: Stretch) -> set[int]:
    """Rows in which two characters of three bytes in UTF-8 follow each other; there may be more behind the last row."""
    bytes_ = np.frombuffer(stretch.found.data, np.uint8)
    follows = (bytes_ & 0xC0) == 0x80
    three = ((bytes_[:-2] & 0xF0) == 0xE0) & follows[1:-1] & follows[2:]
    places = np.flatnonzero(three[:-3] & three[3:])
    rows = np.searchsorted(stretch.found.ends, places, side="right")
    return set(rows[rows < len(stretch.found.ends)].tolist())


def _beside(each: Pending, context: sniff.Context) -> Charset:
    body = each.body()
    found = sniff.follow(body, context) or sniff.decide(body, _hint(each), context)
    mixture = mixed.found(body, found.name)
    return Charset(name=mixture, sure=True) if mixture else found


def _hint(each: Pending) -> sniff.Hint:
    """What the record says of itself, its family judged on its ASCII parts."""
    fields = each.fields or iso2709.read(each.raw).fields
    record = Record(each.leader, tuple((tag, content.decode("latin-1")) for tag, content in fields))
    family = dialect.family(record)
    codes = ""
    if family == dialect.CNMARC and (text := record.first("100")):
        codes = value(text, "a")[26:30]
    return sniff.Hint(leader09=each.leader[9:10], codes100=codes, family=family)
