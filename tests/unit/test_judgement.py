"""Short titles alone, without neighbours, in each encoding that their language is written in."""

from __future__ import annotations

import unicodedata

import pytest

from protocols.charsets import codec, mixed, sniff
from protocols.charsets.encode import encode

TITLES = {
    "French": ["Société de géographie : mémoires présentés à l'Académie", "Théâtre complet / Molière ; préface",
               "La poésie française au XIXe siècle", "Être et temps : leçons d'été", "Les Misérables : œuvre complète"],
    "German": ["Die Gemälde der Münchener Künstler, erläutert", "Geschichte der Ölmalerei in Österreich",
               "Gödel, Bücher über Mathematik", "Straße und Häuser", "Für Länder und Völker"],
    "Spanish": ["Historia de la educación en España : economía y política", "Gramática de la lengua española",
                "Años de niñez : señora Peña", "La región amazónica", "Canción"],
    "Portuguese": ["História da educação no Brasil : São Paulo, função e razão", "Poesias de Camões",
                   "Relações internacionais e nações", "Índice e ação"],
    "Nordic": ["Växjö : från å till ö, på svenska språket", "Människor på jorden", "Københavns universitet : træer",
               "Århus og Ålborg", "Päivä metsässä : kirja isästä ja äidistä", "Þórbergur Þórðarson : íslenzkur aðall"],
    "Czech": ["Příběhy z českých dějin : první kniha, městečko", "Dějiny umění v Čechách", "Žluťoučký kůň"],
    "Polish": ["Książka o Łodzi i Gdańsku : życie współczesne", "Wiersze wybrane poezji śląskiej"],
    "Vietnamese": ["Lịch sử Việt Nam : từ nguồn gốc đến thế kỷ"],
    "romanized": ["Istorii\ufe20a\ufe21 Rossii : ocherki po istorii russkoĭ kulʹtury", "Tʻang shih san pai shou",
                  "Nihon no rekishi : Tōkyō Daigaku Shuppankai", "al-Qurʼān al-karīm : tafsīr wa-bayān"],
    "Chinese": ["中国图书馆分类法使用手册", "红楼梦", "计算机网络与通信技术 / 王明著", "北京大学出版社", "论语译注"],
    "Taiwan": ["臺灣圖書館分類法使用手冊", "紅樓夢", "計算機網路與通訊技術 / 王明著", "臺北市 : 聯經", "論語譯注"],
    "Japanese": ["日本の歴史 : 東京大学出版会", "こころ / 夏目漱石著", "源氏物語"],
    "Russian": ["Основы библиотечного дела и библиографии", "Война и мир", "Москва : Просвещение", "История"],
    "Ukrainian": ["Історія України : навчальний посібник", "Київ : Наукова думка"],
}  # fmt: skip
WESTERN = ("French", "German", "Spanish", "Portuguese", "Nordic")
WRITTEN = {
    "latin-1": WESTERN,
    "marc-8": (*WESTERN, "Czech", "Polish", "Vietnamese", "romanized"),
    "iso-5426": ("French", "German", "Spanish", "Portuguese", "Czech", "Polish"),
    "gb18030": ("Chinese", "Taiwan", "Japanese", "Russian"),
    "big5": ("Taiwan",),
    "koi8-r": ("Russian",),
    "cp1251": ("Russian", "Ukrainian"),
    "cp866": ("Russian",),
}


def judged(encoding: str, family: str) -> tuple[int, list[str]]:
    """(titles, those that come out as another text)."""
    count, wrong = 0, []
    for language in WRITTEN[encoding]:
        for title in TITLES[language]:
            made = encode(f"\x1fa{title}", encoding)
            if made.lost or made.data.isascii() or 0x1B in made.data:
                continue
            count += 1
            found = sniff.decide(made.data, sniff.Hint(family=family)).name
            if codec.decode(made.data, found)[0] != unicodedata.normalize("NFC", f"\x1fa{title}"):
                wrong.append(f"{title} -> {found}")
    return count, wrong


@pytest.mark.parametrize("encoding", WRITTEN)
def test_a_title_alone_is_judged_right(encoding: str) -> None:
    family = "cnmarc" if encoding == "iso-5426" else "marc21"
    count, wrong = judged(encoding, family)
    assert count >= 4
    assert wrong == []


def test_what_is_rare_in_a_format_may_be_taken_for_what_is_common_in_it() -> None:
    # MARC-8 in UNIMARC, and a title whose only letter means the same in two encodings of one format
    wrong = [title for encoding in ("latin-1", "marc-8") for title in judged(encoding, "cnmarc")[1]]
    assert len(wrong) <= 4, wrong


def test_signs_of_danmarc_and_of_code_page_1252_tell_them_from_latin_1() -> None:
    assert sniff.decide("Dansk prøve @00E5 og @2014 på øen".encode("latin-1"), sniff.Hint()).name == "danmarc"
    assert sniff.decide("skrevet på øen, info@øen.dk".encode("latin-1"), sniff.Hint()).name == "latin-1"
    assert sniff.decide("L’œuvre – poésie française".encode("cp1252"), sniff.Hint()).name == "cp1252"
    assert sniff.decide(b"\x88L' \x89\xe9conomie fran\xe7aise", sniff.Hint(family="cnmarc")).name == "latin-1"


@pytest.mark.parametrize(
    ("field", "mixture", "expected"),
    [
        ("天津图书馆".encode("gb18030"), "utf-8+gb18030", "gb18030"),
        ("天津图书馆".encode(), "utf-8+gb18030", "utf-8"),
        (b"  \x1faplain", "utf-8+gb18030", "utf-8"),
        ("  \x1fa茅".encode("gb18030"), "utf-8+gb18030", "gb18030"),  # by chance UTF-8 too: one letter of two bytes
        ("  \x1faécole".encode(), "utf-8+latin-1", "utf-8"),
        ("  \x1faécole".encode("latin-1"), "utf-8+latin-1", "latin-1"),
        (("中国文学" * 3).encode() + b"\xe4", "utf-8+gb18030", "utf-8"),  # a character was cut
        (b"  \x1fa\x1b$1!0!\x1b(B", "utf-8+marc-8", "marc-8"),
    ],
)
def test_a_field_of_a_mixture_is_judged_by_itself(field: bytes, mixture: str, expected: str) -> None:
    assert mixed.of_field(field, mixture) == expected
    assert codec.decode(field, mixture) == codec.decode(field, expected)


def test_a_record_of_one_encoding_is_no_mixture() -> None:
    for encoding in ("gb18030", "big5", "koi8-r", "latin-1", "marc-8", "utf-8"):
        titles = [title for language in TITLES for title in TITLES[language]]
        fields = [encode(f"  \x1fa{title}", encoding) for title in titles]
        body = b"\x1e".join(field.data for field in fields if not field.lost)
        assert mixed.found(body, encoding) == ""
    damaged = "中国文学".encode() + b"\x1e" + "\x1fa中国文学史".encode()[:-1]
    assert mixed.found(damaged, "utf-8") == ""
