"""JSON Schemas of plain values, and the two ways of putting them together; others are made of these (pure)."""

from __future__ import annotations

from typing import Any

Shape = dict[str, Any]

TEXT: Shape = {"type": "string"}
TEXTS: Shape = {"type": "array", "items": TEXT}
COUNT: Shape = {"type": "integer", "minimum": 0}
AT: Shape = {"type": "string", "format": "date-time"}
WHY: Shape = {**TEXT, "minLength": 1, "description": "reason, which others will read"}


def thing(required: tuple[str, ...] = (), **properties: Any) -> Shape:
    """An object; all of its members are there unless `required` says which."""
    return {"type": "object", "properties": properties, "required": list(required or properties)}


def many(item: Shape, about: str = "") -> Shape:
    """A list."""
    return {"type": "array", "items": item} | ({"description": about} if about else {})
