"""OFFERS: what people and programs use. One folder is one slice; slices don't import each other.

May import: exchange, dms, catalog, protocols, config.
"""
