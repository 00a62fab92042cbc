"""How a breaker looks to the outside, over HTTP and on the command line alike."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeAlias

from domain.breaker_words import Override, Snapshot

Document: TypeAlias = dict[str, Any]
"""What orjson writes: it knows instants."""


def breaker_documents(snapshots: Iterable[Snapshot]) -> Document:
    """Return how breakers stand, by their names; `override` is what a person has made of one."""
    return {one.name: _breaker_document(one) for one in snapshots}


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
