"""
A process that follows the log until it is ended: `follow.py URL`.
"""

from __future__ import annotations

import asyncio
import sys

from adapters.followers import Followers
from adapters.log.store import open_store


async def main(url: str) -> None:
    async with open_store(url) as store:
        await Followers(store, follow_seconds=0.05).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
