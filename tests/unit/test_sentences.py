"""Sentences that are kept in English are told in Chinese: all of the table are said somewhere, and are found again."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from config import sentences
from config.sentences import Sentence

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("protocols", "catalog", "dms", "exchange", "services")
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


def test_several_sentences_in_one_text_are_told_one_by_one() -> None:
    kept = "3 of 10 records that came back, limit 5%; 4 of 9 titles that changed, limit 10%; what nobody knows"
    assert (
        sentences.told(kept, "zh")
        == "10 条中有 3 条被退回，上限 5%；9 条中有 4 条题名改变，上限 10%；what nobody knows"
    )


def test_what_a_sentence_holds_is_told_too() -> None:
    kept = "sheet 书目, row 3, column 题名: nothing is in it, and no record is without it"
    assert sentences.told(kept, "zh") == "工作表 书目，第 3 行“题名”列：为空，而记录不可缺少此项"
