"""HTTP Message Signatures (RFC 9421) with Content-Digest (RFC 9530), over messages as plain values.

`fields` reads and writes the structured fields, `message` says what a component's value is, `sign` and `verify` use
both. A verifier here demands what must be covered; RFC 9421 leaves that to the application (3.2.1), and a signature
that covers nothing verifies nothing. Pure: time, keys and nonces come from the caller.
"""
