"""Times as people write them on the command line: 90s, 30m, 24h, 7d."""

import re
from datetime import timedelta

from adapters.cli.failing import Misused

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def duration(text: str, *, option: str, at_most: timedelta, said: str) -> timedelta:
    """
    Return a time as it is written; `said` is the longest one in words.

    Raises:
        Misused: it cannot be read, or is too long; the message names the option.

    """
    matched = re.fullmatch(r"([1-9]\d{0,6})([smhd])", text)
    found = None if matched is None else timedelta(seconds=int(matched[1]) * _UNITS[matched[2]])
    if found is None or found > at_most:
        message = f"{option}: must be a number with s, m, h or d, such as 24h, and {said} at most"
        raise Misused(message)
    return found
