"""Matching: facts become features, a signature and keys; pairs that share a key are judged; joins become clusters.

Everything here is pure. Read volume, titles, people, editions and companions for how fields are read, then pair,
vetoes and decide for the decision, then union. Words and weights stand in the TOML files beside the modules.
"""
