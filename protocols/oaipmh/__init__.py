"""OAI-PMH 2.0 (Open Archives Initiative Protocol for Metadata Harvesting, 2002-06-14), the provider's half.

Read in this order: `provider` (arguments → a request value, or the protocol's error), `tokens` (where a list goes on),
`wire` (values → XML). All pure: the caller brings the clock, the key and the records. May import: config only.
"""
