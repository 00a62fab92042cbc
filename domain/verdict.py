"""
How the system stands as a whole, from how each service stands and which needs which (M10).

    healthy    nothing is known to be wrong with any service that is configured
    critical   a service that no booking can do without is unhealthy (`ESSENTIAL`), or two breakers or more keep
               calls back: a cascade
    degraded   anything else that is wrong; so is Cal.com alone, since bookings are taken and made later, and so are
               appointments that fail, since others may go well

Calls that failed lately (M12) are a reason like any other, so that a service that the failure detector calls critical
makes the whole critical only if it is essential: a Cal.com whose breaker is open does not either.

What is wrong with no service as such, but with the whole, is a *concern*, which says itself how bad it is.

A service is *unhealthy* for reasons of its own, and *affected* if nothing is wrong with it but something that it
needs is unhealthy. One that is not configured is neither, and nobody needs it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

from domain.breaker_words import Override, Snapshot, State, Trigger
from domain.dependencies import SERVICES, Dependencies

Verdict: TypeAlias = Literal["healthy", "degraded", "critical"]
Status: TypeAlias = Literal["healthy", "affected", "unhealthy", "not_configured"]
ReasonCode: TypeAlias = Literal[
    "breaker_open", "breaker_half_open", "held_closed", "probe_failed", "calls_failed", "dependency"
]

ESSENTIAL = ("database",)
"""Without it nothing is booked, and nothing is taken to be booked later."""
CASCADE = 2
"""How many breakers that keep calls back are critical, whichever they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """What the failure detector makes of a service's calls, if not *low*; `detail` says how many failed."""

    severity: Literal["medium", "critical"]
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """
    How a service stands by itself: its breaker, and in `failing` what a probe has found, in words, if it failed.

    `failures` is how bad it is that calls failed lately. `counted` is what opened the breaker, or would, in words.
    """

    state: State = "closed"
    since: datetime | None = None
    override: Override | None = None
    would_open: Trigger | None = None
    counted: str = ""
    failing: str | None = None
    failures: Failures | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """
    What makes the whole no better than `verdict`, whatever its services are.

    `detail` is for anybody, `more` for operators only: names, and what people have written.
    """

    verdict: Literal["degraded", "critical"]
    detail: str
    more: str = ""

    @property
    def said(self) -> str:
        """Return all of it in a sentence, for operators."""
        return f"{self.detail} ({self.more})" if self.more else self.detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a service is not healthy; `way` leads to what it needs, and ends at what is unhealthy."""

    code: ReasonCode
    detail: str
    way: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a service stands, and why."""

    status: Status
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """A root cause, and every service that it hits."""

    root: str
    hit: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """
    How everything stands. `because` are the sentences that make the verdict what it is.

    `roots` are the unhealthy services that need no other unhealthy one; those that hit others are cascades.
    """

    verdict: Verdict
    because: tuple[str, ...]
    standings: Mapping[str, Standing]
    roots: tuple[str, ...]
    cascades: tuple[Cascade, ...]
    concerns: tuple[Concern, ...] = ()


def condition_of(snapshot: Snapshot, *, failing: str | None = None, failures: Failures | None = None) -> Condition:
    """Return how a service stands by its breaker, by what a probe has found, if that failed, and by its calls."""
    return Condition(
        state=snapshot.state,
        since=snapshot.since,
        override=snapshot.override,
        would_open=snapshot.would_open,
        counted=_counted(snapshot),
        failing=failing,
        failures=failures,
    )


def _counted(snapshot: Snapshot) -> str:
    if snapshot.would_open is not None:
        calls = snapshot.failures + snapshot.successes
        return _because(snapshot.would_open, failures=snapshot.failures, slow=snapshot.slow, calls=calls)
    last = snapshot.recent[-1] if snapshot.recent else None
    if last is None or snapshot.state != "open" or last.after != "open":
        return ""
    return _because(last.cause, failures=last.failures, slow=last.slow, calls=last.calls)


def _because(cause: str, *, failures: int, slow: int | None, calls: int) -> str:
    """Say what a breaker counted; nothing if it was no count that opened it."""
    match cause:
        case "failures" | "failure_rate":
            return f"{cause}: {failures} of {calls} calls failed"
        case "slow_calls" if slow is not None:
            # Those under way are slow without having ended.
            return f"{cause}: {slow} calls were slow, {calls} have ended"
        case "slow_calls":
            return cause
        case _:
            return ""


def assess(
    conditions: Mapping[str, Condition], dependencies: Dependencies, *, concerns: Sequence[Concern] = ()
) -> Assessment:
    """Judge; a service without a condition is not configured."""
    # In one order, so that the same is said in the same words, whoever asks.
    conditions = {name: conditions[name] for name in SERVICES if name in conditions}
    own = {name: tuple(_own_reasons(one)) for name, one in conditions.items()}
    ways = {name: dependencies.ways_from(name, among=conditions) for name in conditions}
    causes = {name: tuple(it for it in ways[name] if own[it]) for name in conditions}
    standings = {
        name: _standing(own[name], [_inherited(ways[name][cause], own[cause]) for cause in causes[name]])
        for name in conditions
    }
    roots = tuple(name for name in conditions if own[name] and not causes[name])
    hit = {root: tuple(name for name in conditions if root in causes[name]) for root in roots}
    verdict, because = _judged(conditions, own, concerns)
    return Assessment(
        verdict=verdict,
        because=because,
        standings={name: standings.get(name, Standing(status="not_configured")) for name in SERVICES},
        roots=roots,
        cascades=tuple(Cascade(root=root, hit=those) for root, those in hit.items() if those),
        concerns=tuple(concerns),
    )


def _own_reasons(condition: Condition) -> Iterator[Reason]:
    since = "" if condition.since is None else f" since {condition.since.isoformat(timespec='seconds')}"
    held = condition.override
    match condition.state:
        case "open":
            by = "" if held is None else f", by {held.actor}: {held.reason}"
            because = f" ({condition.counted})" if condition.counted else ""
            yield Reason(code="breaker_open", detail=f"its breaker is open{since}{because}{by}")
        case "half_open":
            yield Reason(
                code="breaker_half_open", detail=f"its breaker is half-open{since}, and lets only probes through"
            )
        case _ if condition.would_open is not None and held is not None:
            why = condition.counted or condition.would_open
            detail = f"its breaker would open ({why}) but for {held.actor}, who has it {held.action}"
            yield Reason(code="held_closed", detail=detail)
    if condition.failing is not None:
        yield Reason(code="probe_failed", detail=condition.failing)
    if condition.failures is not None:
        yield Reason(code="calls_failed", detail=f"{condition.failures.severity}: {condition.failures.detail}")


def _inherited(way: tuple[str, ...], reasons: tuple[Reason, ...]) -> Reason:
    needed = ", which needs ".join(way)
    return Reason(code="dependency", detail=f"it needs {needed}: {'; '.join(it.detail for it in reasons)}", way=way)


def _standing(own: tuple[Reason, ...], inherited: list[Reason]) -> Standing:
    status: Status = "unhealthy" if own else "affected" if inherited else "healthy"
    return Standing(status=status, reasons=(*own, *inherited))


def _judged(
    conditions: Mapping[str, Condition], own: Mapping[str, tuple[Reason, ...]], concerns: Sequence[Concern]
) -> tuple[Verdict, tuple[str, ...]]:
    said = {name: f"{name}: {'; '.join(it.detail for it in reasons)}" for name, reasons in own.items() if reasons}
    critical = [one.said for one in concerns if one.verdict == "critical"]
    critical += [f"no booking can do without {said[name]}" for name in ESSENTIAL if _is_gone(conditions.get(name))]
    keeping_back = [name for name, one in conditions.items() if one.state != "closed"]
    if len(keeping_back) >= CASCADE:
        critical.append(f"{len(keeping_back)} breakers keep calls back: {', '.join(keeping_back)}")
    if critical:
        return "critical", tuple(critical)
    degraded = (*said.values(), *(one.said for one in concerns))
    return ("degraded" if degraded else "healthy"), degraded


def _is_gone(condition: Condition | None) -> bool:
    """Tell whether a service is worse than that some of its calls failed."""
    if condition is None:
        return False
    some_fail = condition.failures is not None and condition.failures.severity == "medium"
    return any(_own_reasons(replace(condition, failures=None) if some_fail else condition))
