"""Search: texts folded so that spellings find each other, the port, and the engine behind it.

Pure: `fold`, `pinyin`, `document`, `query`, `port`. `engine` is the only file that imports the search engine, `indexer`
the shell that follows the change feed. The index is a cache: it can always be made again from the feed.
"""
