"""
One of several processes that append at once: `append.py URL NUMBER`.
"""

from __future__ import annotations

import asyncio
import sys
from random import Random

from adapters.log.store import open_store
from tests.histories.appending import append
from tests.histories.bookings import history, wish

EACH = 50


async def main(url: str, number: int) -> None:
    async with open_store(url) as store:
        for seed in range(number * EACH, (number + 1) * EACH):
            for one in history(Random(seed), wish(seed), longest=12):
                await append(store.log, [one])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
