"""Definitions as data: which fields, indicators, subfields and codes each format has. `tables` reads the tables."""
