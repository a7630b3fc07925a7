"""Decode a field's bytes in a named encoding; never fails on the bytes, always says how many codes were lost."""

from __future__ import annotations

import codecs
import re

from config.errors import Misconfigured
from protocols.charsets import marc8

UTF8, GB18030, MARC8, ISO5426, DANMARC = "utf-8", "gb18030", "marc-8", "iso-5426", "danmarc"
STATEFUL = frozenset((MARC8, ISO5426, DANMARC, "big5"))  # not Python's, or not under that name

_OWN = {"marc8": MARC8, "ansel": MARC8, "iso5426": ISO5426, "danmarc": DANMARC, "danmarc2": DANMARC}
_PYTHON = {"big5": "cp950"}  # what is called Big5 in Taiwan's systems has the characters of code page 950
_DANMARC = re.compile("@(?:([@*\xe5\xc5])|([0-9A-F]{4}))")
_DANMARC_SIGNS = {"\xe5": "\ua733", "\xc5": "\ua732"}


def known(name: str) -> str:
    """Our one spelling of an encoding's name. Raises `Misconfigured` if there is no such encoding."""
    plain = name.lower().replace("-", "").replace("_", "").replace(" ", "")
    if plain in _OWN:
        return _OWN[plain]
    try:
        found = codecs.lookup(name).name
    except LookupError as error:
        raise Misconfigured(
            f"no such encoding: {name!r}; use auto, utf-8, marc-8, gb18030, big5, koi8-r, cp1251, latin-1 …"
        ) from error
    return {"iso8859-1": "latin-1"}.get(found, found)


def decode(data: bytes, encoding: str) -> tuple[str, int]:
    """(text, number of codes without meaning, each now U+FFFD); `encoding` as spelled by `known`."""
    if encoding == MARC8:
        return marc8.decode(data)
    if encoding == ISO5426:
        return marc8.decode(data, upper=marc8.ISO5426)
    if encoding == DANMARC:
        return _DANMARC.sub(_danmarc, data.decode("latin-1")), 0
    name = _PYTHON.get(encoding, encoding)
    try:
        return data.decode(name), 0
    except UnicodeDecodeError:
        text = data.decode(name, "replace")
        return text, text.count("\ufffd")


def _danmarc(match: re.Match[str]) -> str:
    """danMARC2: `@@` and `@*` stand for themselves, `@å` for the ligature aa, `@XXXX` for a code point."""
    sign, point = match.groups()
    return _DANMARC_SIGNS.get(sign, sign) if sign else chr(int(point, 16))
