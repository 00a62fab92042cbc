"""Random identifiers, from the operating system's randomness."""

import os
from uuid import UUID, uuid4

_SIZE = 16
_DRAWN_AT_ONCE = 256 * _SIZE


def process_id() -> UUID:
    """
    Return a new name for a process, or rather for an application that it opens.

    It is made once, and is the same wherever rows, leases or breakers say whose they are; in hexadecimal if as text.
    """
    return uuid4()


class RandomIds:
    """
    The port `Ids`.

    The system is asked for many identifiers at once, since asking is slow. For that
    reason a process must not be forked with an open application.
    """

    def __init__(self) -> None:
        self._left = b""

    def token(self) -> UUID:
        """Return a random UUID."""
        return UUID(bytes=self._draw(), version=4)

    def attempt_id(self) -> str:
        """Return 128 random bits in hexadecimal."""
        return self._draw().hex()

    def _draw(self) -> bytes:
        if not self._left:
            self._left = os.urandom(_DRAWN_AT_ONCE)
        drawn, self._left = self._left[:_SIZE], self._left[_SIZE:]
        return drawn
