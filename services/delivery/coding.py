"""What a record says of its own encoding, made true for the encoding that it leaves in.

MARC 21: leader/09 (a = UCS/Unicode, blank = MARC-8 or another). UNIMARC and its kin leave leader/09 blank and say it in
100 $a/26-29 (UNIMARC Manual: Bibliographic Format, 2008: 01 ISO 646, 02 basic Cyrillic, 03 ISO 5426, 50 ISO 10646). For
GB 18030 Chinese systems write 0120 (WH/T 0503-1996: 20 = GB 2312; as real records do); what has no code is left blank.
"""

from __future__ import annotations

from collections.abc import Mapping

from catalog.model import Format
from protocols.charsets import codec
from protocols.marc import DELIMITER, Record, value

CHARACTER_SETS = slice(26, 30)  # of a UNIMARC 100 $a
CODES: Mapping[str, str] = {
    codec.UTF8: "50  ",
    codec.GB18030: "0120",
    "gbk": "0120",
    codec.ISO5426: "0103",
    "koi8-r": "0102",
    "cp1251": "0102",
}
NONE = "    "


def said(record: Record, fmt: Format, encoding: str) -> Record:
    """The record with its own word for the encoding; `encoding` as `codec.known` spells it."""
    leader = record.leader.ljust(24)[:24]
    coding = "a" if fmt is Format.MARC21 and codec.is_unicode(encoding) else " "
    if fmt is Format.MARC21 and leader[9] == coding and len(record.leader) == len(leader):
        return record
    fields = record.fields
    if fmt is Format.CNMARC:
        fields = tuple([(each[0], _coded(each[1], encoding)) if each[0] == "100" else each for each in fields])
    return Record(leader[:9] + coding + leader[10:], fields)


def _coded(text: str, encoding: str) -> str:
    """A UNIMARC 100 whose $a/26-29 names the character set, whatever the source wrote in."""
    coded = value(text, "a")
    if len(coded) < CHARACTER_SETS.stop:
        return text
    true = f"{coded[: CHARACTER_SETS.start]}{CODES.get(encoding, NONE)}{coded[CHARACTER_SETS.stop :]}"
    return text.replace(f"{DELIMITER}a{coded}", f"{DELIMITER}a{true}", 1)
