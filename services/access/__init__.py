"""Who may do what: roles and what they permit, accounts, sessions, keys.

`policy` is pure and read first. What an actor may see is asked here, and asked again by the database (row-level
security, catalog/schema/0009), so that a forgotten filter shows nothing.
"""
