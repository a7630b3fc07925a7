"""One sound ISO 2709 record, read quickly: the whole content decoded at once and cut at the field terminators.

Only for what is beyond doubt: a directory of digits whose entries follow each other without gaps and agree with the
terminators. Kept records are read again for every merge and every page, and nearly all of them are such.
"""

from __future__ import annotations

from itertools import accumulate

from protocols.charsets import codec


def fields(raw: bytes, encoding: str) -> tuple[tuple[str, str], ...] | None:
    """The record's fields, or None if it is to be read with care (`iso2709.read`, field by field)."""
    if codec.by_field(encoding) or not raw[12:17].isdigit():
        return None
    if b"&#" in raw and not codec.is_unicode(encoding):
        return None
    base = int(raw[12:17])
    directory = raw[24 : base - 1]
    if len(directory) % 12 or not directory or raw[base - 1 : base] != b"\x1e" or raw[-2:] != b"\x1e\x1d":
        return None
    try:
        entries = directory.decode("ascii")
        texts = raw[base:-2].decode(encoding).split("\x1e")
    except UnicodeDecodeError:
        return None
    tags = [entries[i : i + 3] for i in range(0, len(entries), 12)]
    if len(texts) != len(tags):
        return None
    # What the directory of these fields has to be: each tag, length in four digits, start in five.
    sizes = [len(content) + 1 for content in raw[base:-2].split(b"\x1e")]
    told: list[str | int] = [""] * (3 * len(tags))
    told[0::3], told[1::3], told[2::3] = tags, sizes, accumulate(sizes[:-1], initial=0)
    if "%s%04d%05d" * len(tags) % tuple(told) != entries:
        return None
    return tuple(zip(tags, texts, strict=True))
