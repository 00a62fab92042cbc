"""
What is told to the read model of failures, and what it makes of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain import findings as f
from domain.findings import InconsistencyKind
from domain.person import Remark
from projections.failures import SyncFailure
from projections.sync_failures import evolve_recorded
from sagas.appending import LogEvent, Recorded
from tests.fakes.given import (
    BOOKING_ID,
    at,
    initiated,
)


def recorded(events: Sequence[LogEvent]) -> list[Recorded]:
    return [
        Recorded(
            stream_id=BOOKING_ID, version=version, event=event, append_id="x", correlation_id="c", recorded_at=at(0)
        )
        for version, event in enumerate([initiated(), *events], 1)
    ]


def after(*events: LogEvent) -> tuple[SyncFailure, ...]:
    return evolve_recorded(None, recorded(events)).failures


def only(*events: LogEvent) -> SyncFailure:
    (failure,) = after(*events)
    return failure


def found(
    kind: InconsistencyKind = "orphan",
    uid: str | None = "uid-1",
    *,
    seconds: float = 20,
    evidence: str = "seen",
    repair: f.Repair = "cancel",
) -> f.InconsistencyDetected:
    return f.InconsistencyDetected(at=at(seconds), kind=kind, uid=uid, evidence=evidence, repair=repair)


def settled(kind: InconsistencyKind = "orphan", uid: str | None = "uid-1") -> f.InconsistencyResolved:
    return f.InconsistencyResolved(at=at(40), kind=kind, uid=uid, how="moved here, too", actor="calsaga")


def asked(
    reason: str = "compensation_failed", uid: str | None = "uid-1", attempt: str = "one", *, seconds: float = 30
) -> f.ManualReviewRequested:
    return f.ManualReviewRequested(
        at=at(seconds), reason=reason, detail="Ada must not be named", attempt_id=attempt, uid=uid
    )


def answered(
    answer: f.ReviewAnswer, uid: str | None = "uid-1", attempt: str = "one", *, seconds: float = 50
) -> f.ManualReviewAnswered:
    return f.ManualReviewAnswered(
        at=at(seconds),
        answer=answer,
        actor="grace",
        person=Remark(reason=""),
        attempt_id=attempt,
        uid=uid,
        status_after="booked",
        reason_after=None,
        detail_after=None,
    )
