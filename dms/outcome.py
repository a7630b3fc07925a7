"""What PREPARE hands back of a stretch: items to place, signatures, a tally for the judge, what came back (pure)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog import bodies
from catalog.model import Carrier
from dms import garbled, sharing
from dms.mfhd import FOLLOWS, Order
from dms.pipeline import Back, Habits, Item, Prepared, Signed, Tally, encode
from dms.quality import Sheet
from dms.task import Task, storable
from protocols.charsets import codec

CONTRADICTED = "encoding-contradicted"  # what was made of such a record is no text, whatever it looks like
ENOUGH_TO_TRAIN = 400  # records of one format in one stretch
MOST_FINDINGS = 2000  # of one stretch that are kept with their records; the counts know all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What PREPARE hands back: `Prepared` and `Tally`, packed and compressed, what came back, trained dictionaries."""

    prepared: bytes
    tally: bytes
    back: tuple[Back, ...]
    samples: dict[int, bytes]  # by format: a dictionary trained on this stretch, where none is known yet


def outcome(
    works: Sequence[Task],
    back: Sequence[Back],
    habits: Habits,
    known: Mapping[str, tuple[bytes, int]],
    sheet: Sheet,
    order: Order,
) -> Outcome:
    """Pack what was made of the records that did not come back. `known` as in `dms.prepare.prepare`."""
    items: list[Item] = []
    index: list[int] = []
    signatures: dict[bytes, int] = {}
    signed: list[Signed] = []
    raws: dict[int, list[bytes]] = {}
    wrong = retitled = 0
    room = MOST_FINDINGS
    for one in works:
        index.append(-1 if one.unchanged else len(items))
        if one.unchanged:
            continue
        if one.deleted:
            items.append(_deletion(one))
            continue
        if one.same:
            items.append(_rescored(one))
            continue
        place = -1
        if one.signed is not None:
            place = signatures.setdefault(one.signed.digest, len(signed))
            if place == len(signed):
                signed.append(one.signed)
        number, _ = dictionary_of(habits, one.format)
        if not number:
            raws.setdefault(one.format, []).append(one.kept or one.raw)
        item = _item(one, number, place, 0 if habits.recheck else room)  # a recheck finds what is kept already
        room -= len(item.findings)
        standing = known.get(one.local_id)
        retitled += standing is not None and standing[1] != item.title_hash
        wrong += garbled.is_garbled(one.title) or any(rule == CONTRADICTED for rule, _ in one.findings)
        items.append(item)
    tally = Tally(
        [one.local_id for one in works],
        [one.stamp for one in works],
        [one.digest for one in works],
        index,
        list(Counter(one.verdict for one in back).items()),
        wrong,
        retitled,
        sum(one.local_id in known for one in works),
        sheet.judged,
        sheet.score,
        sheet.mended,
        sheet.rules,
        any(one.parent == FOLLOWS for one in works),
        order.last,
        order.last_numbers,
        [(place, one.instead, one.number) for place, one in enumerate(works) if one.instead],
    )
    return Outcome(
        prepared=bodies.shrink(encode(Prepared(items, signed, sharing.digest(habits.source)))),
        tally=bodies.shrink(encode(tally)),
        back=tuple(back),
        samples={fmt: bodies.train(some) for fmt, some in raws.items() if len(some) >= ENOUGH_TO_TRAIN},
    )


def dictionary_of(habits: Habits, fmt: int) -> tuple[int, bytes]:
    """(number, bytes) of the trained dictionary for records of a format; 0 if there is none yet."""
    return habits.dictionaries.get(fmt, (0, b""))


def _item(one: Task, dictionary: int, signature: int, room: int) -> Item:
    return Item(
        one.local_id,
        one.ordinal,
        False,
        one.digest,
        one.stamp,
        title_hash(one.title),
        one.format,
        Carrier.MARCJSON if one.kept else one.carrier,
        codec.UTF8 if one.kept else one.encoding,
        one.visibility,
        dictionary,
        one.body,
        signature,
        one.holdings,
        _findings(one)[:room],
        one.version.load if one.version else 0,
        score=one.score,
        kind=int(one.kind),
        parent=one.parent,
        heading=one.heading,
        dropped=one.dropped,
        position=one.position,
        edits=one.edits,
    )


def _deletion(one: Task) -> Item:
    return Item(
        one.local_id, one.ordinal, True, one.digest, one.stamp, 0, 0, one.carrier, one.encoding, 0, 0, b"", -1, (), (),
        redirect=one.told.change.redirect if one.told else "",
    )  # fmt: skip


def _rescored(one: Task) -> Item:
    """Of a recheck: what is kept stays as it is."""
    return Item(
        one.local_id, one.ordinal, False, one.digest, one.stamp, 0, one.format, one.carrier, one.encoding, 0, 0, b"",
        -1, (), (), score=one.score, same=True,
    )  # fmt: skip


def title_hash(text: str) -> int:
    """By which a record's title is compared with the one that stood before."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _findings(one: Task) -> tuple[tuple[str, str], ...]:
    return tuple((rule, storable(detail)) for rule, detail in one.findings) if one.findings else ()
