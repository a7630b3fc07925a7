"""Copy cataloguing: other catalogues are asked, the best record is chosen, and becomes one of the library's own.

`asking` is what any protocol to a target gives; `lines` keeps connections and spares targets that don't answer;
`metasearch` asks many at once. `queries` reads what a person types, `candidates` what came, `choosing` says which is
best and why, `taking` makes it a record of the library. May import what services may, no other slice.
"""
