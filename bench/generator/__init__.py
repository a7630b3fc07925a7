"""Makes records with known truth: which of them describe one manifestation, in spite of what libraries do to them.

Read `corpus` first: it asks `works` for families of manifestations (a set and its volumes, editions, a print book and
its e-book …), deals copies to libraries, lets `variation` write each one a little differently, and has `cnmarc` or
`marc21` render it in the library's own habits (`tables/habits.toml`). The same seed gives the same bytes on every
machine and every Python: the only source of chance is `draw`. The words are our own (`tables`); the books are invented.
"""
