"""ISO 2709: the sound way and the tolerant way, and every repair by name."""

from __future__ import annotations

import pytest

from config.errors import BadRecord
from protocols import columnar, iso2709, reading
from protocols.marc import Record

LEADER = "00000nam a2200000 a 4500"
FIELDS = (
    ("001", "ocm0001"),
    ("008", "890831s1990    inu      b    00110 eng  "),
    ("245", "10\x1faThe pragmatic programmer :\x1fbfrom journeyman to master /"),
    ("650", " 0\x1faComputer programming."),
    ("650", " 0\x1faÉtude."),
)
GOOD = iso2709.write(Record(leader=LEADER, fields=FIELDS))
BASE = 24 + 12 * len(FIELDS) + 1


def rules(found: iso2709.RawRecord) -> set[str]:
    return {rule for rule, _ in found.findings}


def contents(data: bytes) -> tuple[tuple[str, str], ...]:
    return tuple((tag, content.decode()) for tag, content in iso2709.read(data).fields)


def test_what_is_written_is_read_back_without_findings() -> None:
    found = iso2709.read(GOOD)
    assert contents(GOOD) == FIELDS
    assert found.findings == ()
    assert int(found.leader[:5]) == len(GOOD) and int(found.leader[12:17]) == BASE


def test_the_columnar_way_gives_the_same_and_only_what_is_wanted() -> None:
    scan = columnar.scan(GOOD * 3)
    assert scan.sound.all() and scan.tail == 3 * len(GOOD)
    every, some = columnar.wanted(scan, None), columnar.wanted(scan, frozenset(("650", "001", "ＡＢＣ", "1")))
    assert columnar.Slices(scan, every).of(2) == [(tag, text.encode()) for tag, text in FIELDS]
    assert [tag for tag, _ in columnar.Slices(scan, some).of(2)] == ["001", "650", "650"]
    assert columnar.texts(scan, (GOOD * 3).decode(), every) == [FIELDS] * 3
    assert columnar.texts(scan, (GOOD * 3).decode(), some) == [(FIELDS[0], FIELDS[3], FIELDS[4])] * 3
    assert columnar.texts(scan, (GOOD * 3).decode("utf-16-le", "replace"), every) is None


@pytest.mark.parametrize("padding", [b"\n", b"\r\n", b"\x00\x00", b"\x1a", b"\r\n\r\n"])
def test_padding_between_records_is_stepped_over(padding: bytes) -> None:
    data = padding.join([GOOD] * 4) + padding
    assert columnar.scan(data).sound.all()
    batch = reading.read(data, "iso2709")
    assert [each.raw for each in batch.reads] == [GOOD] * 4
    assert [each.position for each in batch.reads] == [number * (len(GOOD) + len(padding)) for number in range(4)]
    assert batch.padding == 4 * len(padding) and not batch.failed


def test_a_directory_that_is_not_in_the_order_of_the_data_is_sound() -> None:
    entries = [GOOD[24 + 12 * at : 36 + 12 * at] for at in (2, 0, 4, 1, 3)]
    data = GOOD[:24] + b"".join(entries) + GOOD[BASE - 1 :]
    assert columnar.scan(data).sound.all()
    assert [tag for tag, _ in contents(data)] == ["245", "001", "650", "008", "650"]


def test_tags_of_letters_are_sound() -> None:
    data = iso2709.write(Record(leader=LEADER, fields=(("001", "1"), ("CAT", "  \x1faX"), ("u01", "  \x1faY"))))
    scan = columnar.scan(data)
    named = columnar.wanted(scan, frozenset(("CAT", "u01")))
    assert columnar.Slices(scan, named).of(0) == [("CAT", b"  \x1faX"), ("u01", b"  \x1faY")]


def damaged(name: str) -> bytes:
    """GOOD with one kind of damage."""
    head, directory, body = GOOD[:24], GOOD[24 : BASE - 1], GOOD[BASE - 1 :]
    match name:
        case "length":
            return b"00123" + GOOD[5:]
        case "length no number":
            return b"x0a1f" + GOOD[5:]
        case "base":
            return head[:12] + b"99937" + head[17:] + directory + body
        case "base no number":
            return head[:12] + b"f0037" + head[17:] + directory + body
        case "lengths in characters":  # written before the text became UTF-8
            return head + directory[:-12] + b"650%04d%05d" % (len(FIELDS[4][1]) + 1, int(directory[-5:])) + body
        case "shorter field":
            return GOOD.replace(b"pragmatic ", b"")
        case "letters in the directory":
            return GOOD.replace(directory[24:36], b"245x-grave12")
        case "directory byte lost":
            return head + directory[:20] + directory[21:] + body
        case "directory byte added":
            return head + directory[:13] + b"7" + directory[13:] + body
        case "newline in leader":
            return head[:10] + b"\n" + head[10:] + directory + body
        case "CR LF in a field":
            return GOOD.replace(b" programmer", b"\r\nprogrammer")
        case "junk before":
            return b"HTTP/1.1 200 OK\r\n\r\n" + GOOD
        case "byte order mark":
            return b"\xef\xbb\xbf" + GOOD
        case "no terminator":
            return GOOD[:-1]
        case "leader byte lost":
            return head[:7] + head[8:] + directory + body
        case _:
            raise AssertionError(name)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("length", "iso2709-length"),
        ("length no number", "iso2709-length"),
        ("base", "iso2709-base"),
        ("base no number", "iso2709-base"),
        ("lengths in characters", "iso2709-directory"),
        ("shorter field", "iso2709-directory"),
        ("letters in the directory", "iso2709-directory"),
        ("directory byte lost", "iso2709-directory"),
        ("directory byte added", "iso2709-directory"),
        ("newline in leader", "iso2709-newline"),
        ("CR LF in a field", "iso2709-directory"),
        ("junk before", "iso2709-junk"),
        ("no terminator", "iso2709-terminator"),
        ("leader byte lost", "iso2709-base"),
    ],
)
def test_damage_is_mended_and_named(name: str, rule: str) -> None:
    data = damaged(name)
    found = iso2709.read(data)
    assert rule in rules(found)
    texts = [content.decode().replace("\r\n", " ").replace("pragmatic ", "") for _, content in found.fields]
    assert texts == [text.replace("pragmatic ", "") for _, text in FIELDS]
    if "directory byte" not in name:
        assert [tag for tag, _ in found.fields] == [tag for tag, _ in FIELDS]
    batch = reading.read(GOOD + data + GOOD, "iso2709")
    assert [each.raw for each in batch.reads][::2] == [GOOD, GOOD]
    assert [each.rule for each in batch.failed] == (["not-a-record"] if name == "junk before" else [])


def test_a_byte_order_mark_is_no_damage() -> None:
    assert iso2709.read(damaged("byte order mark")).findings == ()


def test_a_field_longer_than_four_digits_is_read_whole() -> None:
    long = "  \x1fa" + "x" * 23_000
    data = iso2709.write(Record(leader=LEADER, fields=(("001", "1"), ("520", "  \x1faSHORT"), ("650", " 0\x1faEnd"))))
    data = data.replace(b"  \x1faSHORT", long.encode())
    assert contents(data) == (("001", "1"), ("520", long), ("650", " 0\x1faEnd"))


def test_a_terminator_inside_a_field_becomes_a_blank() -> None:
    data = GOOD.replace(b"pragmatic ", b"pragmatic\x1e")
    assert contents(data)[2] == ("245", FIELDS[2][1])
    assert rules(iso2709.read(data)) == {"iso2709-terminator-in-field"}


def test_a_terminator_that_was_overwritten_harms_nobody_but_itself() -> None:
    at = GOOD.index(b"\x1e", GOOD.index(b"master"))
    data = GOOD[:at] + b"?" + GOOD[at + 1 :]
    assert contents(data) == FIELDS


def test_a_missing_record_terminator_does_not_glue_two_records() -> None:
    batch = reading.read(GOOD + GOOD[:-1] + GOOD + GOOD, "iso2709")
    assert [each.raw for each in batch.reads] == [GOOD, GOOD[:-1], GOOD, GOOD]
    assert [bool(each.findings) for each in batch.reads] == [False, True, False, False]


def test_a_record_terminator_inside_a_record_does_not_cut_it() -> None:
    stray = GOOD.replace(b"pragmatic ", b"pragmatic\x1d")
    batch = reading.read(GOOD + stray + GOOD, "iso2709")
    assert [each.raw for each in batch.reads] == [GOOD, stray, GOOD]
    assert batch.reads[1].record.fields == FIELDS


@pytest.mark.parametrize("crumb", [b"\x1d", b"\x1e\x1d", b"ab\x1ec\x1d", b"12\x1d"])
def test_a_run_of_crumbs_is_one_failure_between_sound_records(crumb: bytes) -> None:
    batch = reading.read(GOOD + crumb * 5_000 + GOOD, "iso2709")
    assert [each.raw for each in batch.reads] == [GOOD] * 2
    assert [(each.raw, each.ordinal) for each in batch.failed] == [(crumb * 5_000, 1)]


@pytest.mark.parametrize(
    "rubbish",
    [b"\x1d", b"hello\x1d", b"00026     2200025   4500\x1e\x1d", b"\x00" * 10 + b"x\x1d", b"1" * 500 + b"\x1d"],
)
def test_what_cannot_be_identified_fails_alone_with_its_bytes(rubbish: bytes) -> None:
    batch = reading.read(GOOD + rubbish + GOOD, "iso2709")
    assert [each.raw for each in batch.reads] == [GOOD, GOOD]
    assert len(batch.failed) == 1
    assert batch.failed[0].position == len(GOOD) + (10 if rubbish[0] == 0 else 0)
    assert batch.failed[0].reason
    assert batch.padding + len(batch.failed[0].raw) == len(rubbish)


def test_bytes_after_the_last_terminator_are_not_lost() -> None:
    assert reading.read(GOOD + b"trailing text", "iso2709").failed[0].rule == "not-a-record"
    assert reading.read(GOOD + GOOD[:-1], "iso2709").reads[1].record.fields == FIELDS


@pytest.mark.parametrize("after", [b"", b"\r\n\x1a", GOOD], ids=["at the end", "before padding", "before another"])
def test_a_record_without_its_end_is_not_read_in_pieces(after: bytes) -> None:
    for end in range(6, len(GOOD) - 2):
        batch = reading.read(GOOD + GOOD[:end] + after, "iso2709")
        assert [each.record.fields for each in batch.reads] == [FIELDS] * (1 + (after == GOOD)), end
        assert [each.rule for each in batch.failed] == ["cut-off"]
        assert batch.failed[0].raw.startswith(GOOD[:end])


def test_a_record_that_lost_only_its_terminators_is_whole() -> None:
    for short in (GOOD[:-1], GOOD[:-2], GOOD[:-2] + b"\n"):
        (read,) = reading.read(short, "iso2709").reads
        assert read.record.fields == FIELDS and "iso2709-terminator" in dict(read.findings)


def test_lengths_that_promise_more_than_there_is_make_no_cut_record_where_all_fields_end() -> None:
    shorter = GOOD.replace(b"pragmatic ", b"")[:-1]  # its lengths are of another text
    (read,) = reading.read(shorter, "iso2709").reads
    assert len(read.record.fields) == len(FIELDS)


def test_what_was_kept_of_a_cut_record_can_still_be_shown() -> None:
    assert reading.decode(GOOD[:200], "iso2709", "utf-8").fields[:2] == FIELDS[:2]


def test_an_override_beats_every_judgement() -> None:
    data = iso2709.write(Record(leader=LEADER, fields=(("001", "1"), ("245", "00\x1faé"))), "latin-1")
    assert reading.read(data, "iso2709", encoding="latin-1").reads[0].record.fields[1][1] == "00\x1faé"
    assert reading.read(data, "iso2709", encoding="cp1251").reads[0].record.fields[1][1] == "00\x1faй"


def test_neighbours_decide_for_a_record_that_says_little() -> None:
    def record(text: str) -> bytes:
        fields = (("001", "1"), ("200", f"1 \x1fa{text}"), ("801", " 0\x1faCN"))
        return iso2709.write(Record(leader="00000nam0 2200000   450 ", fields=fields), "gb18030")

    data = record("中国图书馆分类法使用手册，国家图书馆编") * 5 + record("鑫")
    batch = reading.read(data, "iso2709")
    assert {each.encoding for each in batch.reads} == {"gb18030"}
    assert batch.reads[-1].record.first("200") == "1 \x1fa鑫"


def test_a_rest_in_another_encoding_behind_the_last_record_changes_none() -> None:
    fields = (("001", "1"), ("200", "1 \x1fa中国图书馆分类法使用手册，国家图书馆编"))
    whole = iso2709.write(Record(leader="00000nam0 2200000   450 ", fields=fields), "gb18030")
    batch = reading.read(whole + "00999nam0 中国历史".encode(), "iso2709")
    assert [each.encoding for each in batch.reads] == ["gb18030"]
    assert len(batch.failed) == 1


def test_one_record_in_another_encoding_is_read_in_its_own() -> None:
    def record(text: str, encoding: str) -> bytes:
        return iso2709.write(Record(leader=LEADER, fields=(("001", "1"), ("245", f"00\x1fa{text}"))), encoding)

    texts = [("Études françaises à l'université", "utf-8"), ("中国图书馆分类法使用手册", "gb18030"), ("plain", "ascii")]
    batch = reading.read(b"".join(record(text, encoding) for text, encoding in texts), "iso2709")
    assert [each.record.first("245") for each in batch.reads] == [f"00\x1fa{text}" for text, _ in texts]


def test_a_stored_record_is_decoded_again_to_the_same() -> None:
    batch = reading.read(GOOD + damaged("shorter field"), "iso2709")
    for each in batch.reads:
        assert reading.decode(each.raw, "iso2709", each.encoding) == each.record


def test_too_long_is_refused_with_a_way_out() -> None:
    with pytest.raises(iso2709.TooLong, match="MARCXML"):
        iso2709.write(Record(leader=LEADER, fields=(("520", "  \x1fa" + "x" * 10_000),)))
    with pytest.raises(iso2709.TooLong, match="99,999"):
        iso2709.write(Record(leader=LEADER, fields=(("520", "  \x1fa" + "x" * 9_000),) * 12))
    with pytest.raises(BadRecord, match="latin-1"):
        iso2709.write(Record(leader=LEADER, fields=(("245", "00\x1fa中"),)), "latin-1")
