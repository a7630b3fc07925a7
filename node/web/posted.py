"""What a program posts as JSON, as a value; whatever isn't of its shape is a BadInput (400)."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from node.web.middleware import BadInput

Shape = TypeVar("Shape", bound=msgspec.Struct)


def posted(body: bytes, shape: type[Shape], example: str) -> Shape:
    """The body as a `shape`. `example`: how it is written, for the message."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"Send {example} as JSON: {error}.") from error
