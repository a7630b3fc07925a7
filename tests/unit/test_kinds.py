"""Bibliographic, authority or holdings record: by the leader, and by the fields where the leader lies."""

from __future__ import annotations

import pytest

from catalog.model import Format
from dms.rules import kinds
from dms.rules.model import Kind
from protocols.marc import Record


@pytest.mark.parametrize(
    ("fmt", "leader6", "tags", "kind"),
    [
        (Format.MARC21, "a", ("001", "245"), Kind.BIBLIOGRAPHIC),
        (Format.MARC21, "z", ("001", "100"), Kind.AUTHORITY),
        (Format.MARC21, "x", ("001", "004", "852"), Kind.HOLDINGS),
        (Format.MARC21, "y", ("001", "852"), Kind.HOLDINGS),
        (Format.MARC21, "v", ("001", "014"), Kind.HOLDINGS),
        (Format.MARC21, "a", ("001", "004", "852"), Kind.HOLDINGS),
        (Format.MARC21, "a", ("001", "003", "005", "004", "853", "863"), Kind.HOLDINGS),
        (Format.MARC21, "a", ("001", "004", "245", "852"), Kind.BIBLIOGRAPHIC),
        (Format.MARC21, "a", ("001", "852"), Kind.BIBLIOGRAPHIC),
        (Format.MARC21, "y", ("001", "245", "852"), Kind.BIBLIOGRAPHIC),
        (Format.MARC21, "z", ("001", "245"), Kind.BIBLIOGRAPHIC),
        (Format.CNMARC, "x", ("001", "200"), Kind.AUTHORITY),
        (Format.CNMARC, "x", ("001", "004", "252"), Kind.HOLDINGS),
        (Format.CNMARC, "u", ("001", "004", "852"), Kind.HOLDINGS),
        (Format.CNMARC, "a", ("001", "200"), Kind.BIBLIOGRAPHIC),
        (Format.MARC21, "", (), Kind.BIBLIOGRAPHIC),
    ],
)
def test_kinds(fmt: Format, leader6: str, tags: tuple[str, ...], kind: Kind) -> None:
    leader = "00000n" + leader6 + "m a2200000   4500" if leader6 else ""
    assert kinds.kind_of(Record(leader, tuple((tag, "x") for tag in tags)), fmt) is kind
