"""Character sets of catalogue records: tables, decoders and the judgement of which one was used. All pure.

May import `config.errors` and `protocols.marc`, nothing else of ours.
"""
