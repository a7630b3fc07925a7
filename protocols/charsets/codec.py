"""Decode a field's bytes in a named encoding; never fails on the bytes, always says how many codes were lost."""

from __future__ import annotations

import codecs
import re

from config.errors import Misconfigured
from protocols.charsets import big5, marc8, mixed, private, references

UTF8, GB18030, BIG5, MARC8, ISO5426, DANMARC = "utf-8", "gb18030", "big5", "marc-8", "iso-5426", "danmarc"
LATIN1, CP1252 = "latin-1", "cp1252"
ESC = b"\x1b"
STATEFUL = frozenset((MARC8, ISO5426, DANMARC, BIG5))  # not Python's, or not under that name
SEPARATE = "+/"  # signs in names of encodings that are decoded field by field: mixtures, and those with a table

_PLAIN = frozenset((MARC8, ISO5426, BIG5, LATIN1, CP1252, GB18030))  # in which ASCII is ASCII, but for escapes

_OWN = {"marc8": MARC8, "ansel": MARC8, "iso5426": ISO5426, "danmarc": DANMARC, "danmarc2": DANMARC}
_SAME = {"iso8859-1": "latin-1", "cp950": BIG5, "big5hkscs": BIG5, "gb2312": "gbk"}
_WIDER = {"gbk": GB18030}  # what is called GBK or GB 2312 has codes of its successors, which keep all of theirs
_DANMARC = re.compile("@(?:([@*\xe5\xc5])|([0-9A-F]{4}))")
_DANMARC_SIGNS = {"\xe5": "\ua733", "\xc5": "\ua732"}


def known(name: str) -> str:
    """Our one spelling of an encoding's name. Raises `Misconfigured` if there is no such encoding."""
    if private.SLASH in name:
        plain, _, table = name.partition(private.SLASH)
        if not table.isdecimal():
            raise Misconfigured(f"no such encoding: {name!r}; after the slash stands the number of a table")
        return private.name(known(plain), int(table))
    if mixed.PLUS in name:
        return mixed.name(known(name.partition(mixed.PLUS)[2]))
    plain = name.lower().replace("-", "").replace("_", "").replace(" ", "")
    if plain in _OWN:
        return _OWN[plain]
    try:
        found = codecs.lookup(name).name
    except LookupError as error:
        raise Misconfigured(
            f"no such encoding: {name!r}; use auto, utf-8, marc-8, gb18030, big5, koi8-r, cp1251, latin-1 …"
        ) from error
    return _SAME.get(found, found)


def by_field(encoding: str) -> bool:
    """Whether it is to be decoded a field at a time, and not many at once with Python's codec."""
    return encoding in STATEFUL or any(sign in encoding for sign in SEPARATE)


def is_gb(encoding: str) -> bool:
    """Whether it is GB 18030 or a part of it."""
    return encoding == GB18030 or encoding in _WIDER


def is_unicode(encoding: str) -> bool:
    """Whether it holds every character by itself, so that a reference in it is text and no way out."""
    return encoding.startswith("utf-")


def is_plain(data: bytes, encoding: str) -> bool:
    """Whether what is ASCII in these bytes means itself, without escape sequences and references."""
    return encoding == UTF8 or (encoding in _PLAIN and ESC not in data and references.BEGINS not in data)


def decode(data: bytes, encoding: str) -> tuple[str, int]:
    """(text, number of codes without meaning, each now U+FFFD); `encoding` as spelled by `known`."""
    if encoding == UTF8:
        return _by_python(data, UTF8)
    if private.SLASH in encoding:
        plain, table = private.apart(encoding)
        text, lost = decode(data, plain)
        return (text.translate(table) if table else text), lost
    if mixed.PLUS in encoding:
        return decode(data, mixed.of_field(data, encoding))
    if encoding == MARC8:
        text, lost = marc8.decode(data)
    elif encoding == ISO5426:
        text, lost = marc8.decode(data, upper=marc8.ISO5426)
    elif encoding == BIG5:
        text, lost = big5.decode(data)
    elif encoding == DANMARC:
        text = _DANMARC.sub(_danmarc, data.decode("latin-1"))
        lost = text.count("\ufffd")
    else:
        name = _WIDER.get(encoding, encoding)
        text, lost = _by_python(data, name)
        if name == GB18030 and private.PRIVATE.search(text):
            text = text.translate(private.two_bytes())
    return (text if is_unicode(encoding) else references.read(text)), lost


def _by_python(data: bytes, name: str) -> tuple[str, int]:
    try:
        return data.decode(name), 0
    except UnicodeDecodeError:
        text = data.decode(name, "replace")
        return text, text.count("\ufffd")


def _danmarc(match: re.Match[str]) -> str:
    """danMARC2: `@@` and `@*` stand for themselves, `@å` for the ligature aa, `@XXXX` for a code point."""
    sign, point = match.groups()
    if sign:
        return str(_DANMARC_SIGNS.get(sign, sign))
    number = int(point, 16)
    return "\ufffd" if 0xD800 <= number <= 0xDFFF else chr(number)  # half of a pair is no character
