"""Every XML parser of ours is one that no document can make fetch, expand or include anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.guard import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
SAFE = {"resolve_entities": False, "no_network": True, "huge_tree": False, "load_dtd": False}
PARSERS = {"XMLParser", "XMLPullParser", "HTMLParser", "iterparse"}
READERS = {"fromstring", "parse", "XML", "fromstringlist", "HTML"}
NEVER = {"xinclude", "XInclude", "XSLT", "iterparse"}


def faults(source: str) -> Iterator[str]:
    """What is unsafe in a module's use of lxml."""
    tree = ast.parse(source)
    if "lxml" not in source and "xml.etree" not in source:
        return
    for each in ast.walk(tree):
        if isinstance(each, ast.ImportFrom) and (each.module or "").startswith(("xml", "lxml.")):
            yield f"line {each.lineno}: only lxml.etree reads XML"
        if not isinstance(each, ast.Call):
            continue
        name = each.func.attr if isinstance(each.func, ast.Attribute) else getattr(each.func, "id", "")
        owner = getattr(getattr(each.func, "value", None), "id", "")
        if name in NEVER:
            yield f"line {each.lineno}: {name} is never called"
        if name in PARSERS:
            told = {one.arg: getattr(one.value, "value", None) for one in each.keywords}
            if {key: told.get(key) for key in SAFE} != SAFE:
                yield f"line {each.lineno}: {name} without {SAFE}"
        if (
            owner == "etree"
            and name in READERS
            and len(each.args) < 2
            and not any(k.arg == "parser" for k in each.keywords)
        ):
            yield f"line {each.lineno}: {name} with lxml's own parser"


@pytest.mark.parametrize("package", PACKAGES)
def test_our_parsers_are_safe(package: str) -> None:
    found = {str(path): said for path in (ROOT / package).rglob("*.py") if (said := [*faults(path.read_text())])}
    known = {"make_tables.py"}  # makes our own tables of a file that a developer names
    assert not {path: said for path, said in found.items() if Path(path).name not in known}


@pytest.mark.parametrize(
    "line",
    [
        "etree.fromstring(data)",
        "etree.fromstring(data, etree.XMLParser())",
        "etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, load_dtd=False)",
        "tree.xinclude()",
        "etree.XSLT(sheet)",
        "etree.iterparse(path)",
    ],
)
def test_an_unsafe_use_is_found(line: str) -> None:
    assert [*faults(f"from lxml import etree\n{line}\n")]
