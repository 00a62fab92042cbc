"""
Breakers in Redis, one for all processes, each operation one run of `breaker.lua` by Redis's own clock.

Whatever goes wrong is `SharedStateAway`; `adapters/breakers/fleet.py` decides what then.
"""

import secrets
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from random import random
from typing import Any, Final

import orjson
from redis.asyncio import Redis

from adapters.breakers.ports import Listener, SharedStateAway
from adapters.fair_timeout import fair_timeout
from adapters.redis.breaker_wire import commanded_document, policy_document, read_snapshot, read_transition
from domain.breaker_policy import BreakerPolicy
from domain.breaker_state import permit_id_of
from domain.breaker_words import Command, Commanded, Outcome, Permit, Refusal, Snapshot

KEYS: Final = ("state", "window", "permits", "operations", "transitions")
ANSWER_SECONDS = 0.25
"""How long a caller waits for Redis before this process decides alone."""


@cache
def script() -> str:
    """Return the script that runs in Redis."""
    return Path(__file__).with_name("breaker.lua").read_text(encoding="utf-8")


class RedisBreakers:
    """The breakers of a fleet. `instance` names this process, or its machine, when `quorum` counts instances."""

    def __init__(
        self,
        client: Redis,
        policies: Mapping[str, BreakerPolicy],
        *,
        listener: Listener,
        default: BreakerPolicy | None = None,
        instance: str = "",
        limit: float = ANSWER_SECONDS,
        chance: Callable[[], float] = random,
    ) -> None:
        self._run = client.register_script(script())
        self._documents = {name: policy_document(policy) for name, policy in policies.items()}
        self._default = policy_document(default or BreakerPolicy())
        self._listener = listener
        self._instance = instance
        self._limit = limit
        self._chance = chance

    async def acquire(
        self, name: str, *, operation: str = "call", probe: bool = True, settles: bool = False
    ) -> Permit | Refusal:
        """
        Ask for leave to call.

        Raises:
            SharedStateAway: Redis did not answer. Should it have given a permit, its lease ends it.

        """
        permit_id = permit_id_of(self._instance, secrets.token_hex(8), settles=settles)
        answer = await self._ask("acquire", name, {"permit": permit_id, "operation": operation, "probe": probe})
        if "refused" in answer:
            wait = answer.get("retry_after")
            return Refusal(name=name, reason=answer["refused"], retry_after=None if wait is None else wait / 1000)
        return Permit(name=name, id=permit_id, epoch=answer["epoch"], operation=operation, shared=True)

    async def record(self, permit: Permit, outcome: Outcome) -> None:
        """
        Give a permit back.

        Raises:
            SharedStateAway: Redis did not answer. The lease ends the permit.

        """
        said = {"permit": permit.id, "epoch": permit.epoch, "operation": permit.operation, "outcome": outcome}
        await self._ask("record", permit.name, said)

    async def snapshot(self, name: str) -> Snapshot:
        """
        Return how a breaker stands.

        Raises:
            SharedStateAway: Redis did not answer.

        """
        return read_snapshot(name, await self._ask("look", name, {}))

    async def control(self, name: str, command: Command) -> Snapshot:
        """
        Do what a person wants, for the whole fleet.

        Raises:
            SharedStateAway: Redis did not answer; it was done at once or never will be. To do it again is safe.

        """
        # What lies in wait for a Redis that sleeps must not be done when it wakes, by the clock that is asked first.
        deadline = (await self._ask("look", name, {}))["now"] + round(self._limit * 1000)
        said: dict[str, object] = {
            "action": command.action,
            "actor": command.actor,
            "reason": command.reason,
            "deadline": deadline,
        }
        if command.seconds is not None:
            said["duration"] = round(command.seconds * 1000)
        if "expired" in await self._ask("control", name, said):
            raise SharedStateAway("the command came too late")
        return await self.snapshot(name)

    async def restore(self, name: str, commanded: Commanded) -> None:
        """
        Put back a person's command that was lost; nothing is done if a later one was given, or it is still there.

        Raises:
            SharedStateAway: Redis did not answer. To do it again is safe, and so is that it is done late.

        """
        await self._ask("restore", name, commanded_document(commanded))

    async def suspect(self, name: str, *, epoch: int) -> None:
        """
        Have a breaker probed that is closed, in an epoch before this one.

        Raises:
            SharedStateAway: Redis did not answer. To do it again is safe.

        """
        await self._ask("suspect", name, {"epoch": epoch})

    async def _ask(self, operation: str, name: str, said: Mapping[str, object]) -> dict[str, Any]:
        document = orjson.dumps({**said, "chance": self._chance()})
        try:
            async with fair_timeout(self._limit):
                reply = await self._run(
                    # In braces, which is how a cluster is told to keep them together.
                    keys=[f"circuit_breaker:{{{name}}}:{key}" for key in KEYS],
                    args=[operation, self._documents.get(name, self._default), document],
                )
            found = orjson.loads(reply)
            moves = [read_transition(name, move) for move in found["moves"]]
        except Exception as error:
            # What a broken server, or a foreign value under our keys, makes the client raise has no common name.
            raise SharedStateAway(f"{type(error).__name__}: {error}") from error
        for move in moves:
            self._listener.moved(move, shared=True)
        answer: dict[str, Any] = found["answer"]
        return answer
