"""
Was this seen before? Marks that are quick to find, and easily lost.

They shorten the way and decide nothing: whoever finds a mark asks the database, and so
does whoever finds none (ADR-011).
"""
