"""
An opaque cursor: where a page ended, and for which question.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256

LONGEST_CURSOR = 300


def encode(ended_at: Sequence[str], *, question: Sequence[str | None]) -> str:
    """Return the cursor of a page that ended at a row with these sort values."""
    return urlsafe_b64encode(json.dumps([_digest(question), *ended_at]).encode()).decode().rstrip("=")


def decode(cursor: str, *, question: Sequence[str | None], length: int) -> list[str]:
    """
    Return the sort values of the row at which the page before ended.

    Raises:
        ValueError: it is no cursor, or that of another question.

    """
    if len(cursor) > LONGEST_CURSOR:
        raise ValueError("the cursor is not one that was handed out")
    try:
        found = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=="))
    except ValueError:
        raise ValueError("the cursor is not one that was handed out") from None
    if not isinstance(found, list) or len(found) != length + 1 or not all(isinstance(it, str) for it in found):
        raise ValueError("the cursor is not one that was handed out")
    if found[0] != _digest(question):
        raise ValueError("the cursor belongs to a list with other filters")
    return found[1:]


def _digest(question: Sequence[str | None]) -> str:
    return sha256(json.dumps(list(question)).encode()).hexdigest()[:16]
