"""KNOWS: records, holdings, clusters, changes, libraries, work, and the database that keeps them.

Store modules take the connection first; the caller owns the transaction. May import: protocols, config, asyncpg.
"""
