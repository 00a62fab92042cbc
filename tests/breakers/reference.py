"""
A breaker told a third time, as slowly and plainly as can be: it forgets nothing, and counts anew whenever it is asked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Command


@dataclass
class Call:
    """
    A call that was let through; `outcome` stays empty while nobody has said anything.
    """

    instance: str
    epoch: int
    began: float
    ended: float = 0.0
    outcome: str = ""
    counted: bool = False
    settles: bool = False


@dataclass
class Reference:
    policy: BreakerPolicy
    state: str = "closed"
    epoch: int = 0
    since: float = 0.0
    until: float | None = None
    held_by: tuple[str, float | None] | None = None
    commanded_at: float = 0.0
    window_began_with: int = 0
    calls: list[Call] = field(default_factory=list)
    ended: list[Call] = field(default_factory=list)
    history: list[tuple[str, str, str, float, int, int, int]] = field(default_factory=list)

    def acquire(
        self, instance: str, *, now: float, chance: float, probe: bool, settles: bool
    ) -> Call | tuple[str, float | None]:
        self._time_passes(now, chance)
        if probe and self.state == "open" and self.until is not None and now >= self.until:
            self._go("half_open", "probe_due", now)
        if not self._lets_through(probe, settles):
            return self._why_not(now)
        self.calls.append(Call(instance, self.epoch, now, settles=settles))
        return self.calls[-1]

    def record(self, call: Call, outcome: str, *, now: float, chance: float) -> bool:
        self._time_passes(now, chance)
        if call not in self._under_way():
            return False
        call.ended, call.outcome = now, outcome
        if outcome != "ignored" and self._holds() != "close":
            self._count([call], now, chance)
        return True

    def control(self, command: Command, *, now: float, chance: float) -> None:
        self._time_passes(now, chance)
        self.commanded_at = max(now, self.commanded_at + 0.001)
        self._obey(command, "manual", now)

    def restore(self, command: Command, at: float, *, now: float, chance: float) -> None:
        """
        Hear of a command that was given at an instant.
        """
        self._time_passes(now, chance)
        if at <= self.commanded_at:
            return
        self.commanded_at = at
        ends = None if command.seconds is None else at + command.seconds
        if command.action == "reset" or (ends is not None and ends <= now):
            if self.held_by is not None:
                self._obey(Command(action="reset", actor=command.actor, reason=command.reason), "restored", now)
        else:
            left = None if ends is None else ends - now
            self._obey(
                Command(action=command.action, actor=command.actor, reason=command.reason, seconds=left),
                "restored",
                now,
            )

    def _obey(self, command: Command, cause: str, now: float) -> None:
        forgets = command.action in {"close", "reset"} or (command.action == "observe" and self.state != "closed")
        until = None if command.seconds is None else now + command.seconds
        self._go("open" if command.action == "open" else "closed", cause, now, until=until)
        if command.action == "reset":
            self.history.append(("", "", "reset", now, 0, 0, 0))
        else:
            self.held_by = (command.action, until)
        if forgets:
            self.window_began_with = len(self.ended)

    def look(self, *, now: float, chance: float) -> dict[str, object]:
        self._time_passes(now, chance)
        window = self._window(now)
        failures = sum(call.outcome != "succeeded" for call in window)
        return {
            "state": self.state,
            "epoch": self.epoch,
            "failures": failures,
            "successes": len(window) - failures,
            "slow": sum(self._was_slow(call) for call in window),
            "under_way": len(self._under_way()),
            "half_open_quota": self._quota() if self.state == "half_open" else self.policy.half_open_quota,
            "failed_probes": self._failed_probes(),
            "override": self._holds(),
            "would_open": self._what_opens(now) if self.state == "closed" else None,
        }

    def moves(self) -> list[tuple[str, str, str, float, int, int, int]]:
        return [move for move in self.history if move[0]]

    def moments(self) -> list[float]:
        policy = self.policy
        found = [self.since + policy.stable_seconds, self.since + policy.half_open_limit_seconds]
        found += [at for at in (self.until, self.held_by and self.held_by[1]) if at is not None]
        for call in self._under_way():
            found += [call.began + policy.slow_seconds, call.began + policy.lease_seconds]
        return found

    def _time_passes(self, now: float, chance: float) -> None:
        if self.held_by is not None and self.held_by[1] is not None and self.held_by[1] <= now:
            action, until = self.held_by[0], self.held_by[1]
            self.held_by = None
            self._go("open" if action == "open" else "closed", "override_expired", until, until=until)
        lost = [call for call in self.calls if self._is_lost(call, now)]
        for call in lost:
            call.ended, call.outcome = now, "lost"
        if lost and self.policy.lost == "failed" and self._holds() != "close":
            self._count(lost, now, chance)
        limit = self.since + self.policy.half_open_limit_seconds
        if self.state == "half_open" and now >= limit:
            self._open("no_verdict", limit, chance)
        if any(now - call.began > self.policy.slow_seconds for call in self._under_way()):
            self._open_if_bad(now, chance)

    def _is_lost(self, call: Call, now: float) -> bool:
        return not call.outcome and call.epoch == self.epoch and now >= call.began + self.policy.lease_seconds

    def _under_way(self) -> list[Call]:
        return [call for call in self.calls if call.epoch == self.epoch and not call.outcome]

    def _holds(self) -> str | None:
        return None if self.held_by is None else self.held_by[0]

    def _count(self, calls: list[Call], now: float, chance: float) -> None:
        self.ended += calls
        for call in calls:
            call.counted = True
        if self.state == "closed":
            self._open_if_bad(now, chance)
        elif any(call.outcome != "succeeded" or self._was_slow(call) for call in calls):
            self.history.append(("", "", "failed", now, 0, 0, 0))
            self._open("probe_failed", now, chance)
        elif len(self._succeeded()) == self.policy.success_threshold:
            self._go("closed", "probes_succeeded", now)
            self.window_began_with = len(self.ended)

    def _succeeded(self) -> list[Call]:
        return [call for call in self.calls if call.epoch == self.epoch and call.counted and not call.settles]

    def _was_slow(self, call: Call) -> bool:
        return call.outcome != "lost" and call.ended - call.began > self.policy.slow_seconds

    def _window(self, now: float) -> list[Call]:
        length = self.policy.window_seconds / self.policy.buckets
        return [
            call
            for call in self.ended[self.window_began_with :]
            if now // length - call.ended // length <= self.policy.buckets
        ]

    def _what_opens(self, now: float) -> str | None:
        window, policy = self._window(now), self.policy
        hanging = [call for call in self._under_way() if now - call.began > policy.slow_seconds]
        failed = [call for call in window if call.outcome != "succeeded"]
        slow = [call for call in window if self._was_slow(call)]
        surplus = self._surplus(failed)
        seen, bad = len(window) - surplus, len(failed) - surplus
        if seen < policy.rate_from and bad >= policy.failure_threshold:
            return "failures"
        if seen >= policy.minimum_calls and bad / seen >= policy.failure_rate:
            return "failure_rate"
        surplus = self._surplus([*slow, *hanging])
        seen, bad = len(window) + len(hanging) - surplus, len(slow) + len(hanging) - surplus
        if seen >= policy.minimum_calls and bad / seen >= policy.slow_rate:
            return "slow_calls"
        return None

    def _surplus(self, calls: list[Call]) -> int:
        """
        Take one call of each instance as long as a quorum of them has one left, and return how many are left then.
        """
        left = Counter(call.instance for call in calls)
        while len(left) >= self.policy.quorum:
            left = Counter({instance: count - 1 for instance, count in left.items() if count > 1})
        return left.total()

    def _open_if_bad(self, now: float, chance: float) -> None:
        what = self._what_opens(now)
        if what is not None and self.state == "closed" and self.held_by is None:
            if now - self.since >= self.policy.stable_seconds:
                self.history.append(("", "", "stable", now, 0, 0, 0))
            elif self.moves() and self.moves()[-1][2] == "probes_succeeded":
                self.history.append(("", "", "failed", now, 0, 0, 0))
            self._open(what, now, chance)

    def _open(self, cause: str, at: float, chance: float) -> None:
        policy, seconds = self.policy, self.policy.open_seconds
        for _ in range(self._failed_probes()):
            seconds *= policy.open_multiplier
        self._go(
            "open", cause, at, until=at + min(seconds + seconds * policy.open_jitter * chance, policy.open_cap_seconds)
        )

    def _failed_probes(self) -> int:
        marks = "".join(mark[2][:1] for mark in self.history if not mark[0])
        return len(marks) - 1 - max(marks.rfind("r"), marks.rfind("s"))

    def _go(self, state: str, cause: str, at: float, *, until: float | None = None) -> None:
        window = self._window(at)
        failed = sum(call.outcome != "succeeded" for call in window)
        slow = sum(map(self._was_slow, window))
        slow += sum(at - call.began > self.policy.slow_seconds for call in self._under_way())
        self.history.append((self.state, state, cause, at, failed, len(window), slow))
        self.state, self.since, self.epoch, self.held_by = state, at, self.epoch + 1, None
        self.until = until if state == "open" else None

    def _quota(self) -> int:
        probes = sum(not call.settles for call in self._under_way())
        return max(self.policy.half_open_quota - probes - len(self._succeeded()), 0)

    def _lets_through(self, probe: bool, settles: bool) -> bool:
        if self.state == "half_open" and settles:
            return sum(call.settles for call in self._under_way()) < self.policy.half_open_reserve
        return self.state == "closed" or (self.state == "half_open" and probe and self._quota() > 0)

    def _why_not(self, now: float) -> tuple[str, float | None]:
        if self._holds() == "open":
            return "manual", None if self.until is None else self.until - now
        if self.state == "open" and self.until is not None and self.until > now:
            return "open", self.until - now
        ends = [call.began + self.policy.lease_seconds for call in self._under_way()]
        return "half_open", min(ends, default=now + self.policy.lease_seconds) - now
