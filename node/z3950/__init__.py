"""The Z39.50 door: a listener, sessions that know the protocol but no sockets, and the desk that does what they ask.

`session` takes APDUs and says what is to be done (pure); `desk` does it with the node's catalogue; `connection` moves
the bytes and `listener` watches over all connections. `operations` says what each operation takes.
"""
