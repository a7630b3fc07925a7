"""Elements of a target format, as plain trees, and how they are written as XML (pure)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_STEP = re.compile(r"([A-Za-z][\w:.-]*)(?:\[([^\]]*)\])?")
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


@dataclass(slots=True)
class Element:
    """A name, attributes, text or children."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def child(self, steps: Iterable[tuple[str, Mapping[str, str]]]) -> Element:
        """The element at the end of a path under this one; the steps before the last are shared, it is new."""
        *way, last = steps
        at = self
        for name, attributes in way:
            found = next((c for c in at.children if c.name == name and c.attributes == attributes), None)
            if found is None:
                found = Element(name, dict(attributes))
                at.children.append(found)
            at = found
        made = Element(last[0], dict(last[1]))
        at.children.append(made)
        return made

    def is_empty(self) -> bool:
        """Whether nothing is said in it."""
        return not self.text and all(child.is_empty() for child in self.children)


def path(told: str) -> tuple[tuple[str, dict[str, str]], ...]:
    """The steps of `originInfo/place/placeTerm[type=text]`. Raises ValueError."""
    steps = []
    for step in told.split("/"):
        found = _STEP.fullmatch(step)
        if not found:
            raise ValueError(f"no step of a path: {step!r}")
        pairs = (pair.partition("=") for pair in (found.group(2) or "").split(",") if pair)
        steps.append((found.group(1), {name: value for name, _, value in pairs}))
    return tuple(steps)


def written(element: Element) -> str:
    """The element as XML; what is empty is left out."""
    if element.is_empty():
        return ""
    attributes = "".join(f' {name}="{_escaped(value)}"' for name, value in element.attributes.items() if value)
    inside = _escaped(element.text) + "".join(map(written, element.children))
    return f"<{element.name}{attributes}>{inside}</{element.name}>"


def _escaped(text: str) -> str:
    return html.escape(_FORBIDDEN.sub(" ", text))
