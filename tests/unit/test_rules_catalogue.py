"""The catalogue of rules: whole, in both languages, and nothing is told that has no row in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dms.rules import catalogue, content, mend
from dms.rules.model import Finding, Level

ROOT = Path(__file__).resolve().parents[2]
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
CODES = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
HOLES = re.compile(r"\{(\w+)\}")
HAN = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("id_", catalogue.rules())
def test_a_rule_says_what_it_wants_in_both_languages_and_on_whose_word(id_: str) -> None:
    rule = catalogue.rule(id_)
    assert ID.fullmatch(rule.id)
    assert HAN.search(rule.zh)
    assert re.search("[a-z]{3}", rule.en)
    assert set(HOLES.findall(rule.zh + rule.en)) <= {"value", "wanted", "tag", "code"}
    assert len(rule.reference) > 5
    assert rule.formats <= {"marc21", "cnmarc"}
    assert rule.formats


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_text_has_what_was_found_in_it(lang: str) -> None:
    said = catalogue.text(Finding("indicator-undefined", "245", 1, "ind1", value="{wanted}", wanted="0 1"), lang)
    assert "{wanted}" in said  # what a record says is never filled in again
    assert "0 1" in said


def test_what_can_be_mended_has_a_fix_and_every_fix_a_rule() -> None:
    assert {id_ for id_, rule in catalogue.rules().items() if rule.fix} == set(mend.fixes())


def test_rules_of_content_tell_only_what_is_in_the_catalogue() -> None:
    told = {id_ for rule in content.rules() for id_ in rule.ids}
    assert told <= set(catalogue.rules())


def constants(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from constants(node.body)
        yield from constants(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and CODES.fullmatch(node.value):
        yield node.value


def is_detail(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
    )


def told_by_readers(source: str) -> Iterator[str]:
    """Rule ids in a module: `(id, detail)`, `Failed(…, id, …)`, `rule = id`, `code = id` of errors beside them."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Tuple(elts=[first, second]) if is_detail(second):
                yield from constants(first)
            case ast.Call(func=ast.Name(id="Failed"), args=[_, _, _, rule, *_]):
                yield from constants(rule)
            case ast.Assign(targets=[ast.Name(id="rule")], value=rule):
                yield from constants(rule)


def test_whatever_a_reader_tells_is_a_rule() -> None:
    told: dict[str, str] = {}
    for path in sorted((ROOT / "protocols").rglob("*.py")):
        told |= dict.fromkeys(told_by_readers(path.read_text(encoding="utf-8")), path.name)
    assert len(told) > 20, "the search itself is broken"
    assert {id_: name for id_, name in told.items() if id_ not in catalogue.rules()} == {}


def test_by_default_only_what_can_t_be_read_or_described_comes_back() -> None:
    errors = {id_ for id_, rule in catalogue.rules().items() if rule.level is Level.ERROR}
    unread = {"unreadable", "cut-off", "not-a-record", "doctype", "input-fault", "fault"}
    assert errors == unread | {
        "no-description",
        "heading-missing",
    }  # the latter says of authorities what the former says
