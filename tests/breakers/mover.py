"""
One process of a fleet that writes how its breakers move: for every line on its standard input, one on its output.

    move TIMES     open and close the breaker so often, and tell which transitions were heard
    wait           until nothing is kept any more
With `--dies` the process kills itself when it hears of a transition, before anything could be written.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from adapters.breakers.events import BreakerEvents
from adapters.breakers.listeners import Listeners
from adapters.log.store import open_store
from adapters.redis.opening_breakers import open_breakers
from domain.breaker_moved import breaker_moved
from domain.breaker_words import Command, Transition

NAME = "calcom"


class Telling:
    """
    Says the ids of the events that are to be.
    """

    def __init__(self, instance: str, *, dies: bool) -> None:
        self.instance = instance
        self.dies = dies

    def moved(self, transition: Transition, *, shared: bool) -> None:
        print(breaker_moved(transition, instance=None if shared else self.instance).stream_id, flush=True)
        if self.dies:
            os.kill(os.getpid(), signal.SIGKILL)

    def degraded(self, reason: str) -> None:
        pass

    def recovered(self) -> None:
        pass


async def serve(database_url: str, redis_url: str, instance: str, *, dies: bool) -> None:
    loop = asyncio.get_running_loop()
    async with open_store(database_url) as store:
        events = BreakerEvents(log=store.log, clock=store.clock, instance=instance, names=[NAME], pause=0.05)
        listener = Listeners(Telling(instance, dies=dies), events)
        async with open_breakers({}, listener=listener, instance=instance, redis_url=redis_url, limit=10) as breakers:
            running = asyncio.create_task(events.run(breakers))
            print("ready", flush=True)
            while line := await loop.run_in_executor(None, sys.stdin.readline):
                match line.split():
                    case ["move", times]:
                        for number in range(int(times)):
                            action = "reset" if number % 2 else "open"
                            await breakers.control(NAME, Command(action=action, actor=instance, reason="a test"))  # type: ignore[arg-type]
                        print("done", flush=True)
            await events.finish(within=30)
            running.cancel()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("database_url")
    parser.add_argument("redis_url")
    parser.add_argument("instance")
    parser.add_argument("--dies", action="store_true")
    given = parser.parse_args()
    asyncio.run(serve(given.database_url, given.redis_url, given.instance, dies=given.dies))


if __name__ == "__main__":
    main()
