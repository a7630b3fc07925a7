"""SPEAKS: wire formats and encodings. Bytes and values in, values out; knows nothing about our catalogue.

May import: config, the standard library, numpy, lxml, zstandard.
"""
