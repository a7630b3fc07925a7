"""What kind of record a leader says it is (pure)."""

from __future__ import annotations

from catalog.model import Format
from dms.rules.model import Kind

# MARC 21, leader/06: authority z, classification w, community information q; holdings u v x y.
# UNIMARC Authorities (2009), leader/06: x y z; UNIMARC Holdings (2007): u v w as our formats read it.
_KINDS = {
    Format.MARC21: dict.fromkeys("zwq", Kind.AUTHORITY) | dict.fromkeys("uvxy", Kind.HOLDINGS),
    Format.CNMARC: dict.fromkeys("xyz", Kind.AUTHORITY) | dict.fromkeys("uvw", Kind.HOLDINGS),
}


def kind_of(leader: str, fmt: Format) -> Kind:
    """The kind by leader/06; what that doesn't say is bibliographic."""
    return _KINDS[fmt].get(leader[6:7], Kind.BIBLIOGRAPHIC)
