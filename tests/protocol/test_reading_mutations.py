"""Damage of every kind to one record: no error but ours, no hang, every byte accounted for, neighbours untouched."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from protocols import iso2709, marcjson, marcxml, reading
from protocols.marc import Record

NEIGHBOURS = 5


def marc21(number: int) -> Record:
    fields = (
        ("001", f"ocm{number:05}"),
        ("008", "890831s1990    inu      b    00110 eng  "),
        ("100", f"1 \x1faBrontë, Émilie,\x1fd18{number:02}-1848"),
        ("245", f"10\x1faÉtude no. {number} /\x1fcby Émilie Brontë."),
        *(("650", f" 0\x1faSubject {at}\x1fxHistory.") for at in range(number % 4 + 2)),
    )
    return Record(leader="00000nam a2200000 a 4500", fields=tuple(fields))


def cnmarc(number: int) -> Record:
    fields = (
        ("001", f"0120{number:08}"),
        ("100", "  \x1fa20081106d2008    em y0chiy0110    ea"),
        ("200", f"1 \x1fa中国图书馆事业发展报告{number}\x1ff国家图书馆编"),
        ("210", "  \x1fa北京\x1fc书目文献出版社\x1fd2008"),
        ("801", " 0\x1faCN\x1fbNLC"),
    )
    return Record(leader="00000nam0 2200000   450 ", fields=fields)


MAKERS: dict[str, tuple[str, Callable[[int], bytes], bytes]] = {
    "marc21": ("iso2709", lambda number: iso2709.write(marc21(number)), b""),
    "cnmarc in gb18030": ("iso2709", lambda number: iso2709.write(cnmarc(number), "gb18030"), b""),
    "marcxml": ("marcxml", lambda number: marcxml.write(cnmarc(number)).encode(), b"\n"),
    "marcjson": ("marcjson", lambda number: marcjson.write(marc21(number)).encode(), b"\n"),
}


def mutate(record: bytes, rng: random.Random) -> bytes:
    """One to four changes: bytes changed, lost, added, cut out, control bytes, line ends."""
    data = bytearray(record)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(data))
        match rng.randrange(8):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at]
            case 2:
                data.insert(at, rng.randrange(256))
            case 3:
                data[at] = rng.choice(b"\x1d\x1e\x1f\x1b\x00")
            case 4:
                del data[at : at + rng.randrange(200)]
            case 5:
                data[at:at] = rng.randbytes(rng.randrange(50))
            case 6:
                data[at:at] = b"\r\n"
            case _:
                del data[-1]
        if not data:
            break
    return bytes(data)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("seed", range(4))
def test_damage_to_one_record_harms_no_neighbour(kind: str, seed: int) -> None:
    carrier, make, junction = MAKERS[kind]
    rng = random.Random(f"{kind} {seed}")
    records = [make(number) for number in range(NEIGHBOURS)]
    expected = {each.raw: each.record for each in reading.read(junction.join(records), carrier).reads}
    assert len(expected) == NEIGHBOURS
    for _ in range(60):
        victim = rng.randrange(NEIGHBOURS)
        hurt = mutate(records[victim], rng)
        if carrier != "iso2709" and hurt.count(b"<record") + hurt.count(b"\n") > 1:
            continue  # a line end or start tag that came in by chance makes two records of one
        data = junction.join([*records[:victim], hurt, *records[victim + 1 :]])
        batch = reading.read(data, carrier)
        assert taken(batch) + batch.padding == len(data)
        found = {each.raw: each.record for each in batch.reads}
        for number, raw in enumerate(records):
            if number != victim and not (carrier == "marcxml" and number == victim + 1 and not _closed(hurt)):
                assert found.get(raw) == expected[raw], (kind, seed, number, victim, hurt)


def taken(batch: reading.Batch) -> int:
    """Bytes that are in a record or in a failure."""
    return sum(len(each.raw) for each in batch.reads) + sum(len(each.raw) for each in batch.failed)


def _closed(element: bytes) -> bool:
    """Whether mark-up that was damaged can't swallow the element after it (an open comment or CDATA section could)."""
    return b"<!" not in element


@pytest.mark.parametrize("carrier", ["iso2709", "marcxml", "marcjson"])
def test_noise_raises_nothing(carrier: str) -> None:
    rng = random.Random(carrier)
    for size in (0, 1, 23, 24, 25, 26, 100, 5000):
        for _ in range(20):
            noise = rng.randbytes(size)
            batch = reading.read(noise, carrier)
            assert taken(batch) + batch.padding == size
            tame = bytes(rng.choice(b"0123456789 \x1d\x1e\x1fabc<>{}\"'&;:[]/record") for _ in range(size))
            reading.read(tame, carrier)
