"""
Decisions, the engine that performs them, and the ports they need; no I/O of their own.
"""
