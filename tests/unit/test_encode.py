"""Text to bytes: every encoding gives back what it was given, and says what it could not hold."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pymarc.marc8 import marc8_to_unicode

from protocols.charsets import big5, codec, marc8, private
from protocols.charsets.encode import encode
from tests import data

SPANS = str.maketrans({"\ufe20": "\u0361", "\ufe21": None, "\ufe22": "\u0360", "\ufe23": None})
VENDORS = set("…“”—’™")  # have codes in vendors' EACC only
NAMES = ("utf-8", "marc-8", "iso-5426", "danmarc", "gb18030", "gbk", "big5", "koi8-r", "cp1251", "cp866", "latin-1")


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def repertoire(name: str) -> str:
    """Characters that an encoding has."""
    if name in ("marc-8", "iso-5426"):
        sets = ("5426",) if name == "iso-5426" else ("E", "N", "Q", "S", "2", "3", "4", "b", "p", "g", "1")
        has = {character for each in sets for character, _ in marc8.table(each).values()}
        return "".join(sorted(has - VENDORS if name == "marc-8" else has))
    if name == "big5":
        return "".join(sorted({character for character in big5._codes().values() if len(character) == 1}))
    python = {"gb18030": "gbk", "danmarc": "latin-1"}.get(name, name)
    pairs = [bytes((lead,)) for lead in range(0x80, 0x100)]
    if python == "gbk":
        pairs = [bytes((lead, trail)) for lead in range(0x81, 0xFF) for trail in range(0x40, 0xFF)]
    return "".join(pair.decode(python, "ignore") for pair in pairs)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "utf-8"])
def test_every_character_of_an_encoding_is_written_in_it(name: str) -> None:
    for character in repertoire(name):
        made = encode(f"a{character} b", name)
        assert made.lost == (), (character, made)
        back, unknown = codec.decode(made.data, name)
        assert unknown == 0 and nfc(back) == nfc(f"a{character} b"), (character, made.data, back)


@given(name=st.sampled_from(NAMES), data_=st.data())
def test_what_is_written_is_read_as_it_was(name: str, data_: st.DataObject) -> None:
    own = st.sampled_from(repertoire(name) if name != "utf-8" else "中é")
    marks = st.sampled_from("\u0301\u0308\u0327\u0323\u0361\ufe20\ufe21\u20e3")
    anything = st.characters(codec="utf-8", exclude_characters="\x1b\x1d\x1e\x1f")
    value = st.text(st.one_of(own, own, st.sampled_from("aei "), marks, anything), max_size=12)
    text = data_.draw(st.lists(value, min_size=1, max_size=3).map("\x1fa".join))
    text = text.translate(private.two_bytes()) if name in ("gb18030", "gbk") else text
    made = encode(text, name)
    back, unknown = codec.decode(made.data, name)
    wanted = "\x1fa".join(map(nfc, text.split("\x1fa"))) if name != "utf-8" else text
    assert unknown == 0
    assert back.count("\x1f") == text.count("\x1f")
    assert canonical(back) == canonical(wanted)
    assert set(made.lost) <= set(text) | set(nfc(text))


def canonical(text: str) -> list[str]:
    return [nfc(part.translate(SPANS)) for part in text.split("\x1f")]


def test_marc8_is_written_as_the_library_of_congress_writes_it() -> None:
    folder = data.path("marc-conformance/edsu__pymarc")
    marc8_lines = (folder / "test_marc8.txt").read_bytes().split(b"\n")
    utf8_lines = (folder / "test_utf8.txt").read_text(encoding="utf-8").split("\n")
    made = [encode(text, "marc-8") for text in utf8_lines]
    assert [codec.decode(each.data, "marc-8") for each in made] == [(nfc(text), 0) for text in utf8_lines]
    same = sum(each.data == line for each, line in zip(made, marc8_lines, strict=True))
    assert same >= 1494  # the others have a repeated code of EACC, of which the lowest is written


def test_pymarc_reads_what_is_written() -> None:
    folder = data.path("marc-conformance/edsu__pymarc")
    lines = (folder / "test_utf8.txt").read_text(encoding="utf-8").split("\n")
    made = {text: encode(text, "marc-8") for text in lines}
    wrong = [
        text
        for text, each in made.items()
        if not each.lost and nfc(marc8_to_unicode(each.data, hide_utf8_warnings=True)) != nfc(text)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Città", b"Citt\xe1a"),  # marks come before their letter
        ("Cit\u0323t\u0323a\u0300", b"Ci\xf2t\xf2t\xe1a"),
        ("Rossii\ufe20a\ufe21", b"Rossi\xebi\xeca"),
        ("Rossii\u0361a", b"Rossi\xebi\xeca"),  # one mark over two letters: a half before each
        ("\x1fa一.\x1fb二", b"\x1fa\x1b$1!0!\x1b(B.\x1fb\x1b$1!0Q\x1b(B"),  # ASCII is back before each delimiter
        ("H₂O", b"H\x1bb2\x1bsO"),
        ("αβ", b"\x1b(Sab\x1b(B"),
        ("й а́", b"\x1b(NJ\x1b(B \x1b(N\xe2A\x1b(B"),
        ("\x98The \x9ctitle", b"\x88The \x89title"),  # non-sorting marks
        ("a ™", b"a &#x2122;"),
        ("a\x1b(Nb", b"a&#x001B;(Nb"),  # an escape of the text is none of ours
        ("&#x6F22;", b"&#x0026;#x6F22;"),  # text that looks like a reference stays text
    ],
)
def test_marc8_bytes(text: str, expected: bytes) -> None:
    assert encode(text, "marc-8").data == expected


def test_what_an_encoding_lacks_is_a_reference_and_told() -> None:
    assert encode("中文", "latin-1") == (b"&#x4E2D;&#x6587;", ("中", "文"))
    assert encode("e\u0301", "latin-1") == (b"\xe9", ())
    assert encode("𠀀", "gbk").lost == ("𠀀",)
    assert encode("𠀀", "gb18030") == (b"\x95\x32\x82\x36", ())
    assert encode("\ud800", "utf-8").lost == ("\ud800",)


def test_gb18030_gives_the_codes_of_its_newest_edition() -> None:
    # U+FE10, U+9FB4: in GB 18030-2000 private use
    assert codec.decode(b"\xa6\xd9\xfe\x59\xa8\xbc", "gb18030") == ("\ufe10\u9fb4\u1e3f", 0)
    assert encode("\ufe10\u9fb4\u1e3f", "gb18030").data == b"\xa6\xd9\xfe\x59\xa8\xbc"


def test_big5_has_hkscs_and_user_defined_characters() -> None:
    assert codec.decode("囍".encode("big5hkscs"), "big5") == ("囍", 0)
    assert codec.decode(b"\xfa\x40\x81\x40", "big5")[1] == 0
    assert encode(codec.decode(b"\x81\x40", "big5")[0], "big5").data == b"\x81\x40"


def test_mixtures_and_tables_are_written_in_one_encoding() -> None:
    assert encode("中", "utf-8+gb18030") == encode("中", "utf-8")
    assert encode("中", "gb18030/2022") == encode("中", "gb18030")
    assert encode("a@b \ua733 中", "danmarc").data == b"a@@b @A733 @4E2D"
    assert codec.decode(encode("@00E5", "danmarc").data, "danmarc") == ("@00E5", 0)


@example("&#38;&#x6F22;")
@given(st.text("&#x0123;", max_size=14))
def test_references_in_text_survive(text: str) -> None:
    assert codec.decode(encode(text, "koi8-r").data, "koi8-r")[0] == text
