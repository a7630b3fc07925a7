"""Search: texts folded so that spellings find each other, the port, and the engine behind it.

Pure: `fold`, `grams`, `pinyin`, `headings`, `numbers`, `document`, `masks`, `tree`, and what makes a tree: `query` of
what a reader types, `fielded` of other programs' queries; `port` is what any engine is asked. `tantivy` with `asking`
and `sorting` is the engine, `lists` are the ordered lists beside it, `indexer` is the shell that follows the change
feed. The index is a cache: it can always be made again from the feed.
"""
