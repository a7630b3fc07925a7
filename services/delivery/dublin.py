"""The heading that lists and pages show of a description."""

from __future__ import annotations

from catalog.model import Description


def heading(description: Description) -> str:
    """Title, other title information and part, with the punctuation of ISBD between them."""
    title = description.title
    if description.subtitle:
        title += f" : {description.subtitle}"
    if description.volume:
        title += f". {description.volume}"
    return title
