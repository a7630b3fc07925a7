"""DOES (data management): makes records better: reads, checks, matches, merges. **Read `dms/pipeline.py` first.**

Never imports exchange; the two meet in the catalogue. May import: catalog, protocols, config.
"""
