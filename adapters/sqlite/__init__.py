"""The log, its claims, its appointments and its due work in one SQLite file."""
