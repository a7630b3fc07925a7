"""Crosswalks from one MARC format to another, by tables with a row a field and a rule a subfield (pure).

A crosswalk is a folder of TOML files, `cnmarc_marc21/*.toml`, read together. `table` reads them and says what is wrong
in them, `engine` applies them to fields, `convert` to records; `coded` does the positions of coded data, `functions`
has the few named functions that tables call. A field that no row takes, and subfields that no rule takes, are kept in
the field that `table.toml` names for what is foreign: nothing vanishes without a line in the report.

A row:

    [[row]]
    from = "200"              # tags; the first row that fits a field takes it, and after it those with `also = true`
    to = "245"                # target tag
    head = "100"              # instead of `to` for the first field of all rows that have a head, where the record has
                              # no other such field yet; ind_head are its indicators where they differ
    when = { ind1 = "0 ", 2 = "lc|lcsh", 5 = "", x = "*" }
                              # an indicator is any of; a subfield is one of, is not there, is there;
                              # also: record = "410|461" the record has such a field, without = "225" it has none,
                              # nth = "1" it is the first of its tag
    ind = ["1", { of = 2, "0" = "1", "*" = " " }]   # a character; from the source's indicator 1 or 2; or a function's
                                                     # name with @ before it
    single = "abc"            # target codes that are not repeatable: what comes again is added to what stands there
    implied = ["2", ""]       # values of the source's indicators that the target says otherwise: their loss is none
    per = "a"                 # the field is cut into several, each beginning with one of these codes
    # subfields of fixed text: `add = [["2", "clc"]]` at the end where there is no such code, `lead` in front
    take.a = "a"              # source code → target code
    take.e = "b :"            #   with the ISBD mark that closes what stands before it
    take.4 = [{ to = "4", map = "relator" }, { to = "e" }]   # the first rule that fits: a `map` that has the value,
                              # `match` a pattern, `after` target codes of which one stands before, `first` of its code
    take.b = { to = "a", mark = "," }
    take.q = { lost = "why" }
    reference = "…"           # standard and section, or "assumed"
    [[row.example]]           # the tests convert each; blank indicators are blanks
    in = "1 $a…$f…"
    out = ["245 10$a… /$c…"]  # the record is taken to have no main entry yet

A rule may have `by = "name"`, a function of `functions`, and `as = "clc/*"`, words around the value. A row may have
`copy = "abc"`, source codes that stay as they are; `order = "atx"`, of the target's subfields; `more = true`, one
subfield alone makes no field. Subfields of an embedded field (`$1200 1$a`) have codes like `200a`, of embedded control
fields their tag. Romanised subfields (`$A` after `$a`; `$9`) make, by the same row, a twin of the field: an 880 that is
linked to it.

Coded data go from positions to positions. What they make is a build, with what it is before anything is put into it:

    [[build]]
    from = "008"              # or "100$a", a subfield; "007c", one of several of a tag; "LDR"
    kinds = "b"               # of records, by the letters of `coded.kind`; none = all
    text = "…"
    always = true             # even if nothing is put into it; `trim = true`: no longer than what is

    [[position]]
    from = "105$a"            # or "008", "LDR"
    at = [0, 4]               # as slices count; none = all that there is
    to = "008/18"             # a build and where in it; or `lost = "why"`
    kinds = "b"
    map = "illustrations"     # `each = true`: of single characters; "*" in a map: what it lacks, which is told
    reference = "…"

`[control]` says what becomes of control fields that are no coded data: `003 = "024 7 $a*$2uri"`. `[merged]` names
target tags that are made one field: `040 = "abecd"`, the order of its subfields.

Of MARC 21 fields, `[[parting]]` takes the marks of ISBD off and parts values at them (`parted`); a piece behind a
mark has the code with the mark, `"b="`, where a row has a rule for it. `add = [["2", { of = 2, "0" = "lc", "*" = ""
}]]` is text by an indicator. A target code like `200a` makes an embedded field, with indicators by `[embeds]`
(`linking`). `capitals = true`: a romanised subfield, in the capital of a code, goes to the capital of where that code
goes (`pairs`). `native` names the formats of 886 $2 whose fields return (`foreign`), `back` the opposite crosswalk:
codes that it doesn't bring back are told, and so are indicators (`indicators`), but for the values that `[implied]` has
by tag: said otherwise, or nothing of what is described. `between` is the way in: any record in any dialect.
"""
