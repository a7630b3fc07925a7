"""The outgoing door: the one way by which this program asks anything over HTTP, or connects anywhere at all.

What the operator named himself (a parent's address in a join code, a host in `http.allow`) may be on a private network,
at exactly that host and port. Every other address was learnt from somebody, and is judged strictly: nothing but the
public Internet, whatever a URL, the DNS or a redirect says. Judged is the address of each connection at the moment it
is made, because what was looked up before may be answered differently the next time.

`networks` says what kind of network an address is of, `guard` what may be connected to, `targets` reads a URL,
`inflate` unpacks bodies within limits; these are pure. `door` makes the connections, `connect` those of protocols that
aren't HTTP, and nothing else does: a contract and a test forbid it. May import: config and the standard library; yarl,
multidict, aiohttp.
"""
