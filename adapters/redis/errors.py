"""What callers are told of Redis."""


class RedisAway(Exception):
    """Redis did not answer in time, or is left alone because it lately did not; go on without it."""
