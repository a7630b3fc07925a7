"""Finds records for people and programs: a search, its page of hits with their holding libraries, and one record.

May import: catalog, protocols, config; never another service.
"""
