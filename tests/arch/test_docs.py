"""Docs in step with the program: every setting, command and address is named, every link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config import settings
from config.secret import Secret
from node.commands import COMMANDS
from node.web import routes
from node.web.openapi import Route

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def rows() -> dict[str, list[str]]:
    """The table rows of the operator's page by their first cell."""
    cells = ([cell.strip() for cell in line.strip().strip("|").split("|")] for line in OPERATIONS.splitlines())
    return {each[0].strip("`"): each[1:] for each in cells if len(each) > 1}


@pytest.mark.parametrize("key", settings.KEYS.values(), ids=settings.KEYS)
def test_setting_is_documented_with_its_default(key: settings.Key) -> None:
    default, about = rows()[key.name]
    if key.name == "worker.processes":
        assert default == "one a core"
    elif isinstance(key.default, Secret):
        assert default == ""
    else:
        assert default.strip("`") == str(key.default)
    assert about


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_documented_in_its_own_words(name: str) -> None:
    assert rows()[f"tianlu {name}"] == [COMMANDS[name].en]


@pytest.mark.parametrize("route", routes.ROUTES, ids=lambda route: route.path)
def test_address_is_documented_in_its_own_words(route: Route) -> None:
    assert rows()[route.path] == [route.summary.rstrip(".")]


def test_nothing_is_documented_that_is_gone() -> None:
    named = set(re.findall(r"^\| `tianlu (\w+)`", OPERATIONS, re.M))
    assert named == set(COMMANDS)
    sections = "|".join(settings.SECTIONS)
    assert set(re.findall(rf"^\| `((?:{sections})\.\w+|lang)` \|", OPERATIONS, re.M)) == set(settings.KEYS)
    assert set(re.findall(r"^\| `(/\S*)`", OPERATIONS, re.M)) == {route.path for route in routes.ROUTES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_modules_named_in_a_page_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = [page.parent / link for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text)]
    folders = "node|services|exchange|dms|catalog|protocols|config|tests|docs|bench"
    targets += [ROOT / path for path in re.findall(rf"`((?:{folders})/[\w/.*-]*)`", text) if "*" not in path]
    missing = [str(target) for target in targets if not target.exists()]
    assert not missing


def test_every_decision_is_listed_and_has_its_parts() -> None:
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [page.name[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert page.name in listed
        for part in ("**Context.**", "**Decision.**", "**Consequences.**"):
            assert part in text, f"{page.name} has no {part}"
