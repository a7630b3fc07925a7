"""The scope bar as values with their addresses, and what is said where a level is missing (pure)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from node.web import texts
from node.web.labels import library_name
from services.discovery.find import Question
from services.discovery.scope import Level, Place, Plan
from services.discovery.wide import Wide

Address = Callable[..., str]  # of a question with changes


def levels(wide: Wide, place: Place, lang: str, address: Address) -> list[dict[str, Any]]:
    """The levels, narrow to wide; [] where there is only one and so nothing to choose."""
    if len(wide.levels) < 2:
        return []
    return [
        {
            "label": texts.TEXTS[f"scope_{level.kind}"][lang],
            "name": library_name(wide.plan.home, wide.names, lang) if level.kind == "library" else level.name,
            "count": level.count,
            "state": level.state,
            "url": address(_question(wide.plan, place, level)),
            "current": level.key == wide.plan.current,
        }
        for level in wide.levels
    ]


def _question(plan: Plan, place: Place, level: Level) -> Question:
    """The same question on another level. All that this node holds needs no scope in its address."""
    whole = level.key == plan.own[-1].key
    home = None if whole and plan.home == place.home else plan.home
    return dataclasses.replace(plan.counted, scope="" if whole else level.key, home=home)


def notice(wide: Wide, lang: str) -> str:
    """What must be said of a level that didn't answer: what is shown instead, what isn't counted; "" if all is well."""
    t = texts.in_language(lang)
    if not wide.complete:
        current = _current(wide)
        why = "late" if current.state == "late" else "unreachable"
        return t(f"scope_part_{why}", name=_name(current, lang))
    for state in ("late", "unreachable"):
        labels = [texts.TEXTS[f"scope_{level.kind}"][lang] for level in wide.levels if level.state == state]
        if labels:
            return t(f"scope_{state}", names=t("scope_and").join(labels))
    return ""


def told_by(wide: Wide) -> str:
    """Whose titles these are, "" if they are this node's own."""
    parent = wide.plan.answerer
    if not wide.told or not parent:
        return ""
    name = _current(wide).name if wide.complete and wide.plan.current != "city" else ""
    return name or parent.name or parent.symbol


def _current(wide: Wide) -> Level:
    return next(each for each in wide.levels if each.key == wide.plan.current)


def _name(level: Level, lang: str) -> str:
    label = texts.TEXTS[f"scope_{level.kind}"][lang]
    return texts.TEXTS["scope_named"][lang].format(label=label, name=level.name) if level.name else label
