"""Deciding: a person's word on what is one manifestation and what is not, with the machine's reasons beside it."""
