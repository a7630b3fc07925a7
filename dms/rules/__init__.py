"""Quality rules: what is wrong with a record, how bad it is, and what of it can be mended.

A rule is a row of `catalogue/*.toml` (id, level, texts in zh and en, reference); what it looks for is a table of
definitions (`definitions/`) or a function of a content module; what mends it is a function that tells a receipt. A
profile changes levels and says what is mended on arrival. All of it is pure: a record's findings can be had again at
any time.
"""
