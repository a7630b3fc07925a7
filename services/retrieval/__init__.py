"""Result sets of searches that go on: which databases there are, what was found in them, and pages of it on demand.

Serves protocols whose clients search first and take records later. May import: catalog, protocols, config; never
another service.
"""
