"""
Identifiers that look random and are the same in every run.
"""

from __future__ import annotations

import random
from uuid import UUID


class FakeIds:
    """
    Draws from a seed.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def token(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def attempt_id(self) -> str:
        return f"{self._random.getrandbits(128):032x}"
