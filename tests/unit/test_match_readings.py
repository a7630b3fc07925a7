# ruff: noqa: E501 - one case a line reads as a table
"""How single fields are read: volumes, numerals, editions, pages, years, names, publishers, identifiers, titles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.search import fold
from dms.formats import identifiers, media, statements
from dms.match import companions, editions, normalize, numerals, people, titles, volume, words


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("第七册", "7"), ("柒", "7"), ("VII", "7"), ("vol. 7", "7"), ("第〇七卷", "7"), ("卷之七", "7"), ("(七)", "7"),
        ("no. 7", "7"), ("Heft 7", "7"), ("livre septième", "7"), ("7. Bd.", "7"), ("Siebenter Teil", "7"), ("Pt. VII", "7"),
        ("book seven", "7"), ("7th series", "7"), ("第七分册", "7"), ("之七", "7"), ("T. 7", "7"), ("ч. 7", "7"),
        ("第三百二十一卷", "321"), ("一千零八", "1008"), ("卅六", "36"), ("第廿册", "20"), ("第２卷", "2"), ("Ⅻ", "12"),
        ("上", "上"), ("上集", "上"), ("卷中", "中"), ("下篇", "下"), ("丙集", "3"), ("亥册", "12"), ("贞", "4"), ("坤卷", "2"),
        ("地", "2"), ("甲子", "1"), ("丙寅", "3"), ("续集", "续"), ("续编二", "续2"), ("外篇", "外"), ("补遗", "补"), ("别集", "别"),
        ("附录", "附"), ("卷首", "首"), ("索引", "索引"), ("Supplement", "supplement"), ("Part B", "b"), ("初集", "1"),
        ("第二卷上册", "2.上"), ("vol. 2, pt. 3", "2.3"), ("2003年第4期", "2003.4"), ("第3卷第2分册", "3.2"), ("new ser., v. 4", "ns.4"),
        ("1-6", "1~6"), ("第一至三册", "1~3"), ("上下册", "1~2"), ("上、中、下册", "1~3"), ("v. 1-4", "1~4"), ("1998-99", "1998~1999"),
        ("全一册", ""), ("全四册", "1~4"), ("地方编", "=地方编"), ("三国", "=三国"),
    ],
)  # fmt: skip
def test_a_volume_designation_is_read(text: str, code: str) -> None:
    assert volume.designation((text,))[0] == fold.fold(code)


def test_words_beside_a_designation_are_a_part_title() -> None:
    assert volume.designation(("第四卷 中古时代",)) == ("4", "中古时代")


@pytest.mark.parametrize(
    ("a", "b", "relation"),
    [
        ("上", "1", "same"), ("中", "2", "same"), ("下", "2", "unclear"), ("下", "3", "unclear"), ("下", "4", "clash"),
        ("上", "2", "clash"), ("上", "中", "clash"), ("1~3", "2", "within"), ("1~3", "4", "clash"), ("1", "1.2", "within"),
        ("1.1", "1.2", "clash"), ("=通论编", "3", "unclear"), ("=通论编", "=各论编", "clash"), ("续", "外", "clash"),
        ("1998~1999", "1999~2000", "clash"), ("12", "12", "same"),
    ],
)  # fmt: skip
def test_two_designations_are_compared(a: str, b: str, relation: str) -> None:
    assert volume.relation(a, b) == relation
    assert volume.relation(b, a) == relation


def test_the_size_of_the_set_tells_what_xia_means() -> None:
    assert [volume.resolve("下", size) for size in (0, 2, 3)] == ["下", "2", "3"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("一百二十", 120),
        ("一百零二", 102),
        ("二〇〇八", 2008),
        ("十", 10),
        ("廿三", 23),
        ("贰拾", 20),
        ("两", 2),
        ("十百", None),
    ],
)
def test_han_numerals_are_read(text: str, number: int | None) -> None:
    assert numerals.han(text) == number


@pytest.mark.parametrize(
    ("text", "number", "codes"),
    [
        ("第5版", 5, ()), ("五版", 5, ()), ("第十二版", 12, ()), ("Fifth edition", 5, ()), ("5th ed.", 5, ()), ("5. Aufl.", 5, ()),
        ("Fünfte Auflage", 5, ()), ("5e éd.", 5, ()), ("Quinta edición", 5, ()), ("5-е изд.", 5, ()), ("初版", 0, ()), ("第1版", 0, ()),
        ("1st American ed.", 0, ()), ("第1版第6次印刷", 0, ()), ("第3版第2次印刷", 3, ()), ("6th printing", 0, ()),
        ("修订版", 0, ("revised",)), ("第2版修订本", 2, ("revised",)), ("2nd rev. ed.", 2, ("revised",)), ("增订三版", 3, ("enlarged",)),
        ("Rev. and enl. ed.", 0, ("enlarged", "revised")), ("新版", 0, ("new",)), ("再版", 0, ("again",)), ("2020版", 0, ("y2020",)),
        ("珍藏版", 0, ("collector",)), ("试用本", 0, ("trial",)), ("International ed.", 0, ("international",)),
    ],
)  # fmt: skip
def test_an_edition_statement_is_read(text: str, number: int, codes: tuple[str, ...]) -> None:
    assert editions.read(text) == (number, codes)


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("412页", 412), ("6, 315页", 315), ("12, 3, 412頁", 412), ("xii, 301 p.", 301), ("301 pages", 301), ("8 p. l., 253 p.", 253),
        ("1 l., 5-23 p.", 23), ("2册 (1132页)", 1132), ("1 online resource (viii, 240 pages)", 240), ("12册", 0), ("4 v.", 0),
        ("380 S.", 380), ("290 p., [8] leaves of plates", 290), ("422,图版[40]页", 422), ("341面", 341), ("p. [759]-773", 773),
    ],
)  # fmt: skip
def test_the_main_sequence_of_pages_is_read(text: str, pages: int) -> None:
    assert normalize.pages(text) == pages


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("12册", 12),
        ("三册", 3),
        ("4 v.", 4),
        ("2 volumes", 2),
        ("3 Bde.", 3),
        ("v.", 99),
        ("312页", 0),
        ("1 v.", 1),
        ("6函", 6),
    ],
)
def test_volumes_of_a_set_are_counted(text: str, pieces: int) -> None:
    assert normalize.pieces(text) == pieces


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2012 (2015重印)", (2012, 2015)), ("c1902", (1902,)), ("[1862-1874]", (1862, 1874)), ("民国二十五年[1936]", (1936,)),
        ("民国25年", (1936,)), ("二〇〇八年", (2008,)), ("1985.3", (1985,)), ("昭和56", (1981,)), ("清光绪间", ()), ("[199-?]", ()),
        ("1999, ©1998", (1999, 1998)), ("1993年第4次印刷", (1993,)),
    ],
)  # fmt: skip
def test_years_are_read(text: str, years: tuple[int, ...]) -> None:
    assert normalize.years(text) == years


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("(唐)李白", "李白"), ("狄更斯, 查尔斯", "查尔斯·狄更斯"), ("[英] 狄更斯(Charles Dickens)", "狄更斯"), ("Dickens, Charles, 1812-1870.", "Dickens, C."),
        ("王, 力", "王力"), ("蕭紅", "萧红"), ("O'Neil, Anna", "O’Neil, Anna B."), ("Brand, John Thomas Ingram", "Brand, J. Ingram"), ("（美）韦尔斯", "韦尔斯"), ("〔清〕袁枚", "袁枚"),
    ],
)  # fmt: skip
def test_forms_of_one_name_are_the_same(a: str, b: str) -> None:
    assert people.same(people.name(a), people.name(b))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("李雷", "李蕾"),
        ("Smith, Anna", "Smith, Peter"),
        ("Smith, J.", "Smith, K."),
        ("王建国", "王建军"),
        ("中山大学", "中央大学"),
    ],
)
def test_forms_of_two_names_are_not(a: str, b: str) -> None:
    assert not people.same(people.name(a), people.name(b))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("(清)李汝珍著 ; 傅成山注", (("A", "李汝珍"), ("N", "傅成山"))),
        ("张三丰, 李四光主编", (("A", "张三丰"), ("A", "李四光"))),
        ("王力等编著", (("A", "王力"),)),
        ("[法]杜朗著 ; 林若水, 贺海明译", (("A", "杜朗"), ("T", "林若水"), ("T", "贺海明"))),
        ("江北省统计局编", (("A", "江北省统计局"),)),
        ("杨树达点校", (("N", "杨树达"),)),
        ("梁画绘图", (("D", "梁画"),)),
        ("周一良译注", (("T", "周一良"),)),
        ("by John Abercrombie", ()),
    ],
)
def test_a_statement_of_responsibility_is_taken_apart(text: str, names: tuple[tuple[str, str], ...]) -> None:
    assert people.statement(text) == names


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("人民文学出版社", "人民文学"), ("中華書局", "中华书局"), ("三联书店", "生活·读书·新知三联书店"), ("上海科学技术出版社", "上海科技出版社"),
        ("The Macmillan Co.", "Macmillan Company"), ("五南圖書出版公司", "五南图书"), ("高教出版社", "高等教育出版社"),
    ],
)  # fmt: skip
def test_forms_of_one_publisher_are_the_same(a: str, b: str) -> None:
    assert normalize.publisher(a) == normalize.publisher(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("人民出版社", "湖南人民出版社"),
        ("上海人民出版社", "上海人民美术出版社"),
        ("北京大学出版社", "北京大学医学出版社"),
    ],
)
def test_forms_of_two_publishers_are_not(a: str, b: str) -> None:
    assert normalize.publisher(a) != normalize.publisher(b)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7-208-05234-4", 9787208052345), ("978-7-208-05234-5", 9787208052345), ("7-208-05234-4 (精装)", 9787208052345),
        ("ISBN 7208052344", 9787208052345), ("７－２０８－０５２３４－４", 9787208052345), ("7-208-05234-5", 0), ("006045332X", 9780060453329),
        ("9787208052346", 0), ("CNY22.00", 0),
    ],
)  # fmt: skip
def test_an_isbn_is_read_to_thirteen_digits(text: str, number: int) -> None:
    assert identifiers.isbn(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10019·2211", "10019.2211"),
        ("10019.2211", "10019.2211"),
        ("统一书号:10019・2211", "10019.2211"),
        ("R13019·5", "13019.5"),
        ("11-2345", ""),
    ],
)
def test_a_unified_number_is_read(text: str, number: str) -> None:
    assert identifiers.unified(text) == number


@pytest.mark.parametrize(("text", "number"), [("CN11-2345/K", "11-2345"), ("11-2345", "11-2345"), ("10019·2211", "")])
def test_a_cn_number_is_read(text: str, number: str) -> None:
    assert identifiers.cn_number(text) == number


@pytest.mark.parametrize(("text", "number"), [("0453-2899", "0453-2899"), ("04532899", "0453-2899"), ("0453-2898", "")])
def test_an_issn_needs_its_check_digit(text: str, number: str) -> None:
    assert identifiers.issn(text) == number


@pytest.mark.parametrize(
    ("text", "title", "code"),
    [
        ("文史资料选编（第5辑）", "文史资料选编", "5"), ("书行天下", "书行天下", ""), ("高等植物图鉴 第三册", "高等植物图鉴", "3"),
        ("高等植物图鉴下册", "高等植物图鉴", "下"), ("Handbook of peat, vol. 3", "handbook of peat", "3"), ("Henry IV", "henry iv", ""),
        ("A history, 867-1185", "a history, 867-1185", ""), ("A sermon, May 25, 1642", "a sermon, may 25, 1642", ""), ("卷三", "卷三", ""),
        ("古史丛考续编", "古史丛考", "续"), ("史料丛刊甲编第二册", "史料丛刊", "1.2"), ("2001 : a space odyssey", "2001", ""),
    ],
)  # fmt: skip
def test_the_tail_of_a_title_is_read_where_it_is_a_volume(text: str, title: str, code: str) -> None:
    read = titles.read(text)
    assert (read.title, read.volume) == (fold.fold(title), fold.fold(code))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("真题2018", (2018,)),
        ("趣味实验100例", (100,)),
        ("第十三届年会", (13,)),
        ("语文三年级", (3,)),
        ("world war ii", (2,)),
        ("1914-18", (1914, 1918)),
        ("三国演义", ()),
        ("liber secundus", (2,)),
        ("the second coming", ()),
        ("until august l945", (1945,)),
    ],
)
def test_numbers_in_titles_are_read(text: str, numbers: tuple[int, ...]) -> None:
    assert titles.numbers(fold.fold(text)) == numbers


@pytest.mark.parametrize(
    ("title", "rest", "kind", "stem"),
    [
        ("理论力学习题解答", "", "solutions", "理论力学"), ("理论力学", "学习指导", "guide", "理论力学"), ("大学英语教师用书", "", "teacher", "大学英语"),
        ("elementary queues", "solutions manual", "solutions", "elementaryqueues"), ("workbook for modern syntax", "", "workbook", "modernsyntax"),
        ("modern syntax teacher's book", "", "teacher", "modernsyntax"), ("理论力学", "", "", ""), ("the companion of my heart", "", "", ""),
    ],
)  # fmt: skip
def test_an_accompanying_work_names_its_main_work(title: str, rest: str, kind: str, stem: str) -> None:
    assert companions.read(fold.fold(title), fold.fold(rest), "") == (kind, stem)


@pytest.mark.parametrize(
    ("text", "medium"),
    [
        ("1 online resource (240 p.)", "electronic"),
        ("1 CD-ROM", "electronic"),
        ("412页", ""),
        ("3盒录音带", "audio"),
        ("2 microfiches", "microform"),
        ("xii, 240 p.", ""),
    ],
)
def test_an_extent_tells_the_medium(text: str, medium: str) -> None:
    assert media.by_extent(text) == medium


def test_a_qualifier_tells_sets_and_bindings() -> None:
    assert [statements.of_set(text) for text in ("套", "全三册", "(set)", "精装", "v. 2")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert [statements.binding(text) for text in ("精装", "平装", "(hbk.)", "pbk.", "alk. paper")] == [
        "hard",
        "soft",
        "hard",
        "soft",
        "",
    ]
    assert [statements.set_size(text) for text in ("全三册", "全2册", "套")] == [3, 2, 0]


# ---- Quick ways give what the full ones give ------------------------------------------------------------------------

_TYPED = st.text(st.sampled_from("中国通史第三卷册题解练习一二十百编著主等张Aaéßl9 10.:·，、/()+#\u3000"), max_size=14)


@given(_TYPED)
def test_a_folded_text_is_squeezed_as_any_text_is(text: str) -> None:
    folded = fold.fold(text)
    assert words.squeezed(folded) == fold.squeeze(folded)


@given(_TYPED)
def test_a_role_is_cut_off_wherever_the_full_patterns_find_one(text: str) -> None:
    bare, kind = people._unrole(fold.fold(text))
    assert people._ENDS.search(bare) is None or not bare
    found = people._ROLE.search(bare)
    assert found is None or (len(bare) - len(found[0]) < 2 and bare[: found.start()])
    assert kind in ("", "A", "T", "N", "D")


@given(_TYPED)
def test_a_companion_is_found_wherever_the_full_pattern_finds_one(text: str) -> None:
    title = fold.squeeze(text)
    found = companions._TAIL.search(title)
    assert (companions._han(title, "", "")[0] != "") == (found is not None and found.start() >= 2)
