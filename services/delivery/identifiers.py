"""Names that leave the node: OAI identifiers and set names.

An OAI identifier is `oai:<namespace>:<cluster id>` (OAI identifier format 2.0). The namespace has the form of a domain
name but is made from the node's symbol, so that identifiers outlive a change of host name.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

_NOT_LABEL = re.compile(r"[^a-z0-9-]+")
_SPEC_PLAIN = re.compile(r"[A-Za-z0-9\-_.~*'()]")  # setSpec characters without "!", which escapes, and ":"


def namespace(symbol: str) -> str:
    """`cn-tju.tianlu` for the node CN-TJU; each label begins with a letter, as the format demands."""
    label = _NOT_LABEL.sub("-", symbol.lower()).strip("-") or "node"
    return f"{label if label[0].isalpha() else 'n' + label}.tianlu"


def oai(symbol: str, cluster: str) -> str:
    """The OAI identifier of a cluster id at the node `symbol`."""
    return f"oai:{namespace(symbol)}:{quote(cluster, safe='.-_~')}"


def cluster_of(identifier: str, symbol: str) -> str:
    """The cluster id in an OAI identifier of this node, or "" if it is not one."""
    prefix = f"oai:{namespace(symbol)}:"
    return unquote(identifier.removeprefix(prefix)) if identifier.startswith(prefix) else ""


def set_spec(library: str) -> str:
    """A library's symbol as a setSpec: characters that a setSpec can't hold become `!` and two hex digits a byte."""
    return "".join(
        each if _SPEC_PLAIN.fullmatch(each) else "".join(f"!{byte:02X}" for byte in each.encode()) for each in library
    )
