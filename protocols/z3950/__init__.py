"""Z39.50 (ANSI/NISO Z39.50-1995, ISO 23950): its APDUs, queries, record forms and diagnostics, without any I/O.

May import: config, protocols, the standard library, msgspec.
"""
