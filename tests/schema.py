"""Checks a JSON answer against the schema that documents it."""

from __future__ import annotations

from typing import Any


def fits(value: Any, schema: Any, where: str = "$") -> None:
    """As much of JSON Schema as ours use."""
    kinds = {"string": str, "integer": int, "array": list, "object": dict, "boolean": bool, "null": type(None)}
    named = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    assert any(isinstance(value, kinds[name]) for name in named), where
    assert "enum" not in schema or value in schema["enum"], where
    if isinstance(value, dict):
        known = schema.get("properties", {})
        assert set(schema.get("required", ())) <= set(value), where
        for name, each in value.items():
            assert name in known or "additionalProperties" in schema, f"{where}.{name} is not in the document"
            fits(each, known.get(name) or schema["additionalProperties"], f"{where}.{name}")
    if isinstance(value, list):
        for each in value:
            fits(each, schema["items"], f"{where}[]")
