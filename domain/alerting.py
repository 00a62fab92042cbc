"""
From figures to alerts: what is raised, what is cleared, and what is left alone so that nothing flaps.

A level is reached when its value lies beyond its threshold, and left only when it lies `SLACK` below. In between an
alert stays what it is. Nothing is remembered but the alerts themselves, so any process can decide next.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.alert import Alert, AlertCleared, AlertEvent, AlertRaised, AlertRule, AlertSeverityChanged, alert_id_of
from domain.service_level import Severity

SLACK = 0.1
"""The share of a threshold by which a value must be below it before its level is left."""
_RANK: dict[Severity, int] = {"warning": 1, "critical": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A value, and the threshold beyond which it is of a severity."""

    severity: Severity
    value: float
    threshold: float

    def is_reached(self, *, held: bool) -> bool:
        """Tell whether the value is beyond the threshold or, for what is `held` already, not well below it."""
        return self.value > (self.threshold * (1.0 - SLACK) if held else self.threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment:
    """
    What one rule says of one service; without levels there is nothing to go by, and all is well.

    `since` is when it began, if that is known. While it is not `settled` an alert is not cleared, since what it is
    about was over only a moment ago.
    """

    rule: AlertRule
    service: str
    levels: tuple[Level, ...] = ()
    since: datetime | None = None
    settled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An event for an alert's stream, that counts only if the stream is still at the version it was decided at."""

    alert_id: UUID
    expected_version: int
    rule: AlertRule
    service: str
    event: AlertEvent


def decide(judgments: Sequence[Judgment], latest: Iterable[Alert], *, now: datetime) -> list[Move]:
    """Return what is to be written, given the latest alert of each rule and service, active or over."""
    known = {(one.rule, one.service): one for one in latest}
    moves = [
        move for one in judgments if (move := _next(one, known.pop((one.rule, one.service), None), now)) is not None
    ]
    # What nobody judges any more, a service that is gone, say, would stay for ever.
    return [*moves, *_forgotten(known.values(), now)]


def present(judgments: Iterable[Judgment], latest: Iterable[Alert]) -> dict[UUID, float]:
    """Return what each active alert is found at now, if there is anything to go by."""
    active = {(one.rule, one.service): one for one in latest if one.is_active}
    found = {}
    for judgment in judgments:
        alert = active.get((judgment.rule, judgment.service))
        if alert is not None and judgment.levels:
            level = _level(judgment, alert.severity) or max(judgment.levels, key=lambda one: one.value)
            found[alert.id] = level.value
    return found


def _next(judgment: Judgment, last: Alert | None, now: datetime) -> Move | None:
    active = last if last is not None and last.is_active else None
    level = _level(judgment, None if active is None else active.severity)
    if active is None:
        return None if level is None else _raise(judgment, level, occasion=1 + (last.occasion if last else 0), now=now)
    if level is None:
        worst = max((one.value for one in judgment.levels), default=None)
        return _move(active, AlertCleared(at=now, value=worst)) if judgment.settled else None
    worse = _RANK[level.severity] > _RANK[active.severity]
    if worse or (judgment.settled and level.severity != active.severity):
        changed = AlertSeverityChanged(at=now, severity=level.severity, value=level.value, threshold=level.threshold)
        return _move(active, changed)
    return None


def _level(judgment: Judgment, active: Severity | None) -> Level | None:
    """Return the gravest level that is reached, and of those the one that lies furthest beyond its threshold."""
    held = 0 if active is None else _RANK[active]
    reached = [one for one in judgment.levels if one.is_reached(held=_RANK[one.severity] <= held)]
    return max(reached, key=lambda one: (_RANK[one.severity], one.value / one.threshold), default=None)


def _raise(judgment: Judgment, level: Level, *, occasion: int, now: datetime) -> Move:
    raised = AlertRaised(
        at=now,
        rule=judgment.rule,
        service=judgment.service,
        occasion=occasion,
        severity=level.severity,
        value=level.value,
        threshold=level.threshold,
        since=judgment.since or now,
    )
    return Move(
        alert_id=alert_id_of(judgment.rule, judgment.service, occasion),
        expected_version=0,
        rule=judgment.rule,
        service=judgment.service,
        event=raised,
    )


def _forgotten(alerts: Iterable[Alert], now: datetime) -> Iterator[Move]:
    for one in alerts:
        if one.is_active:
            yield _move(one, AlertCleared(at=now, value=None))


def _move(alert: Alert, event: AlertEvent) -> Move:
    return Move(alert_id=alert.id, expected_version=alert.version, rule=alert.rule, service=alert.service, event=event)
