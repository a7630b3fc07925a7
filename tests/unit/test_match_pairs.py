# ruff: noqa: E501 - one case a line reads as a table
"""Verdicts on pairs of records, rule by rule, with other books and other forms than the shared domain pairs.

Each case overrides fields of one plain book on either side; a field set to None is left out. Indicators stand first.
"""

from __future__ import annotations

import pytest

from catalog.model import Decision, Format, Verdict
from dms import formats
from dms.match import decide, features
from protocols import marc

Fields = dict[str, "str | list[str] | None"]
JOIN, LINK, REVIEW, APART = Verdict.JOIN, Verdict.LINK, Verdict.REVIEW, Verdict.APART

BOOK: Fields = {  # a plain Chinese book
    "010": "  $a7-302-04517-8",
    "100": "  $a20020311d2001    em y0chiy50      ea",
    "101": "0 $achi",
    "200": "1 $a运筹学基础$f田丰年编著",
    "210": "  $a北京$c清华大学出版社$d2001",
    "215": "  $a386页$d26cm",
    "701": " 0$a田丰年$4编著",
}
WEST: Fields = {  # a plain Western book
    "008": "940311s1987    enka     b    001 0 eng d",
    "020": "  $a0198534531",
    "100": "1 $aMarchbanks, Nora.",
    "245": "10$aRivers of the northern plain /$cNora Marchbanks.",
    "260": "  $aOxford :$bHartwell Press,$c1987.",
    "300": "  $axi, 274 p. :$bill. ;$c24 cm.",
}


def record(base: Fields, changes: Fields, leader: str) -> marc.Record:
    found: list[tuple[str, str]] = []
    for tag, value in sorted({**base, **changes}.items()):
        for text in [value] if isinstance(value, str) else value or []:
            found.append((tag, text.replace("$", marc.DELIMITER)))
    return marc.Record(leader, tuple(found))


def chinese(changes: Fields) -> features.Features:
    """The plain Chinese book with changed fields; `ldr` stands for leader positions 6 to 8."""
    ldr = changes.get("ldr") or "am0"
    rest: Fields = {tag: value for tag, value in changes.items() if tag != "ldr"}
    made = record(BOOK, rest, f"00000n{ldr} 2200000   450 ")
    return features.features(formats.facts(made, Format.CNMARC))


def western(changes: Fields) -> features.Features:
    ldr = changes.get("ldr") or "am"
    rest: Fields = {tag: value for tag, value in changes.items() if tag != "ldr"}
    made = record(WEST, rest, f"00000n{ldr} a2200000 a 4500")
    return features.features(formats.facts(made, Format.MARC21))


def judged(a: features.Features, b: features.Features, *, ambiguous: bool = False) -> Decision:
    decision = decide.judge(a, b, lambda _: ambiguous)
    mirrored = decide.judge(b, a, lambda _: ambiguous)
    assert (mirrored.verdict, mirrored.score) == (decision.verdict, decision.score), "not symmetric"
    return decision


def title(text: str, more: str = "$f田丰年编著") -> Fields:
    return {"200": f"1 $a{text}{more}"}


OTHER_ISBN: Fields = {"010": "  $a7-302-07711-8"}
NO_ISBN: Fields = {"010": None}

# name, changes of one, changes of the other, verdict
Case = tuple[str, Fields, Fields, Verdict]
COMPANIONS: list[Case] = [
    (word, title("运筹学基础"), {**title(f"运筹学基础{word}"), **OTHER_ISBN, "215": "  $a120页$d26cm"}, LINK)
    for word in (
        "教师用书", "教学参考书", "学习指导", "练习册", "习题集", "习题解答", "同步练习", "题解", "学习辅导", "习题与解答",
        "实验指导", "辅导教程", "索引", "补编", "听力", "学生用书", "教学指导书", "自学指导", "习题详解",
    )
]  # fmt: skip
ROWS: list[Case] = [
    (f"{one}/{other}", title("盐业史稿", f"$e{one}$f田丰年编著"), title("盐业史稿", f"$e{other}$f田丰年编著"), REVIEW)
    for one, other in (
        ("江苏分册", "浙江分册"), ("江苏省卷", "浙江省卷"), ("基础篇", "提高篇"), ("男生版", "女生版"),
        ("四川省制盐技术", "云南省制盐技术"),
    )
]  # fmt: skip
REPRODUCTIONS: list[Case] = [
    (word, {}, {"205": f"  $a{word}"}, LINK)
    for word in ("影印本", "缩印本", "大字本", "线装", "盲文", "影印版", "大字版", "线装本", "盲文版")
]
CHINESE: list[Case] = [
    ("copies", {}, {}, JOIN),
    # one volume, written in two ways
    ("第二册/2", title("运筹学基础", "$h第二册"), title("运筹学基础", "$h2"), JOIN),
    ("第二册/II", title("运筹学基础", "$h第二册"), title("运筹学基础", "$hII"), JOIN),
    ("卷二/vol. 2", title("运筹学基础", "$h卷二"), title("运筹学基础", "$hVol. 2"), JOIN),
    ("第贰册/第二册", title("运筹学基础", "$h第贰册"), title("运筹学基础", "$h第二册"), JOIN),
    ("第廿三辑/第23辑", title("文献丛稿", "$h第廿三辑"), title("文献丛稿", "$h第23辑"), JOIN),
    ("第一百零五卷/105", title("文献丛稿", "$h第一百零五卷"), title("文献丛稿", "$h105"), JOIN),
    ("tail (下册)", title("运筹学基础（下册）"), title("运筹学基础", "$h下册"), JOIN),
    ("tail 下册 without separator", title("运筹学基础下册"), title("运筹学基础", "$h下册"), JOIN),
    ("tail after a blank", title("运筹学基础 下"), title("运筹学基础", "$h下册"), JOIN),
    ("tail after a stop", title("运筹学基础. 第三分册"), title("运筹学基础", "$h第3分册"), JOIN),
    ("tail digit", title("运筹学基础3"), title("运筹学基础", "$h3"), JOIN),
    ("tail 卷四", title("运筹学基础卷四"), title("运筹学基础", "$h第四卷"), JOIN),
    ("二级 第二卷 上册", title("运筹学基础", "$h第二卷$h上册"), title("运筹学基础", "$h第2卷上册"), JOIN),
    ("甲编/甲", title("古史丛考", "$h甲编"), title("古史丛考", "$h甲"), JOIN),
    ("乾/乾册", title("古史丛考", "$h乾"), title("古史丛考", "$h乾册"), JOIN),
    ("上/1", title("运筹学基础", "$h上"), title("运筹学基础", "$h第一册"), JOIN),
    ("下/2 of two", {**title("运筹学基础", "$h下册"), "010": "  $a7-302-04517-8$b全2册"}, title("运筹学基础", "$h第2册"), JOIN),
    ("461$v says the volume", {**title("运筹学基础", ""), "461": " 0$12001 $a运筹学基础$v第二册"}, title("运筹学基础", "$h第二册"), JOIN),
    ("461 $t $v", {**title("运筹学基础", ""), "461": " 0$t运筹学基础$v2"}, title("运筹学基础", "$h第二册"), JOIN),
    ("续编 twice", title("古史丛考", "$h续编"), title("古史丛考续编", ""), JOIN),
    ("地方 designation", title("盐业史稿", "$h通论编"), title("盐业史稿", "$h通论编"), JOIN),
    # different volumes
    ("上/下", title("运筹学基础", "$h上册"), title("运筹学基础", "$h下册"), APART),
    ("上/下 in the tail", title("运筹学基础（上）"), title("运筹学基础（下）"), APART),
    ("上编/下编", title("运筹学基础", "$h上编"), title("运筹学基础", "$h下编"), APART),
    ("上卷/中卷", title("运筹学基础", "$h上卷"), title("运筹学基础", "$h中卷"), APART),
    ("第一/第二", title("运筹学基础", "$h第一册"), title("运筹学基础", "$h第二册"), APART),
    ("第十卷/第二十卷", title("运筹学基础", "$h第十卷"), title("运筹学基础", "$h第二十卷"), APART),
    ("甲种/乙种", title("古史丛考", "$h甲种"), title("古史丛考", "$h乙种"), APART),
    ("元/利", title("古史丛考", "$h元"), title("古史丛考", "$h利"), APART),
    ("天/人", title("古史丛考", "$h天"), title("古史丛考", "$h人"), APART),
    ("续编/外编", title("古史丛考", "$h续编"), title("古史丛考", "$h外编"), APART),
    ("正编/续编", title("古史丛考", "$h正编"), title("古史丛考", "$h续编"), APART),
    ("tail digits", title("实用英语教程3"), title("实用英语教程4"), APART),
    ("年级", title("语文三年级上册"), title("语文四年级上册"), APART),
    ("高一/高二", title("高一化学同步精讲"), title("高二化学同步精讲"), APART),
    ("second level", title("运筹学基础", "$h第二卷上册"), title("运筹学基础", "$h第二卷下册"), APART),
    ("v. II/v. III", title("运筹学基础", "$hv. II"), title("运筹学基础", "$hv. III"), APART),
    ("下/第三册 of two", {**title("运筹学基础", "$h下册"), "010": "  $a7-302-04517-8$b全二册"}, title("运筹学基础", "$h第三册"), APART),
    ("upper-part titles", title("地质图说", "$i华北卷"), title("地质图说", "$i华南卷"), APART),
    ("part titles of one set number", {**title("地质图说", "$h第一卷$i矿床"), "010": "  $a7-302-04517-8$b套"}, {**title("地质图说", "$h第二卷$i地层"), "010": "  $a7-302-04517-8$b套"}, APART),
    ("之一/之二", title("运筹学基础之一"), title("运筹学基础之二"), APART),
    ("volume amid the title", title("地质图说第三卷 华北矿床"), title("地质图说", "$h第三卷$i华北矿床"), JOIN),
    ("part title given once", title("地质图说", "$h第三卷"), title("地质图说", "$h第三卷$i华北矿床"), JOIN),
    ("the set's number and the volume's", {**title("运筹学基础", "$h上册"), "010": "  $a7-302-04517-8$b套"}, {**title("运筹学基础", "$h上册"), **OTHER_ISBN}, JOIN),
    # a set and its volumes
    ("set by extent", {"215": "  $a3册$d26cm"}, title("运筹学基础", "$h第一册"), LINK),
    ("set by 全三册", {"010": "  $a7-302-04517-8$b全三册"}, title("运筹学基础", "$h中册"), LINK),
    ("set by title tail", title("运筹学基础（全二册）"), title("运筹学基础", "$h上"), LINK),
    ("set by leader", {"ldr": "am1"}, {**title("运筹学基础", "$h下册"), "ldr": "am2"}, LINK),
    ("set by 463", {"463": " 0$12001 $a运筹学基础上册"}, title("运筹学基础", "$h上册"), LINK),
    ("set by range", title("运筹学基础", "$h上、下册"), title("运筹学基础", "$h下册"), LINK),
    ("set by number range", title("运筹学基础", "$h第1-4册"), title("运筹学基础", "$h第三册"), LINK),
    ("合订本", title("运筹学基础合订本"), title("运筹学基础", "$h第一册"), LINK),
    ("卷本", title("运筹学基础（三卷本）"), title("运筹学基础", "$h第一卷"), LINK),
    ("set and part title", {**title("地质图说"), "215": "  $a6册$d26cm"}, title("地质图说", "$i华北卷"), LINK),
    ("series and a book of it", {**title("山地植物丛书"), "215": "  $a12册$d26cm"}, {**title("山地植物丛书", "$i苔藓"), **OTHER_ISBN}, LINK),
    ("volume and half of it", title("运筹学基础", "$h第二卷"), title("运筹学基础", "$h第二卷上册"), LINK),
    ("two copies of a set", {"215": "  $a3册$d26cm"}, {"215": "  $a3册$d21cm"}, JOIN),
    ("volume against nothing said", title("运筹学基础", "$h上册"), {}, REVIEW),
    # no volume marks
    ("天下", title("书行天下"), title("书行天下"), JOIN),
    ("number in a series is no volume", {"225": "2 $a管理科学文库$v7"}, {}, JOIN),
    ("two numbers in a series", {"225": "2 $a管理科学文库$v7"}, {"225": "2 $a管理科学丛书$v3"}, JOIN),
    ("461 of another title", {"461": " 0$12001 $a管理科学文库$v7"}, {}, JOIN),
    # editions
    ("第三版/3版", {"205": "  $a第三版"}, {"205": "  $a3版"}, JOIN),
    ("第3版/3rd", {"205": "  $a第3版"}, {"205": "  $a3rd ed."}, JOIN),
    ("初版/none", {"205": "  $a初版"}, {}, JOIN),
    ("第1版第3次印刷/none", {"205": "  $a第1版第3次印刷"}, {}, JOIN),
    ("增订本/第2版", {"205": "  $a增订本"}, {"205": "  $a第2版"}, JOIN),
    ("修订版/none, same year", {"205": "  $a修订版"}, {}, JOIN),
    ("title tail 第二版", title("运筹学基础（第二版）"), {"205": "  $a第2版"}, JOIN),
    ("title tail 修订版", title("运筹学基础（修订版）"), {"205": "  $a修订版"}, JOIN),
    ("subtitle 修订本", title("运筹学基础", "$e修订本$f田丰年编著"), {"205": "  $a修订本"}, JOIN),
    ("第2版/第4版", {"205": "  $a第2版"}, {**OTHER_ISBN, "205": "  $a第4版", "210": "  $a北京$c清华大学出版社$d2009"}, LINK),
    ("第2版/第4版 in titles", title("运筹学基础（第2版）"), title("运筹学基础（第四版）"), LINK),
    ("第二版修订本/第三版", {"205": "  $a第二版修订本"}, {"205": "  $a第三版"}, LINK),
    ("第2版/none, years apart", {"205": "  $a第2版", "210": "  $a北京$c清华大学出版社$d2006"}, {}, REVIEW),
    ("修订版/none, years apart", {"205": "  $a修订版", "210": "  $a北京$c清华大学出版社$d2006"}, {}, REVIEW),
    ("2018版/2019版", {"205": "  $a2018版"}, {"205": "  $a2019版"}, LINK),
    # printings
    ("重印 in the date", {"210": "  $a北京$c清华大学出版社$d2001 (2004重印)"}, {}, JOIN),
    ("another printing year", {"210": "  $a北京$c清华大学出版社$d2005"}, {}, JOIN),
    ("2001.8/2001", {"210": "  $a北京$c清华大学出版社$d2001.8"}, {}, JOIN),
    ("二〇〇一年", {"210": "  $a北京$c清华大学出版社$d二〇〇一年"}, {}, JOIN),
    # authors
    ("(唐)", {"200": "1 $a山居诗注$f(唐)裴明远著", "701": " 0$a裴明远$c唐$4著"}, {"200": "1 $a山居诗注$f裴明远", "701": " 0$a裴明远$4著"}, JOIN),
    ("〔唐〕 only in 200$f", {"200": "1 $a山居诗注$f〔唐〕裴明远撰", "701": None}, {"200": "1 $a山居诗注$f裴明远著", "701": " 0$a裴明远"}, JOIN),
    ("(美) and Latin name", {"200": "1 $a荒原上的灯$f(美)韦尔斯顿(John Welston)著", "701": " 0$a韦尔斯顿$c美$4著"}, {"200": "1 $a荒原上的灯$f[美]约翰·韦尔斯顿著", "701": None}, JOIN),
    ("（英） and 英国", {"701": " 1$a哈珀$b玛丽$c(英国)$4著", "200": "1 $a海岸线$f（英）哈珀著"}, {"701": " 0$a哈珀$c英$4著", "200": "1 $a海岸线$f(英)玛丽·哈珀著"}, JOIN),
    ("主编 and 等编著", {"200": "1 $a运筹学基础$f田丰年主编"}, {"200": "1 $a运筹学基础$f田丰年等编著", "701": None}, JOIN),
    ("second author first", {"701": [" 0$a苏宁远$4编著", " 0$a田丰年$4编著"], "200": "1 $a运筹学基础$f苏宁远, 田丰年编著"}, {}, JOIN),
    ("body 711", {"701": None, "711": "02$a江北省统计局$4编", "200": "1 $a江北农村调查$f江北省统计局编"}, {"701": None, "200": "1 $a江北农村调查$f江北省统计局编"}, JOIN),
    ("another author", {**NO_ISBN}, {**NO_ISBN, "200": "1 $a运筹学基础$f钱孟达编著", "701": " 0$a钱孟达$4编著"}, APART),
    ("homophone authors", {**NO_ISBN}, {**NO_ISBN, "200": "1 $a运筹学基础$f田风年编著", "701": " 0$a田风年$4编著"}, APART),
    # translators and annotators
    ("two translators", {"200": "1 $a远方的岛$f(法)杜朗著$g林若水译", "701": " 0$a杜朗$4著", "702": " 0$a林若水$4译"}, {"200": "1 $a远方的岛$f(法)杜朗著$g贺海明译", "701": " 0$a杜朗$4著", "702": " 0$a贺海明$4译"}, APART),
    ("two translators only stated", {"200": "1 $a远方的岛$f(法)杜朗著$g林若水译"}, {"200": "1 $a远方的岛$f(法)杜朗著$g贺海明译"}, APART),
    ("translator stated once", {"200": "1 $a远方的岛$f(法)杜朗著$g林若水译"}, {"200": "1 $a远方的岛$f(法)杜朗著"}, JOIN),
    ("one of two translators", {"200": "1 $a远方的岛$f(法)杜朗著$g林若水, 贺海明译"}, {"200": "1 $a远方的岛$f(法)杜朗著$g贺海明等译"}, JOIN),
    ("two annotators", {"200": "1 $a玉台集$f(宋)陆放之撰$g周一良川校注"}, {"200": "1 $a玉台集$f(宋)陆放之撰$g王仲文点校"}, APART),
    ("two illustrators", {"200": "1 $a小鹿过河$f田丰年文$g梁画绘"}, {"200": "1 $a小鹿过河$f田丰年文$g方小图绘"}, APART),
    ("unbracketed dynasty", {"200": "1 $a山居诗注$f清裴明远著", "701": None}, {"200": "1 $a山居诗注$f裴明远著", "701": None}, JOIN),
    ("清·", {"200": "1 $a山居诗注$f清·裴明远著", "701": None}, {"200": "1 $a山居诗注$f裴明远著", "701": None}, JOIN),
    ("contradicting names under one number", {}, {"200": "1 $a运筹学基础$f钱孟达编著", "701": " 0$a钱孟达$4编著"}, REVIEW),
    # titles, numbers, years
    ("真题 years", title("执业药师考试真题精解2016"), {**title("执业药师考试真题精解2017"), **OTHER_ISBN}, APART),
    ("例 numbers", title("趣味电路50例"), {**title("趣味电路80例"), **OTHER_ISBN}, APART),
    ("第十三届/第十四届", title("第十三届水利史讨论会文集"), title("第十四届水利史讨论会文集"), APART),
    ("二十世纪/20世纪", title("二十世纪水利史"), title("20世纪水利史"), JOIN),
    ("yearbook tail and $h", title("江北统计年鉴2011"), title("江北统计年鉴", "$h2011"), JOIN),
    ("yearbook head", title("2011江北统计年鉴"), title("江北统计年鉴. 2011"), JOIN),
    ("yearbook 2011年", title("江北统计年鉴（2011年）"), title("江北统计年鉴", "$h2011"), JOIN),
    ("yearbooks", title("江北统计年鉴. 2011"), {**title("江北统计年鉴. 2012"), **OTHER_ISBN, "210": "  $a北京$c清华大学出版社$d2002"}, APART),
    ("yearbooks with $h", title("江北统计年鉴", "$h1999"), title("江北统计年鉴", "$h2000"), APART),
    ("'94 and '95", title("'94江北发展报告"), title("'95江北发展报告"), APART),
    ("annual report spans", title("江北水利年度报告1998-99"), title("江北水利年度报告1998-1999"), JOIN),
    # books of a row, told apart by the subtitle
    *ROWS,
    ("other subtitles, equal in all else", title("盐业史稿", "$e一份地方档案$f田丰年编著"), title("盐业史稿", "$e理论与方法$f田丰年编著"), JOIN),
    ("other subtitles, no number, no extent", {**title("盐业史稿", "$e一份地方档案$f田丰年编著"), **NO_ISBN, "215": None}, {**title("盐业史稿", "$e理论与方法$f田丰年编著"), **NO_ISBN}, REVIEW),
    ("one subtitle cut short", title("盐业史稿", "$e江苏沿海地区的制盐技术$f田丰年编著"), title("盐业史稿", "$e江苏沿海地区$f田丰年编著"), JOIN),
    # accompanying works
    *COMPANIONS,
    ("companion in $e", title("运筹学基础"), {**title("运筹学基础", "$e习题全解$f田丰年编著"), **OTHER_ISBN}, LINK),
    ("companion in $i", title("运筹学基础"), {**title("运筹学基础", "$i学习指导$f田丰年编著"), **OTHER_ISBN}, LINK),
    ("学习指导与习题解答", title("运筹学基础"), {**title("运筹学基础学习指导与习题解答"), **OTHER_ISBN}, LINK),
    ("teacher's against student's book", title("运筹学基础教师用书"), {**title("运筹学基础学生用书"), **OTHER_ISBN}, LINK),
    ("volume of both", title("新时代英语", "$h2"), {**title("新时代英语教师用书", "$h2"), **OTHER_ISBN}, LINK),
    ("the companion twice", title("运筹学基础习题解答"), title("运筹学基础", "$e习题解答$f田丰年编著"), JOIN),
    ("companion of a numbered edition", title("运筹学基础"), {**title("运筹学基础(第六版)习题全解"), **OTHER_ISBN}, LINK),
    ("book-title marks and companion", title("运筹学基础"), {**title("《运筹学基础》学习辅导"), **OTHER_ISBN}, LINK),
    # bindings
    ("hard and soft", {"010": "  $a7-302-04517-8$b精装"}, {"010": "  $a7-302-07711-8$b平装"}, JOIN),
    ("hard and soft, other pages", {"010": "  $a7-302-04517-8$b精装"}, {"010": "  $a7-302-07711-8$b平装", "215": "  $a512页"}, APART),
    ("both numbers in one", {"010": ["  $a7-302-04517-8$b精装", "  $a7-302-07711-8$b平装"]}, {"010": "  $a7-302-07711-8"}, JOIN),
    # media
    ("电子资源", {}, {"200": "1 $a运筹学基础$b电子资源$f田丰年编著"}, LINK),
    ("leader l", {}, {"ldr": "lm0"}, LINK),
    ("135", {}, {"135": "  $adrcn"}, LINK),
    ("230", {}, {"230": "  $a电子图书"}, LINK),
    ("online extent", {}, {"215": "  $a1 online resource (386页)"}, LINK),
    ("在线资源", {}, {"215": "  $a在线资源 (386页)"}, LINK),
    ("光盘", {}, {"215": "  $a1光盘", "200": "1 $a运筹学基础$b计算机文件$f田丰年编著"}, LINK),
    ("856 without holdings", {}, {"856": "40$uhttps://ebook.example.org/1"}, LINK),
    ("856 beside holdings", {"905": "  $aXXX$dO22"}, {"856": "40$uhttps://ebook.example.org/1", "905": "  $aXXX$dO22"}, JOIN),
    ("856 to the contents", {}, {"856": "42$uhttps://toc.example.org/1"}, JOIN),
    ("缩微", {}, {"200": "1 $a运筹学基础$b缩微品$f田丰年编著"}, LINK),
    ("录音", {}, {"200": "1 $a运筹学基础$b录音资料$f田丰年编著", "ldr": "im0"}, LINK),
    ("专著/普通图书", {"200": "1 $a运筹学基础$b专著$f田丰年编著"}, {"200": "1 $a运筹学基础$b普通图书$f田丰年编著"}, JOIN),
    ("电子版 behind the ISBN", {}, {"010": "  $a7-302-04517-8$b电子版"}, LINK),
    ("035 of an e-book vendor", {}, {"035": "  $aCXEBK10344696"}, LINK),
    ("two e-books", {"135": "  $adrcn"}, {"200": "1 $a运筹学基础$b电子资源$f田丰年编著"}, JOIN),
    ("book with a disc", {"215": "  $a386页$d26cm$e1光盘"}, {}, JOIN),
    # reproductions
    *REPRODUCTIONS,
    ("线装 behind the ISBN", {}, {"010": "  $a7-302-04517-8$b线装"}, LINK),
    ("影印本 in the title", {}, title("运筹学基础（影印本）"), LINK),
    ("大字版 in $e", {}, title("运筹学基础", "$e大字版$f田丰年编著"), LINK),
    ("据…影印 in a note", {}, {"300": "  $a据1936年商务印书馆版影印"}, LINK),
    ("影印本 twice", {"205": "  $a影印本"}, {"205": "  $a影印版"}, JOIN),
    # ancient books
    ("刻本", {**NO_ISBN, "200": "1 $a松风阁诗钞$b古籍$f(清)沈鹤年撰", "210": "  $a苏州$c沈氏$d清光绪三年[1877]", "215": "  $a4册", "300": "  $a刻本", "701": " 0$a沈鹤年$4撰"}, {**NO_ISBN, "200": "1 $a松风阁诗钞$f(清)沈鹤年撰", "210": "  $a苏州$d1877", "215": "  $a4册", "300": "  $a清刻本 线装", "701": " 0$a沈鹤年$4撰"}, REVIEW),
    ("钞本", {**NO_ISBN, "210": "  $d[清]", "300": "  $a清钞本", "215": "  $a2册"}, {**NO_ISBN, "210": "  $d[清]", "300": "  $a抄本", "215": "  $a2册"}, REVIEW),
    ("拓本", {**NO_ISBN, "200": "1 $a魏君墓志$b拓本", "210": None, "215": "  $a1张"}, {**NO_ISBN, "200": "1 $a魏君墓志$b拓片", "210": None, "215": "  $a1张"}, REVIEW),
    ("imprint of 1908", {**NO_ISBN, "210": "  $a上海$c广智书局$d1908"}, {**NO_ISBN, "210": "  $a上海$c广智书局$d光绪三十四年[1908]"}, REVIEW),
    ("imprint of 1912", {**NO_ISBN, "210": "  $a上海$c广智书局$d1912"}, {**NO_ISBN, "210": "  $a上海$c广智书局$d民国元年[1912]"}, JOIN),
    ("民国二十五年", {**NO_ISBN, "210": "  $a上海$c商务印书馆$d民国二十五年"}, {**NO_ISBN, "210": "  $a上海$c商务印书馆$d1936"}, JOIN),
    ("木活字", {**NO_ISBN, "210": "  $d[清]", "305": "  $a木活字本"}, {**NO_ISBN, "210": "  $d[清]", "305": "  $a木活字印本"}, REVIEW),
    ("稿本", {**NO_ISBN, "ldr": "bm0", "210": "  $d1930"}, {**NO_ISBN, "ldr": "bm0", "210": "  $d1930"}, REVIEW),
    ("ancient against modern", {**NO_ISBN, "210": "  $a扬州$d清乾隆八年[1743]", "300": "  $a刻本", "215": "  $a6册"}, {"210": "  $a北京$c中华书局$d1984", "215": "  $a210页"}, APART),
    ("modern edition after a 刻本", {"300": "  $a据清光绪刻本排印"}, {}, JOIN),
    # generic titles
    ("文集 of two", {**NO_ISBN, "200": "1 $a文集$f田丰年著"}, {**NO_ISBN, "200": "1 $a文集$f贺海明著", "701": " 0$a贺海明$4著", "210": "  $a成都$c巴蜀书社$d2001"}, APART),
    ("作品选 without authors", {**NO_ISBN, "200": "1 $a作品选", "701": None}, {**NO_ISBN, "200": "1 $a作品选", "701": None}, REVIEW),
    ("论文集 of one", {"200": "1 $a论文集$f田丰年著"}, {"200": "1 $a论文集$f田丰年"}, JOIN),
    ("学报 of two", {**NO_ISBN, "ldr": "as0", "200": "1 $a学报$f江北大学", "701": None, "711": "02$a江北大学"}, {**NO_ISBN, "ldr": "as0", "200": "1 $a学报$f江南大学", "701": None, "711": "02$a江南大学", "210": "  $a南京$c江南大学$d2001"}, APART),
    # scripts and punctuation
    ("traditional", {"200": "1 $a運籌學基礎$f田豐年編著", "701": " 0$a田豐年$4編著", "210": "  $a北京$c清華大學出版社$d2001", "215": "  $a386頁"}, {}, JOIN),
    ("colon in $a", title("运筹学基础：决策与模型"), title("运筹学基础", "$e决策与模型$f田丰年编著"), JOIN),
    ("dash in $a", title("运筹学基础——决策与模型"), title("运筹学基础", "$e决策与模型$f田丰年编著"), JOIN),
    ("parallel title once", {"200": "1 $a运筹学基础$dFoundations of operations research$f田丰年编著$zeng"}, {}, JOIN),
    ("之", title("大河奇谈之沙海迷城"), title("大河奇谈", "$i沙海迷城$f田丰年编著"), JOIN),
    ("book-title marks", title("《运筹学基础》"), {}, JOIN),
    ("subtitle once", title("运筹学基础", "$e决策与模型$f田丰年编著"), {}, JOIN),
    ("typing error", title("运寿学基础"), {}, JOIN),
    ("homophone title", {**title("公式推导手册"), **OTHER_ISBN}, {**title("攻势推倒手册"), "200": "1 $a攻势推倒手册$f田风莲著", "701": " 0$a田风莲$4著"}, APART),
    # identifiers
    ("ISBN-10/13", {"010": "  $a978-7-302-04517-5"}, {}, JOIN),
    ("wrong check digit", {"010": "  $a7-302-04517-3"}, {}, JOIN),
    ("re-used number", {**title("家常凉菜"), "200": "1 $a家常凉菜$f卢大勺编", "701": " 0$a卢大勺$4编", "215": "  $a96页"}, {}, APART),
    ("sparse with number", {"701": None, "210": None, "215": None, "200": "1 $a运筹学基础"}, {}, JOIN),
    ("sparse", {**NO_ISBN, "701": None, "215": None, "210": "  $d2001", "200": "1 $a运筹学基础"}, NO_ISBN, REVIEW),
    ("统一书号", {**NO_ISBN, "091": "  $a13015·88"}, {**NO_ISBN, "091": "  $a13015.88"}, JOIN),
    ("统一书号 with a bullet", {**NO_ISBN, "091": "  $a13015•88", "215": None}, {**NO_ISBN, "091": "  $a13015・88", "701": None}, JOIN),
    ("统一书号 of two volumes", {**NO_ISBN, **title("运筹学基础", "$h上"), "091": "  $a13015·88"}, {**NO_ISBN, **title("运筹学基础", "$h下"), "091": "  $a13015·88"}, APART),
    # publishers
    ("short name", {"210": "  $a北京$c清华大学$d2001"}, {}, JOIN),
    ("三联", {**NO_ISBN, "210": "  $a北京$c生活·读书·新知三联书店$d2001"}, {**NO_ISBN, "210": "  $a北京$c三联书店$d2001"}, JOIN),
    ("another publisher", NO_ISBN, {**NO_ISBN, "210": "  $a上海$c复旦大学出版社$d2001", "215": "  $a352页"}, APART),
    ("another publisher in another town, all else equal", NO_ISBN, {**NO_ISBN, "210": "  $a上海$c复旦大学出版社$d2001"}, APART),
    ("another publisher, other numbers", {}, {**OTHER_ISBN, "210": "  $a上海$c复旦大学出版社$d2008", "215": "  $a352页"}, APART),
    ("人民 and 湖南人民", {**NO_ISBN, "210": "  $a北京$c人民出版社$d1979", "215": "  $a188页"}, {**NO_ISBN, "210": "  $a长沙$c湖南人民出版社$d1979", "215": "  $a201页"}, APART),
    # near numbers
    ("pages near", {"215": "  $a388页"}, {}, JOIN),
    ("two sequences", {"215": "  $a12, 386页"}, {}, JOIN),
    ("no number, pages far", {**NO_ISBN, "215": "  $a210页"}, NO_ISBN, REVIEW),
    ("no number, year near", {**NO_ISBN, "210": "  $a北京$c清华大学出版社$d2002"}, NO_ISBN, JOIN),
    # record classes
    ("serial and book", {"ldr": "as0", "010": None, "011": "  $a1000-0038"}, NO_ISBN, APART),
    ("serials of one ISSN", {"ldr": "as0", **NO_ISBN, "011": "  $a1000-0038", "210": "  $a北京$c运筹编辑部$d1985-"}, {"ldr": "as0", **NO_ISBN, "011": "  $a1000-0038", "210": "  $a北京$c运筹编辑部$d1985-2004"}, JOIN),
    ("article and book", {"ldr": "aa0", **NO_ISBN, "463": " 0$12001 $a管理学报$v1999, no. 2"}, NO_ISBN, APART),
]  # fmt: skip

WESTERN: list[Case] = [
    ("copies", {}, {}, JOIN),
    ("v. 2/Volume II", {"245": "10$aRivers of the northern plain.$nv. 2"}, {"245": "10$aRivers of the northern plain.$nVolume II"}, JOIN),
    ("Bd. 2/Zweiter Band", {"245": "10$aStrome der Ebene.$nBd. 2"}, {"245": "10$aStrome der Ebene.$nZweiter Band"}, JOIN),
    ("t. 3/tome troisieme", {"245": "10$aFleuves de la plaine.$nt. 3"}, {"245": "10$aFleuves de la plaine.$nTome troisieme"}, JOIN),
    ("tail vol. 2", {"245": "10$aRivers of the northern plain, vol. 2 /$cNora Marchbanks."}, {"245": "10$aRivers of the northern plain.$nVol. 2"}, JOIN),
    ("Pt. 1/Part one", {"245": "10$aRivers of the northern plain.$nPt. 1"}, {"245": "10$aRivers of the northern plain.$nPart one"}, JOIN),
    ("volume amid the title", {"245": "10$aRivers of Asia. Volume 2, The upper course /$cNora Marchbanks."}, {"245": "10$aRivers of Asia.$nVolume 2,$pThe upper course /$cNora Marchbanks."}, JOIN),
    ("Part A/Part B", {"245": "10$aRivers of the northern plain.$nPart A"}, {"245": "10$aRivers of the northern plain.$nPart B"}, APART),
    ("v. 1/v. 2", {"245": "10$aRivers of the northern plain.$nv. 1"}, {"245": "10$aRivers of the northern plain.$nv. 2"}, APART),
    ("I/II in titles", {"245": "10$aPhysics of rivers I"}, {"245": "10$aPhysics of rivers II"}, APART),
    ("set 3 v.", {"300": "  $a3 v. ;$c24 cm."}, {"245": "10$aRivers of the northern plain.$nVolume 3"}, LINK),
    ("set 2 volumes", {"300": "  $a2 volumes ;$c24 cm."}, {"245": "10$aRivers of the northern plain.$nv. 1,$pThe upper course"}, LINK),
    ("set number", {"020": "  $a0198534531$q(set)"}, {"245": "10$aRivers of the northern plain.$nv. 1"}, LINK),
    ("2nd/Second", {"250": "  $a2nd ed."}, {"250": "  $aSecond edition."}, JOIN),
    ("2nd rev. ed./2. ed.", {"250": "  $a2nd rev. ed."}, {"250": "  $a2nd edition, revised."}, JOIN),
    ("1st ed./none", {"250": "  $a1st ed."}, {}, JOIN),
    ("2nd/4th", {"250": "  $a2nd ed."}, {"250": "  $a4th ed.", "260": "  $aOxford :$bHartwell Press,$c1996.", "020": "  $a0198534574"}, LINK),
    ("Zweite/3. Aufl.", {"250": "  $aZweite Auflage"}, {"250": "  $a3., neubearb. Aufl."}, LINK),
    ("2e/3e ed.", {"250": "  $a2e éd."}, {"250": "  $aTroisième édition"}, LINK),
    ("3rd/none, years apart", {"250": "  $a3rd ed.", "260": "  $aOxford :$bHartwell Press,$c1995."}, {}, REVIEW),
    ("online", {}, {"300": "  $a1 online resource (xi, 274 p.)"}, LINK),
    ("GMD", {}, {"245": "10$aRivers of the northern plain$h[electronic resource] /$cNora Marchbanks."}, LINK),
    ("carrier", {}, {"338": "  $aonline resource$bcr$2rdacarrier"}, LINK),
    ("form of item", {}, {"008": "940311s1987    enka    ob    001 0 eng d"}, LINK),
    ("microfilm", {}, {"245": "10$aRivers of the northern plain$h[microform] /$cNora Marchbanks."}, LINK),
    ("large print", {}, {"250": "  $aLarge print ed.", "020": "  $a0198534574"}, LINK),
    ("facsimile", {}, {"250": "  $aFacsimile ed."}, LINK),
    ("sound", {}, {"ldr": "im", "245": "10$aRivers of the northern plain$h[sound recording]"}, LINK),
    ("hbk/pbk", {"020": "  $a0198534531 (hbk.)"}, {"020": "  $a0198534574 (pbk.)"}, JOIN),
    ("pages", {"300": "  $a274 pages ;$c24 cm"}, {}, JOIN),
    ("abbreviated publisher", {"020": None, "260": "  $aOxford :$bHartwell,$cc1987."}, {"020": None}, JOIN),
    ("article left out", {"245": "04$aThe rivers of the northern plain /$cNora Marchbanks."}, {}, JOIN),
    ("& / and", {"245": "10$aRivers & plains of the north"}, {"245": "10$aRivers and plains of the north"}, JOIN),
    ("subtitle", {"245": "10$aRivers of the northern plain :$ba natural history /$cNora Marchbanks."}, {}, JOIN),
    ("typing error", {"245": "10$aRivers of the nothern plain /$cNora Marchbanks."}, {}, JOIN),
    ("initials", {"100": "1 $aMarchbanks, N. B."}, {"100": "1 $aMarchbanks, Nora Beth,$d1931-"}, JOIN),
    ("Workbook", {}, {"245": "10$aRivers of the northern plain :$bworkbook /$cNora Marchbanks.", "020": "  $a0198534574"}, LINK),
    ("Workbook to accompany", {}, {"245": "10$aWorkbook to accompany Rivers of the northern plain /$cNora Marchbanks.", "020": "  $a0198534574"}, LINK),
    ("Teacher's book", {}, {"245": "10$aRivers of the northern plain.$pTeacher's book /$cNora Marchbanks.", "020": "  $a0198534574"}, LINK),
    ("Instructor's manual", {}, {"245": "10$aRivers of the northern plain. Instructor's manual /$cNora Marchbanks.", "020": "  $a0198534574"}, LINK),
    ("Study guide", {}, {"245": "10$aStudy guide for Rivers of the northern plain /$cNora Marchbanks.", "020": "  $a0198534574"}, LINK),
    ("Solutions manual", {}, {"245": "10$aRivers of the northern plain :$bstudent solutions manual /$cNora Marchbanks.", "020": "  $a0198534574"}, LINK),
    ("Lehrerhandbuch", {}, {"245": "10$aRivers of the northern plain.$pLehrerhandbuch", "020": "  $a0198534574"}, LINK),
    ("yearbooks", {"245": "00$aBaltic forestry yearbook 1991", "100": None, "020": None}, {"245": "00$aBaltic forestry yearbook 1992", "100": None, "020": None, "260": "  $aOxford :$bHartwell Press,$c1988."}, APART),
    ("annual report 1998-99/1999-2000", {"245": "00$aAnnual report 1998-99", "100": None, "020": None}, {"245": "00$aAnnual report 1999-2000", "100": None, "020": None}, APART),
    ("leaflets of four bodies", {"020": None, "100": None, "710": "2 $aRivers Unit.", "245": "10$aOur rivers, our future :$bintroducing the Western River Authority."}, {"020": None, "100": None, "710": "2 $aRivers Unit.", "245": "10$aOur rivers, our future :$bintroducing Clutha River Authority."}, REVIEW),
    ("leaflets of two bodies, one with its other name", {"020": None, "100": None, "710": "2 $aRivers Unit.", "245": "10$aOur rivers, our future :$bintroducing the Western River Authority."}, {"020": None, "100": None, "710": "2 $aRivers Unit.", "245": "10$aOur rivers, our future :$bintroducing Clutha Waters : Clutha River Authority = Mana Wai."}, REVIEW),
    ("reports of a body on meetings, no extent", {"020": None, "100": None, "300": "  $a1 online resource", "710": "2 $aRivers Unit.", "245": "10$aOur rivers :$bfinal report, Marae Hall, Oamaru, April 1987."}, {"020": None, "100": None, "300": "  $a1 online resource", "710": "2 $aRivers Unit.", "245": "10$aOur rivers :$bfinal report, Quality Hotel, New Plymouth, 24 July 1987."}, REVIEW),
    ("one recital and another, a year apart", {"020": None, "ldr": "jm", "300": "  $a1 sound disc", "245": "10$aHartwell student recital"}, {"020": None, "ldr": "jm", "300": "  $a1 sound disc", "245": "10$aHartwell student recital, Dec. 6, 1988", "008": "940311s1988    enka     b    001 0 eng d", "260": "  $aOxford :$bHartwell Press,$c1988."}, REVIEW),
    ("leaflet and its copy", {"100": None, "710": "2 $aRivers Unit.", "245": "10$aOur rivers :$bintroducing the Western River Authority."}, {"100": None, "710": "2 $aRivers Unit.", "245": "10$aOur rivers :$bintroducing the Western Rivers Authority."}, JOIN),
    ("hearings, more or less of the body", {"020": None, "100": None, "110": "2 $aBaltic Council.", "245": "10$aTaxes on rivers and lakes :$bhearings before the Committee on Finance, first session."}, {"020": None, "100": None, "110": "2 $aBaltic Council.", "245": "10$aTaxes on rivers and lakes :$bhearings, first session."}, JOIN),
    ("a person's subtitle in other words", {"020": None, "245": "10$aRivers of the northern plain :$ba study in history and ecology"}, {"020": None, "245": "10$aRivers of the northern plain :$ba study in economics and ecology"}, JOIN),
    ("a person's two regions", {"020": None, "245": "10$aRivers :$bgeology of northern Saxony"}, {"020": None, "245": "10$aRivers :$bgeology of southern Saxony"}, REVIEW),
    ("two regions in the title", {"020": None, "245": "10$aGeology of northern Saxony"}, {"020": None, "245": "10$aGeology of southern Saxony"}, APART),
    ("Proceedings", {"245": "00$aProceedings", "100": None, "110": "2 $aCongress on Peat.", "020": None}, {"245": "00$aProceedings", "100": None, "110": "2 $aSymposium on Moths.", "020": None, "260": "  $aLeeds :$bKirk,$c1987."}, APART),
    ("Selected poems of two", {"245": "10$aSelected poems", "020": None}, {"245": "10$aSelected poems", "020": None, "100": "1 $aOkoro, Peter."}, APART),
    ("nothing but the title", {"020": None, "100": None, "260": "  $c1987.", "300": None, "245": "10$aRivers of the northern plain"}, {"020": None}, REVIEW),
    ("another publisher", {"020": None}, {"020": None, "260": "  $aNew York :$bLark & Dove,$c1994.", "300": "  $a311 p."}, APART),
    ("another publisher, another town, one year", {"020": None}, {"020": None, "260": "  $aNew York :$bLark & Dove,$c1987."}, REVIEW),
    ("pages far", {"020": None}, {"020": None, "300": "  $a402 p."}, REVIEW),
    ("re-used number", {}, {"100": "1 $aTeller, Amos.", "245": "10$aBread at home /$cAmos Teller.", "300": "  $a96 p."}, APART),
    ("old imprint", {"020": None, "008": "940311s1871    enka     b    001 0 eng d", "260": "  $aLondon :$bJ. Murray,$c1871."}, {"020": None, "008": "940311s1871    enka     b    001 0 eng d", "260": "  $aLondon,$bMurray,$c1871."}, JOIN),
    ("serial and book", {"ldr": "as"}, {}, APART),
    ("University Press of the town", {"020": None, "260": "  $aOxford :$bThe University Press,$c1987."}, {"020": None, "260": "  $aOxford :$bOxford University Press,$c1987."}, JOIN),
    ("government printer", {"020": None, "260": "  $aWashington :$bU.S. Govt. Print. Off.,$c1987."}, {"020": None, "260": "  $aWashington :$bBureau of Rivers,$c1987."}, JOIN),
    ("The Society", {"020": None, "260": "  $aOxford :$bThe Society,$c1987."}, {"020": None}, JOIN),
    ("article at the subtitle's head", {"020": None, "245": "10$aRivers of the plain :$bthe upper course"}, {"020": None, "245": "10$aRivers of the plain, the upper course"}, JOIN),
    ("series as title", {"020": None, "245": "10$aStudies of rivers.$pRivers of the northern plain"}, {"020": None}, JOIN),
    ("series as title, other pages", {"020": None, "245": "10$aStudies of rivers.$pRivers of the northern plain"}, {"020": None, "300": "  $a311 p."}, APART),
    ("author's name before the title", {"020": None, "245": "10$aMarchbanks's Rivers of the northern plain"}, {"020": None}, JOIN),
    ("pseudonym", {"020": None, "245": "10$aRivers of the northern plain :$ba natural history"}, {"020": None, "100": "1 $aRiverman, A.", "245": "10$aRivers of the northern plain :$ba natural history"}, JOIN),
    ("two authors, both stated", {"020": None, "245": "10$aRivers of the northern plain :$ba history /$cNora Marchbanks."}, {"020": None, "100": "1 $aOkoro, P.", "245": "10$aRivers of the northern plain :$ba history /$cPeter Okoro."}, APART),
    ("long title, no author", {"020": None, "100": None, "245": "10$aRivers of the great northern plain"}, {"020": None, "245": "10$aRivers of the great northern plain", "300": "  $a1 v."}, JOIN),
    ("date of a meeting once", {"020": None, "245": "10$aRivers of the northern plain :$bproceedings of a symposium held at Leeds, May 1986"}, {"020": None}, JOIN),
    ("two meetings", {"020": None, "245": "10$aSymposium on rivers, 1985"}, {"020": None, "245": "10$aSymposium on rivers, 1986"}, APART),
    ("first and second book", {"020": None, "245": "10$aIl primo libro de canti di fiumi"}, {"020": None, "245": "10$aIl secondo libro de canti di fiumi"}, APART),
    ("one printer, two composers", {"020": None, "245": "10$aSongs of the northern plain", "700": "1 $aGardan, A.,$4prt"}, {"020": None, "100": "1 $aOkoro, P.", "245": "10$aSongs of the northern plain", "300": "  $a40 p.", "700": "1 $aGardan, A.,$4prt"}, APART),
    ("omitted title", {"020": None, "260": "  $c1987", "300": None, "245": "10$a... newly printed"}, {"020": None, "260": "  $c1987", "300": None, "245": "10$a... newly printed"}, REVIEW),
    ("volume held behind $c", {"020": None, "300": "  $a2 v.", "245": "10$aRivers of the plain /$cNora Marchbanks.$nv. 1"}, {"020": None, "300": "  $a2 v.", "245": "10$aRivers of the plain"}, JOIN),
    ("volumes behind $c", {"020": None, "245": "10$aRivers of the plain /$cNora Marchbanks.$nv. 1"}, {"020": None, "245": "10$aRivers of the plain /$cNora Marchbanks.$nv. 2"}, APART),
    ("pages far, subtitle and volume agree", {"020": None, "245": "10$aRivers :$ba natural history.$nv. 1"}, {"020": None, "245": "10$aRivers :$ba natural history.$nv. 1", "300": "  $a402 p."}, REVIEW),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b", "verdict"), [case[1:] for case in CHINESE], ids=[case[0] for case in CHINESE])
def test_a_chinese_pair_is_judged(a: Fields, b: Fields, verdict: Verdict) -> None:
    decision = judged(chinese(a), chinese(b))
    assert decision.verdict is verdict, (decision.score, decision.reasons)


@pytest.mark.parametrize(("a", "b", "verdict"), [case[1:] for case in WESTERN], ids=[case[0] for case in WESTERN])
def test_a_western_pair_is_judged(a: Fields, b: Fields, verdict: Verdict) -> None:
    decision = judged(western(a), western(b))
    assert decision.verdict is verdict, (decision.score, decision.reasons)


@pytest.mark.parametrize(("a", "b"), [case[1:3] for case in CHINESE if case[3] is not JOIN])
def test_an_ambiguous_number_never_makes_a_join(a: Fields, b: Fields) -> None:
    assert judged(chinese(a), chinese(b), ambiguous=True).verdict is not JOIN
