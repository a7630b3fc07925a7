"""What notes of copies say is held: 905$v with $y, bindings, numbers of copies; and what is no statement."""

from __future__ import annotations

import pytest

from dms.ranges import notes
from dms.ranges.writing import write


@pytest.mark.parametrize(
    ("note", "normal", "copies"),
    [
        ("103-; 1919-", "v.103- (1919-)", 0),
        ("1-12; 1990-2001", "v.1-12 (1990-2001)", 0),
        ("1-6; 1998", "1998:no.1-6", 0),
        ("1-12期; 1998", "1998:no.1-12", 0),
        ("5; 1998", "v.5 (1998)", 0),
        ("1-5,7; 1990-1996", "1990-1996; v.1-5, v.7", 0),
        ("1-12(残); 1990-2001", "", 0),
        ("1998:1-6(合订本); ×2", "1998:no.1-6", 2),
        ("×3", "", 3),
        ("vol. 1 (1990) -....", "", 0),
        ("Gift of the author, 1998", "", 0),
        ("1998年增刊,1999", "1998年增刊; 1999", 0),
        ("", "", 0),
    ],
)
def test_notes(note: str, normal: str, copies: int) -> None:
    assert (notes.normal(note), notes.of(note).copies) == (normal, copies)


def test_bindings_of_one_library_are_one_statement() -> None:
    bound = ["1-6合订本; 1998", "7-12合订本; 1998", "1999年1-12期(合订本); ×2", "Ask at the desk"]
    assert write(notes.united(bound)) == "1998-1999:no.1-12"
    assert notes.copies(bound) == 5
