"""Roles that are processes of their own, a module each, with `play` until `stop`. Only the one that is played is
imported: each child of a node has a memory of its own.
"""
