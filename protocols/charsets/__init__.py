"""Character sets of catalogue records: tables, decoders and the judgement of which one was used. All pure.

May import `config.errors` and nothing else of ours.
"""
