"""How a breaker looks to the outside, over HTTP and on the command line alike."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

from adapters.breakers.registry import Look
from domain.breaker_words import Override, Snapshot
from domain.dependencies import SERVICES, Dependencies
from domain.verdict import Assessment, Concern, Condition, Failures, ReasonCode
from projections.circuit_breaker_events import CircuitBreakerEvent

Document: TypeAlias = dict[str, Any]
"""What orjson writes: it knows instants."""


def breaker_documents(snapshots: Iterable[Snapshot]) -> Document:
    """Return how breakers stand, by their names; `override` is what a person has made of one."""
    return {one.name: _breaker_document(one) for one in snapshots}


def states_document(look: Look) -> Document:
    """Return how everything stands: each breaker, and what that means together."""
    known = {
        name: {**_NO_BREAKER, "state": "not_configured" if one.status == "not_configured" else "no_breaker"}
        for name, one in look.assessment.standings.items()
    }
    known |= breaker_documents(look.snapshots.values())
    return {
        "services": {name: known[name] for name in SERVICES},
        **assessment_document(look.assessment),
        "dependencies": dependencies_document(look.dependencies),
    }


def assessment_document(found: Assessment) -> Document:
    """Return the verdict, and why: of the whole, and of each service that is not healthy."""
    return {
        "verdict": found.verdict,
        "because": list(found.because),
        "statuses": {name: one.status for name, one in found.standings.items()},
        "reasons": {
            name: [asdict(reason) for reason in one.reasons] for name, one in found.standings.items() if one.reasons
        },
        "cascades": [asdict(one) for one in found.cascades],
    }


def dependencies_document(dependencies: Dependencies) -> Document:
    """Return what each service needs directly."""
    return {name: list(dependencies.of(name)) for name in SERVICES}


def kept_document(look: Look) -> Document:
    """Return what is kept of everything for later: less than there is, since it is kept every minute."""
    return {
        **assessment_document(look.assessment),
        "concerns": [asdict(one) for one in look.assessment.concerns],
        "services": {name: _kept(one) for name, one in look.snapshots.items()},
    }


def read_conditions(kept: Mapping[str, Any]) -> dict[str, Condition]:
    """Return how each service stood that was configured, by its breaker if it has one, and by its probe."""
    return {
        name: replace(
            read_condition(kept["services"][name]) if name in kept["services"] else Condition(),
            failing=_detail(kept["reasons"].get(name, []), "probe_failed"),
            failures=_failures(_detail(kept["reasons"].get(name, []), "calls_failed")),
        )
        for name, status in kept["statuses"].items()
        if status != "not_configured"
    }


def read_concerns(kept: Mapping[str, Any]) -> list[Concern]:
    """Return what was wrong with the whole; snapshots of older versions do not say."""
    return [Concern(**one) for one in kept.get("concerns", [])]


def read_condition(kept: Document) -> Condition:
    """Return how a service stood that was kept, as far as reasons need it."""
    override = kept["override"]
    return Condition(
        state=kept["state"],
        since=None if kept["since"] is None else datetime.fromisoformat(kept["since"]),
        override=None if override is None else Override(**override),
        would_open=kept["would_open"],
    )


def _detail(reasons: Iterable[Document], code: ReasonCode) -> str | None:
    return next((one["detail"] for one in reasons if one["code"] == code), None)


def _failures(told: str | None) -> Failures | None:
    severity, _, detail = (told or "").partition(": ")
    match severity:
        case "medium" | "critical":
            return Failures(severity=severity, detail=detail)
        case _:
            return None


def _kept(snapshot: Snapshot) -> Document:
    return {
        "state": snapshot.state,
        "since": None if snapshot.since is None else snapshot.since.isoformat(),
        "failures": snapshot.failures,
        "successes": snapshot.successes,
        "override": None if snapshot.override is None else asdict(snapshot.override),
        "would_open": snapshot.would_open,
        "shared": snapshot.shared,
    }


def breaker_event_document(event: CircuitBreakerEvent) -> Document:
    """Return how a breaker has moved; `actor` and `reason` are a person's."""
    return {
        "id": event.id,
        "service": event.service,
        "from": event.from_state,
        "to": event.to_state,
        "cause": event.cause,
        "reason": event.reason,
        "actor": event.actor,
        "failures": event.failures,
        "calls": event.calls,
        "slow": event.slow,
        "epoch": event.epoch,
        "shared": event.shared,
        "instance": event.instance,
        "at": event.at,
    }


def _breaker_document(snapshot: Snapshot) -> Document:
    return {
        "state": snapshot.state,
        "since": snapshot.since,
        "open_until": snapshot.open_until,
        "failures": snapshot.failures,
        "successes": snapshot.successes,
        "slow": snapshot.slow,
        "under_way": snapshot.under_way,
        "last_failure": snapshot.last_failure_at,
        "half_open_quota": snapshot.half_open_quota,
        "failed_probes": snapshot.failed_probes,
        "would_open": snapshot.would_open,
        "override": None if snapshot.override is None else _override_document(snapshot.override),
        "recent": [asdict(one) for one in snapshot.recent],
        "operations": {name: dict(counted) for name, counted in snapshot.operations.items()},
        "shared": snapshot.shared,
    }


def _override_document(override: Override) -> Document:
    expires_at = None if override.expires_at is None else datetime.fromtimestamp(override.expires_at, UTC)
    return {**asdict(override), "expires_at": expires_at}


_NO_BREAKER: Document = {
    "since": None,
    "open_until": None,
    "failures": 0,
    "successes": 0,
    "slow": 0,
    "under_way": 0,
    "last_failure": None,
    "half_open_quota": 0,
    "failed_probes": 0,
    "would_open": None,
    "override": None,
    "recent": [],
    "operations": {},
    "shared": False,
}
