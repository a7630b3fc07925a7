"""How facets and libraries are called on pages, by language."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.model import Library
from node.web import texts
from services.delivery import rows


def library_name(symbol: str, libraries: Mapping[str, Library], lang: str) -> str:
    """A library's name in the visitor's language, else in its own; its symbol if it is not in the directory."""
    library = libraries.get(symbol)
    if library is None:
        return symbol
    return (library.name_en if lang == "en" else library.name) or library.name or symbol


def facet_name(facet: str, lang: str) -> str:
    """A facet's heading."""
    return texts.TEXTS[f"facet_{facet}"][lang]


def facet_label(facet: str, value: str, libraries: Mapping[str, Library], lang: str) -> str:
    """A facet value as it is shown."""
    if facet == "library":
        return library_name(value, libraries, lang)
    if facet in ("kind", "language"):
        return rows.name(facet, value, lang)
    return value
