"""
What was read a moment ago, so that it need not be read again: in this process and, where it may be shared, in Redis.

A cache decides nothing. Whoever reads from it must be able to live with what was true
a moment ago, or has to say what is current (ADR-012).
"""
