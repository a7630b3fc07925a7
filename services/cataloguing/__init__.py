"""Cataloguing: what people do to records here. For the command line and, later, the pages of librarians.

May import what services may (dms, catalog, protocols, config), no other slice.
"""
