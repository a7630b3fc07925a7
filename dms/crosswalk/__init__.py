"""Crosswalks: a MARC record in the elements of another format, by tables with a row an element (pure).

`rows` knows what a table may say and `crossing` applies it; `cuts` is what becomes of a field, `outlines` finds it once
for fields of one outline, `telling` has a line for every subfield. `elements` are what comes out; `mods` and `dublin`
write them as XML. The tables are named after the format and the family of the record: `mods_marc21.toml`.
"""
