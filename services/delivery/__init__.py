"""Hands records out: one merged record as MARCXML, ISO 2709, MARC-in-JSON, Dublin Core, text and display rows.

Read `render` first. Pure throughout: web, OAI-PMH, command line (later Z39.50 and SRU) call it with values and send
what comes back. May import: catalog, protocols, config.
"""
