"""Elements of a target format, as plain trees, and how they are written as XML (pure)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

_STEP = re.compile(r"([A-Za-z][\w:.-]*)(?:\[([^\]]*)\])?(\*?)")
_STEPS = re.compile(r"/(?![^\[]*\])")
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
_SPECIAL = re.compile("[&<>\"']")


class Step(NamedTuple):
    """One element of a path."""

    name: str
    attributes: dict[str, str]
    new: bool = False  # never one that is there already


Path = tuple[Step, ...]


class Element(msgspec.Struct, gc=False):
    """A name, attributes, text or children. One that several records share is never changed."""

    name: str
    attributes: dict[str, str] = {}
    text: str = ""
    children: list[Element] = []
    xml: str = ""  # as it was written, once it was; where the rest is empty, all that it is

    def at(self, steps: Iterable[Step]) -> Element:
        """The element at the end of a path under this one: the last that is there, else one made."""
        at = self
        for step in steps:
            found = None if step.new else next((c for c in reversed(at.children) if _is(c, step)), None)
            if found is None:
                found = Element(step.name, dict(step.attributes))
                at.children.append(found)
            at = found
        return at

    def child(self, steps: Path) -> Element:
        """A new element at the end of a path under this one; the steps before the last are those that are there."""
        made = Element(steps[-1].name, dict(steps[-1].attributes))
        (self.at(steps[:-1]) if len(steps) > 1 else self).children.append(made)
        return made


def _is(element: Element, step: Step) -> bool:
    return element.name == step.name and step.attributes.items() <= element.attributes.items()


def path(told: str) -> Path:
    """The steps of `originInfo/place/placeTerm[type=text]`; `role*` is a new one each time. Raises ValueError."""
    steps = []
    for step in _STEPS.split(told):
        found = _STEP.fullmatch(step)
        if not found:
            raise ValueError(f"no step of a path: {step!r}")
        pairs = (pair.partition("=") for pair in (found.group(2) or "").split(",") if pair)
        steps.append(Step(found.group(1), {name: value for name, _, value in pairs}, bool(found.group(3))))
    return tuple(steps)


def marks(steps: Path) -> tuple[str, str]:
    """What stands before and after the text of the last of these elements in XML, each the only child of the other."""
    before = "".join([f"<{step.name}{_attributes(step.attributes)}>" for step in steps])
    return before, "".join([f"</{step.name}>" for step in reversed(steps)])


def _attributes(attributes: Mapping[str, str]) -> str:
    return "".join([f' {key}="{escaped(value)}"' for key, value in attributes.items()])


def told(name: str, attributes: Mapping[str, str], inside: str) -> str:
    """An element of which the inside is XML."""
    start = name + _attributes(attributes) if attributes else name
    return f"<{start}>{inside}</{name}>" if inside else f"<{start}/>"


def written(element: Element) -> str:
    """The element as XML; it is not changed afterwards."""
    if element.xml:
        return element.xml
    inside = escaped(element.text) if element.text else ""
    if element.children:
        inside += "".join([each.xml or written(each) for each in element.children])
    element.xml = told(element.name, element.attributes, inside)
    return element.xml


def escaped(text: str) -> str:
    """The text for XML; characters that XML has no way to say become blanks."""
    if not text.isprintable():
        text = _FORBIDDEN.sub(" ", text)
    return html.escape(text) if _SPECIAL.search(text) else text
