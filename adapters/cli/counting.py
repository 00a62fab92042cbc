"""How many of something there are, as people say it."""


def counted(number: int, noun: str) -> str:
    """Return a number and its noun, whose plural is a plain one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
