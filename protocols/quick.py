"""One sound ISO 2709 record, read quickly: the whole content decoded at once and cut at the field terminators.

Only for what is beyond doubt: a directory of digits whose entries follow each other without gaps and agree with the
terminators. Kept records are read again for every merge and every page, and nearly all of them are such.
"""

from __future__ import annotations

from itertools import accumulate

from protocols.charsets import codec

TERMINATOR = 0x1E


def fields(raw: bytes, encoding: str) -> tuple[tuple[str, str], ...] | None:
    """The record's fields, or None if it is to be read with care (`iso2709.read`, field by field)."""
    if encoding in codec.STATEFUL or not raw[12:17].isdigit():
        return None
    base = int(raw[12:17])
    directory = raw[24 : base - 1]
    if len(directory) % 12 or not directory or raw[base - 1 : base] != b"\x1e" or raw[-2:] != b"\x1e\x1d":
        return None
    try:
        entries = directory.decode("ascii")
        texts = raw[base:-1].decode(encoding).split("\x1e")
    except UnicodeDecodeError:
        return None
    count = len(entries) // 12
    if len(texts) != count + 1:
        return None
    numbers = [entries[i + 3 : i + 12] for i in range(0, len(entries), 12)]
    if not "".join(numbers).isdigit():
        return None
    ends = list(accumulate(int(number[:4]) for number in numbers))
    starts = [int(number[4:]) for number in numbers]
    if (
        starts != [0, *ends[:-1]]
        or base + ends[-1] + 1 != len(raw)
        or any(raw[base + e - 1] != TERMINATOR for e in ends)
    ):
        return None
    return tuple(zip([entries[i : i + 3] for i in range(0, len(entries), 12)], texts[:-1], strict=True))
