"""DOES (exchange): moves records and files between systems and nodes, resumably.

Never imports dms; the two meet in the catalogue. May import: catalog, protocols, config.
"""
