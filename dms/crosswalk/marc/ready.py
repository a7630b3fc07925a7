"""The crosswalks between MARC formats, read when this is imported: before processes are forked that use them (pure)."""

from __future__ import annotations

from dms.crosswalk.marc import convert, table

CROSSWALKS = ("cnmarc_marc21", "marc21_cnmarc")

for _name in CROSSWALKS:
    table.table(_name)
    convert.crosswalk(_name)
