"""
Facts and rules of booking: events, commands, state, value objects; the standard library alone.
"""
