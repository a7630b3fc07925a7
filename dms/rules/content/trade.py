"""What the Chinese book trade numbers and prices: 统一书号 and CN 刊号 in 091, prices in 010$d and 011$d (pure).

统一书号 (1956-1986): class and publisher, a point, a serial number; no check digit. CN 刊号 (GB/T 9999): two digits
of the province, four of the serial, class. Prices: currency by ISO 4217, then the amount (CNMARC 010$d). A gift
is written `CNY赠90.00` in life; it is told, not mended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from catalog.model import Format
from dms.formats import identifiers
from dms.rules import edit
from dms.rules.content import values
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.numbers import narrow
from dms.rules.content.values import FINE, LONGEST_VALUE, Verdict
from dms.rules.model import Finding, Mended
from protocols.marc import DELIMITER, Record, subfields, value

NUMBER_PLACES: Mapping[Format, values.Places] = {Format.CNMARC: {"091": "ab"}}  # not 092: numbers of orders
PRICE_TAGS = frozenset(("010", "011"))

# GB/T 9999: 10 and 11 are the centre's, the others are provinces by GB/T 2260.
_PROVINCES = frozenset(
    map(str, (10, *range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66)))
)
_AMOUNT = r"\d[\d,]*(?:\.\d{1,3})?"
_GOOD = re.compile(rf"[A-Z]{{3}}\s?{_AMOUNT}(?![\d.])(?:.*)", re.S)
_GIFT = re.compile(r"赠|贈|非卖|非賣|交换|交換|内部|內部|免费|免費|不详|不詳")
_WRITTEN = re.compile(
    rf"\s*(RMB|人民币|NT\$|NTD|新台币|新臺幣|HK\$|港币|港幣|US\$|[￥¥£€])?\s*:?\s*({_AMOUNT})\s*(元)?(?![\d.])"
)
# Ways to write a currency, with its code in ISO 4217; ¥ is also Japan's, so the number beside it has to be Chinese.
_CURRENCIES = {
    "RMB": "CNY", "人民币": "CNY", "￥": "CNY", "¥": "CNY", "NT$": "TWD", "NTD": "TWD", "新台币": "TWD",
    "新臺幣": "TWD",
    "HK$": "HKD", "港币": "HKD", "港幣": "HKD", "US$": "USD", "£": "GBP", "€": "EUR",
}  # fmt: skip


@lru_cache(maxsize=4096)
def trade_number(text: str) -> tuple[Verdict, ...]:
    """091: a number of one of the two forms; the country's code may stand before it."""
    if not text.strip() or text in ("CN", "cn"):
        return FINE
    if identifiers.unified(text):
        return FINE
    number = identifiers.cn_number(text)
    if not number:
        return (Verdict("trade-number-form", wanted="NNNNN.NNN / NN-NNNN"),)
    if number[:2] not in _PROVINCES:
        return (Verdict("cn-number-province", wanted="10-65"),)
    return FINE


def price(text: str, chinese: bool) -> tuple[Verdict, ...]:
    """A price as it stands; `chinese`: the thing was published in China, so that ¥ and 元 are Chinese money."""
    if not text.strip() or _GOOD.fullmatch(text):
        return FINE
    if _GIFT.search(text):
        return (Verdict("price-gift"),)
    plain = narrow(text.replace("￥", "¥"))
    found = _WRITTEN.match(plain)
    if found and (found[1] or found[3]):
        sign = found[1] or "RMB"
        if chinese or (sign not in "¥￥" and not (found[3] and not found[1])):
            rest = text[found.end() :]
            return (Verdict("price-currency", mended=f"{_CURRENCIES[sign]}{found[2]}{rest}"),)
    if not text.isascii() and _GOOD.fullmatch(plain.strip()):
        return (Verdict("price-currency", mended=plain.strip()),)
    return (Verdict("price-form", wanted="CNY00.00"),) if chinese else FINE


def _chinese(text: str) -> bool:
    number = narrow(value(text, "a")).replace("-", "").strip()
    return number[:1] == "7" or number[:4] == "9787" or "元" in text


def _prices(seen: Look) -> Iterator[Finding]:
    for tag in ("010", "011"):
        for nth, text in enumerate(seen.texts(tag), 1):
            if DELIMITER + "d" not in text:
                continue
            for code, stands in subfields(text):
                if code == "d":
                    for verdict in price(stands, _chinese(text)):
                        wanted = verdict.mended or verdict.wanted
                        yield Finding(verdict.rule, tag, nth, "d", -1, stands[:LONGEST_VALUE], wanted)


def _mend_price(record: Record, fmt: Format) -> Mended:
    if fmt != Format.CNMARC:
        return Mended(record, ())

    def change(tag: str, text: str) -> str:
        del tag
        chinese = _chinese(text)

        def put(stands: str) -> str:
            return next((v.mended for v in price(stands, chinese) if v.mended is not None), stands)

        return values.each(text, "d", put)

    return edit.fields(record, "price-currency", change, PRICE_TAGS)


_CNMARC = frozenset((Format.CNMARC,))

RULES: tuple[ContentRule, ...] = (
    ContentRule(
        ids=("trade-number-form", "cn-number-province"),
        look=values.looker(NUMBER_PLACES, trade_number),
        among=values.among(NUMBER_PLACES, trade_number),
        tags=values.tags(NUMBER_PLACES),
        formats=_CNMARC,
    ),
    ContentRule(ids=("price-gift", "price-currency", "price-form"), look=_prices, tags=PRICE_TAGS, formats=_CNMARC),
)
FIXES: Mapping[str, Fix] = {"price-currency": _mend_price}
