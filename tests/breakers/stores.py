"""
A breaker at a time that the test sets, wherever it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from redis.asyncio import Redis

from adapters.breakers.local import LocalBreakers
from adapters.redis.breakers import RedisBreakers
from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Action, Command, Outcome, Permit, Refusal, Snapshot
from tests.breakers.listening import Heard

CLOCK = "redis.call('TIME')"
TEST_CLOCK = "(function() local s, u = redis.call('GET', 'test:clock'):match('(%d+) (%d+)') return {s, u} end)()"
BEGAN = 1_800_000_000.0


async def set_redis_clock(client: Redis, now: float) -> None:
    """
    Set the clock that a script with TEST_CLOCK in the place of CLOCK reads.
    """
    await client.set("test:clock", f"{int(now)} {round(now % 1 * 1_000_000)}")


@dataclass
class Bench:
    """
    Several processes, of instances with these names, and one breaker of theirs.
    """

    client: Redis | None
    now: float = BEGAN
    policy: BreakerPolicy = field(default_factory=BreakerPolicy)
    heard: Heard = field(default_factory=Heard)
    made: dict[str, LocalBreakers | RedisBreakers] = field(default_factory=dict)

    def breakers(self, instance: str = "a") -> LocalBreakers | RedisBreakers:
        """
        Return what a process of an instance asks; with one process's own breakers, that is always the same one.
        """
        if self.client is None:
            if not self.made:
                self.made["only"] = LocalBreakers(
                    {"x": self.policy}, listener=self.heard, clock=lambda: self.now, chance=lambda: 0.0
                )
            self.made["only"]._instance = instance
            return self.made["only"]
        if instance not in self.made:
            self.made[instance] = RedisBreakers(
                self.client, {"x": self.policy}, listener=self.heard, instance=instance, limit=30, chance=lambda: 0.0
            )
        return self.made[instance]

    async def wait(self, seconds: float) -> None:
        self.now += seconds
        if self.client is not None:
            await set_redis_clock(self.client, self.now)

    async def ask(self, instance: str = "a", *, probe: bool = True, settles: bool = False) -> Permit | Refusal:
        return await self.breakers(instance).acquire("x", probe=probe, settles=settles)

    async def granted(self, instance: str = "a") -> Permit:
        answer = await self.ask(instance)
        assert isinstance(answer, Permit)
        return answer

    async def refused(self, instance: str = "a", *, probe: bool = True, settles: bool = False) -> Refusal:
        answer = await self.ask(instance, probe=probe, settles=settles)
        assert isinstance(answer, Refusal)
        return answer

    async def say(self, permit: Permit, outcome: Outcome) -> None:
        await self.breakers().record(permit, outcome)

    async def call(self, outcome: Outcome, times: int = 1, *, instance: str = "a") -> None:
        for _ in range(times):
            await self.say(await self.granted(instance), outcome)

    async def look(self) -> Snapshot:
        return await self.breakers().snapshot("x")

    async def order(self, action: Action, seconds: float | None = None) -> Snapshot:
        command = Command(action=action, actor="ann", reason="maintenance", seconds=seconds)
        return await self.breakers().control("x", command)

    async def open(self) -> None:
        await self.call("failed", 5)
        assert "open" == (await self.look()).state


def local_bench() -> Bench:
    return Bench(client=None)


async def redis_bench(client: Redis) -> Bench:
    bench = Bench(client=client)
    await bench.wait(0)
    return bench
