"""TOLD: what the operator told this node (settings, profile), how errors and logs are worded.

May import: the standard library only.
"""
