"""CQL, the Contextual Query Language of SRU (versions 1.1 and 1.2 of the Library of Congress, 2.0 of OASIS).

`parser` makes the neutral tree of it and `writer` makes it of the tree; `contexts` are the tables of names. Pure. May
import `protocols.query` and what is below.
"""
