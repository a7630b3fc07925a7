"""Where libraries are: an area is a path from the largest part, `广东/深圳` or `广东/深圳/南山` (pure).

The first part is the province; what the others are, `services.discovery.places` says.
"""

from __future__ import annotations

import re

_DIVIDED = re.compile(r"[/／]")


def path(area: str) -> tuple[str, ...]:
    """The parts as they are written, the largest first."""
    return tuple(part for part in (each.strip() for each in _DIVIDED.split(area)) if part)


def tidy(area: str) -> str:
    """The area as it is kept: `/` between parts, no empty ones."""
    return "/".join(path(area))
