"""Addresses in 856$u: form only, nothing is fetched (RFC 3986) (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from catalog.model import Format
from dms import addresses
from dms.rules.content import values
from dms.rules.content.model import ContentRule, Fix
from dms.rules.content.numbers import narrow
from dms.rules.content.values import FINE, Verdict
from dms.rules.model import Kind

PLACES: Mapping[Format, values.Places] = {fmt: {"856": "u"} for fmt in Format}

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?=\S)")
_WEB = re.compile(r"(https?|ftp)://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)", re.I)
# Ways to mistype `http://`, each of which can mean nothing else.
_SLIPS = re.compile(
    r"(?:https?(?=\s*(?::\s*/(?!/)|//|:\s*\\\\|:{2,}//|[;.]//|:///|:\s+//|://\s))|(?:h?tp|hhttp|htttp|httpp|htpp|ttp)s?(?=\s*:?//))"
    r"\s*[:;.]*\s*[/\\]+\s*",
    re.I,
)
_WITHOUT_SCHEME = re.compile(r"www\.[\w-]+(?:\.[\w-]+)+(?:[:/?#].*)?", re.I)


@lru_cache(maxsize=8192)
def url(text: str) -> tuple[Verdict, ...]:
    """What is wrong with an address as it stands."""
    plain = text.strip()
    if not plain:
        return FINE
    told: list[Verdict] = []
    mended = _mended(plain)
    if mended != text:
        if not _sound(mended):
            return (Verdict("url-form"),)
        rule = "url-blanks" if re.search(r"\s", text) else "url-scheme"
        told.append(Verdict(rule, mended=mended))
    elif not _sound(plain):
        return (Verdict("url-form"),)
    if _WEB.match(mended) and not addresses.public(mended):
        told.append(Verdict("url-private"))
    return tuple(told)


def _mended(plain: str) -> str:
    if not _SCHEME.match(plain) or _SLIPS.match(plain):
        ascii_start = narrow(plain[:12]) + plain[12:]
        slip = _SLIPS.match(ascii_start)
        if _WITHOUT_SCHEME.fullmatch(plain):
            plain = "http://" + plain
        elif slip:
            secure = "s" if "s" in slip[0].lower() else ""
            plain = f"http{secure}://{ascii_start[slip.end() :]}"
        elif _SCHEME.match(ascii_start):
            plain = ascii_start
    return plain


def _sound(address: str) -> bool:
    if re.search(r"\s", address) or not _SCHEME.match(address):
        return False
    found = _WEB.match(address)
    if found is None:
        return not address.lower().startswith(("http:", "https:", "ftp:"))
    return bool(found[2]) and not any(c in found[2] for c in "，。、；：,;\"'<>{}|\\^`")


RULES: tuple[ContentRule, ...] = (
    ContentRule(
        ids=("url-form", "url-scheme", "url-blanks", "url-private"),
        look=values.looker(PLACES, url),
        among=values.among(PLACES, url),
        tags=frozenset(("856",)),
        kinds=frozenset(Kind),
    ),
)
FIXES: Mapping[str, Fix] = {id_: values.fixer(id_, PLACES, url) for id_ in ("url-scheme", "url-blanks")}
