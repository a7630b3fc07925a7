"""Measuring: a generator of records with known truth, and benches that run the node as a user would."""
