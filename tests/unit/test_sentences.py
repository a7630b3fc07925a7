"""Sentences that are kept in English, or raised, are told in Chinese: all of the tables are said somewhere, and are
found again; and what people are refused with is among them."""

from __future__ import annotations

import ast
import builtins
import re
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from config import sentences
from config.sentences import Sentence

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("protocols", "catalog", "dms", "exchange", "services", "node")
SPOKEN = (  # modules whose errors people read
    "services/**/*.py",
    "node/commands/*.py",
    "node/web/*_pages.py",
    "node/web/*_asking.py",
    "node/web/visitor.py",
    "node/web/inputs.py",
    "node/rekeying.py",
    "node/tabular.py",
    "catalog/search/query.py",
    "catalog/search/port.py",
    "exchange/bringing.py",
    "exchange/codes.py",
    "exchange/parting.py",
    "dms/batch_change.py",
    "dms/rekeying.py",
    "dms/sharing.py",
    "dms/undo.py",
)
HOLE = re.compile(r"\{\w+\}")


@cache
def said() -> str:
    """Every text in our code, with a mark where a value is filled in."""
    found: list[str] = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    parts = (str(each.value) if isinstance(each, ast.Constant) else "\0" for each in node.values)
                    found.append("".join(parts))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(re.sub(r"\{[^{}]*\}", "\0", node.value))
    return "\n".join(found)


@pytest.mark.parametrize("sentence", sentences.sentences(), ids=lambda each: each.en[:50])
def test_a_sentence_is_one_that_the_code_says(sentence: Sentence) -> None:
    pieces = [piece.strip(": ") for whole in HOLE.split(sentence.en) for piece in whole.split(", ")]
    assert all(piece in said() for piece in pieces if len(piece) > 3), "nobody says this any more"
    assert set(HOLE.findall(sentence.en)) == set(HOLE.findall(sentence.zh))
    assert re.search("[\u4e00-\u9fff]", sentence.zh)


@pytest.mark.parametrize("sentence", sentences.sentences(), ids=lambda each: each.en[:50])
def test_a_sentence_is_told_with_what_was_filled_in(sentence: Sentence) -> None:
    def filled(text: str) -> str:
        return HOLE.sub(lambda hole: "1,204" if hole[0][1:-1] in sentences.NUMBERS else hole[0], text)

    kept, wanted = filled(sentence.en), filled(sentence.zh)
    assert sentences.told(kept, "zh") == wanted
    assert sentences.told(kept, "en") == kept


def refusals() -> Iterator[tuple[str, str]]:
    """(where, text) of the errors that people read, with a 7 for every value. Those of values alone are somebody else's
    words, and those of a word are codes that the pages and commands have texts for."""
    for path in sorted({path for part in SPOKEN for path in ROOT.glob(part)}):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                text = "" if ast.unparse(node.exc.func) in dir(builtins) else written(node.exc.args[0])
                if len(re.findall("[A-Za-z]{2,}", text)) > 2:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def written(told: ast.expr) -> str:
    """What an expression of text says."""
    if isinstance(told, ast.JoinedStr):
        return "".join(str(each.value) if isinstance(each, ast.Constant) else "7" for each in told.values)
    return told.value if isinstance(told, ast.Constant) and isinstance(told.value, str) else ""


def test_what_people_are_refused_with_is_told_in_chinese() -> None:
    found = list(refusals())
    assert len(found) > 200
    assert [each for each in found if not re.search("[\u4e00-\u9fff]", sentences.told(each[1], "zh"))] == []


@pytest.mark.parametrize("sentence", ["{a}x{b}", "{a} and {b} are one cluster, {c}: to part them use split"])
def test_no_text_takes_long(sentence: str) -> None:
    """What an error says was often typed by whoever it refuses."""
    one = Sentence(sentence, "", tuple(re.split(r"\{(\w+)\}", sentence)))
    started = time.process_time()
    for _ in range(100):
        one.values(" and x" * (sentences.LONGEST // 6))
    assert time.process_time() - started < 0.1


def test_several_sentences_in_one_text_are_told_one_by_one() -> None:
    kept = "3 of 10 records that came back, limit 5%; 4 of 9 titles that changed, limit 10%; what nobody knows"
    assert (
        sentences.told(kept, "zh")
        == "10 条中有 3 条被退回，上限 5%；9 条中有 4 条题名改变，上限 10%；what nobody knows"
    )


def test_what_a_sentence_holds_is_told_too() -> None:
    kept = "sheet 书目, row 3, column 题名: nothing is in it, and no record is without it"
    assert sentences.told(kept, "zh") == "工作表 书目，第 3 行“题名”列：为空，而记录不可缺少此项"
