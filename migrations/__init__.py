"""
The tables of the log and of the read models, in numbered steps forward.
"""
