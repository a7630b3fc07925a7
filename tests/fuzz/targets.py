"""What must hold of any bytes, by target: only our own errors, an end, every byte accounted for, and a record that was
written reads back as it was. A target takes bytes and raises when it does not hold.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from catalog.model import Format
from catalog.search import fielded
from config.errors import BadRecord, Refused
from dms import checking, formats
from dms.rules import catalogue, check, mend
from dms.rules.model import Profile
from protocols import detect, gunzip, iso2709, marcjson, marcxml, reading, stream
from protocols.charsets import codec, sniff
from protocols.cql import parser
from protocols.cql import writer as cql
from protocols.marc import Record
from protocols.query import Node
from protocols.tables import opening
from protocols.z3950 import apdu, negotiation, opac, pqf, rpn, update
from protocols.z3950 import charsets as negotiated
from protocols.z3950.apdu import query
from protocols.z3950.apdu.parts import External
from protocols.z3950.ber import Frames, Malformed
from protocols.z3950.limits import ANSWERS
from protocols.z3950.primitive import Type
from tests.z3950 import pretending

SMALL = 4096  # bytes of a stretch, so that even small inputs make several
CHARSETS = ("utf-8", "marc-8", "gb18030", "big5", "iso-5426", "danmarc", "koi8-r", "cp1251", "latin-1")

Target = Callable[[bytes], None]


def accounted(data: bytes, batch: reading.Batch) -> None:
    """Records and failures lie in order, apart, and hold the bytes of the places that they name."""
    every: list[reading.Read | reading.Failed] = [*batch.reads, *batch.failed]
    pieces = sorted(every, key=lambda each: each.ordinal)
    assert [each.ordinal for each in pieces] == list(range(len(pieces))), "ordinals"
    end = 0
    for each in pieces:
        assert each.position >= end, "pieces overlap"
        end = each.position + len(each.raw)
        assert data[each.position : end] == each.raw, "a piece that is not in the data"
    assert batch.padding == len(data) - sum(len(each.raw) for each in pieces) >= 0, "padding"


def storable(record: Record) -> None:
    """It can be encoded, and has no separators but between subfields."""
    record.leader.encode()
    for tag, text in record.fields:
        (tag + text).encode()
        assert not {"\x1d", "\x1e"} & set(text), "a terminator in a value"


def carrier(name: str) -> Target:
    """The target of one carrier's reader."""

    def target(data: bytes) -> None:
        batch = reading.read(data, name)
        accounted(data, batch)
        for each in batch.reads:
            storable(each.record)
            _again(each.record)
        stretched(data, name)

    return target


def _again(record: Record) -> None:
    """Written and read, it is what it was: in full in JSON; as far as their rules allow in ISO 2709 and MARCXML."""
    assert marcjson.read(marcjson.write(record).encode())[0].fields == _plain(record).fields, "MARC-in-JSON"
    marcxml.read(marcxml.write(record).encode())
    if not all(len(tag) == 3 and tag.isascii() and tag.isalnum() for tag, _ in record.fields):
        return  # ISO 2709 keeps others as ZZZ
    try:
        written = iso2709.write(record)
    except BadRecord:
        return
    (read,) = reading.read(written, "iso2709", encoding="utf-8").reads
    assert len(read.record.fields) == len(record.fields), "ISO 2709"
    assert iso2709.write(read.record) == written, "ISO 2709, written again"


def _plain(record: Record) -> Record:
    """As MARC-in-JSON can say it: two indicators, no empty subfield code."""
    return marcjson.read(marcjson.write(record).encode())[0]


def stretched(data: bytes, name: str) -> None:
    """Cut into stretches nothing is lost, and each can be read alone."""
    end = 0
    try:
        for each in stream.stretches(io.BytesIO(data), name, size=SMALL):
            assert each.end >= end, "stretches go back"
            end = each.end
            if not each.fault:
                reading.read(each.data, name)
    except (BadRecord, Refused):
        pass


def packed(data: bytes) -> None:
    """The reader of gzip: what it gives is bounded, and is what gzip gives of a sound file."""
    given = bytearray()
    with gunzip.Input(io.BytesIO(data), "fuzz") as source:
        try:
            while piece := source.read(1 << 16):
                given += piece
                assert len(given) <= gunzip.FREE + gunzip.MAX_RATIO * len(data) + (1 << 17), "it grows"
        except (BadRecord, Refused):
            return
    try:
        assert not data.startswith(gunzip.MAGIC) or gzip.decompress(data) == given, "not what gzip gives"
    except (EOFError, OSError, zlib.error):
        pass


def charsets(data: bytes) -> None:
    """Judging an encoding and decoding in every one of them."""
    judged = sniff.decide(data, sniff.Hint(), sniff.Context())
    text, lost = codec.decode(data, judged.name)
    text.encode()
    assert lost >= 0
    for name in CHARSETS:
        codec.decode(data, codec.known(name))[0].encode("utf-8")


@cache
def _checker() -> check.Checker:
    return check.checker(Profile())


def rules(data: bytes) -> None:
    """Checking any record raises nothing, its texts can be made, and mending a second time changes nothing."""
    for each in reading.read(data, "marcjson").reads:
        for fmt in Format:
            found = _checker().check(each.record, fmt)
            for finding in found:
                for lang in ("zh", "en"):
                    assert catalogue.text(finding, lang)
            mended = mend.mend(each.record, fmt, {finding.rule for finding in found})
            storable(mended.record)
            assert not mend.mend(mended.record, fmt, {one.rule for one in mended.receipts}).receipts, "mended twice"
            formats.facts(each.record, fmt)


def checked(data: bytes) -> None:
    """`check --fix` of a file of any carrier: an answer for each record, and none is our fault."""
    asked = checking.Asked(carrier="iso2709", fix=True)
    looked = checking.look(data, 0, asked, checking.pack(Profile()))
    assert len(looked.told) == looked.verdicts.total()
    assert not looked.rules["fault"], looked.told


def table(data: bytes) -> None:
    """A table by any template: its lines are records or say why a row is none."""
    try:
        with opening.Table(gunzip.Input(io.BytesIO(data), "fuzz"), "fuzz") as lines:
            made = lines.read()
    except (BadRecord, Refused):
        return
    batch = reading.read(made, "marcjson")
    accounted(made, batch)
    for each in batch.reads:
        storable(each.record)


Z3950: tuple[Type[Any], ...] = (
    apdu.APDU,
    update.UPDATE,
    update.TASK_PACKAGE,
    negotiation.NEGOTIATION,
    opac.OPAC_RECORD,
)


def z3950(data: bytes) -> None:
    """APDUs: refused as malformed or read; what is read is written so that it reads as the same, however it is cut into
    pieces; and what a query, an update or a wish for a charset holds is understood or refused.
    """
    for size in (len(data), 7):
        frames = Frames()
        try:
            cut = [each for at in range(0, len(data), size or 1) for each in frames.feed(data[at : at + size])]
        except Malformed:
            continue
        assert b"".join(cut) == data[: len(data) - len(frames)], "frames"
    for kind in Z3950:
        try:
            read = kind.decode(data)
        except Malformed:
            continue
        assert kind.decode(kind.encode(read)) == read, "written and read again"
        _understood(read)


def _understood(read: object) -> None:
    match read:
        case apdu.InitRequest():
            negotiated.proposed(read.other_info, read.user_information_field)
        case apdu.SearchRequest(query=query.Type1(asked) | query.Type101(asked)):
            try:
                rpn.read(asked, lambda octets: octets.decode("utf-8", "replace"))
            except Refused:
                pass
        case apdu.ExtendedServicesRequest(task_specific_parameters=External() as asked):
            try:
                update.read(asked)
            except Malformed:
                pass


def z3950_session(data: bytes) -> None:
    """A session of whatever requests: each is answered, by what can be written and read again, or ends it."""
    for _, replies in pretending.answers(data):
        for reply in replies:
            octets = apdu.encode(reply)
            assert apdu.encode(apdu.decode(octets, ANSWERS)) == octets, "an answer that reads otherwise"


def queries(data: bytes) -> None:
    """Queries in CQL and prefix notation: refused or read, and then compiled or refused; what was read of CQL is
    written so that the same is read, and so is what is sent to other servers.
    """
    text = data.decode("utf-8", "replace")
    for language in (parser.read, pqf.read):
        try:
            asked = language(text)
        except Refused:
            continue
        _compiled(asked)
        if language is parser.read:
            assert parser.read(cql.text(asked)) == asked, "written and read again"
        try:
            sent = rpn.write(asked, str.encode)
        except Refused:
            continue
        try:
            received = rpn.read(sent, bytes.decode)
        except Refused:
            continue
        assert pqf.parse(pqf.text(sent)) == sent, "shown and read again"
        _compiled(received)


def _compiled(asked: Node) -> None:
    try:
        fielded.compiled(asked)
    except Refused:
        pass


TARGETS: Mapping[str, Target] = {
    **{name: carrier(name) for name in detect.CARRIERS},
    "csv": table,
    "gzip": packed,
    "charsets": charsets,
    "rules": rules,
    "check": checked,
    "z3950": z3950,
    "z3950-session": z3950_session,
    "queries": queries,
}
