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
    when = { ind1 = "0 ", 2 = "lc|lcsh", 5 = "", x = "*" }   # indicators any of; a subfield that is one of, absent,
                                                              # there at all; `~…` a pattern that it matches
    ind = ["1", { of = 2, "0" = "1", "*" = " " }]   # a character; from the source's indicator 1 or 2; or a function's
                                                     # name with @ before it
    single = "abc"            # target codes that are not repeatable: what comes again is added to what stands there
    per = "a"                 # the field is cut into several, each beginning with one of these codes
    add = { before = "0", … } # subfields of fixed text: `add = [["2", "clc"]]` at the end, `lead` in front
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

A rule may have `by = "name"`, a function of `functions`. Subfields of an embedded field (`$1200 1$a`) have codes like
`200a`, of embedded control fields their tag. Romanised subfields (`$A` after `$a`; `$9`) make, by the same row, a twin
of the field: an 880 that is linked to it.
"""
