"""How full fallback looks to the outside, over HTTP and on the command line alike."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, TypeAlias

from adapters.fallback.rungs import RungCounts
from adapters.fallback.switch import Standing
from domain.degradation import Feature, Mode, is_feature_available
from domain.fallback import Rung
from domain.full_fallback import FullFallbackEnded

Document: TypeAlias = dict[str, Any]
"""What orjson writes: it knows instants."""

MEANINGS: Final[dict[Feature, str]] = {
    Feature.READ: "a booking, its events and its story, from the log",
    Feature.LIST: "bookings, customers and sync failures with their filters, from the local database",
    Feature.STAFF: "services and who does them, and a choice among a staff group by what is booked here",
    Feature.CACHED_SLOTS: "what Cal.com offered within the last hour, less what is taken here",
    Feature.FILTERING: "leaving out at Cal.com whom and what it does not offer",
    Feature.SORTING: "the times that Cal.com offers by their distance from a wish",
    Feature.RECOMMENDATIONS: "other times beside a refusal because the slot is taken (`alternatives`)",
    Feature.REAL_TIME_SLOTS: "asking Cal.com for slots",
}


def standing_document(standing: Standing, mode: Mode) -> Document:
    """Return how it stands: the mode of this process, what holds for the fleet, and what ended it last."""
    held, last = standing.holds, standing.last
    return {
        "mode": mode,
        "full_fallback": None
        if held is None
        else {"actor": held.actor, "reason": held.reason, "since": held.since, "expires_at": held.expires_at},
        "last_ended": asdict(last) if isinstance(last, FullFallbackEnded) else None,
    }


def feature_documents(mode: Mode) -> Document:
    """Return the table of features, as it holds in a mode."""
    return {
        feature.value: {"available": is_feature_available(feature, mode), "meaning": MEANINGS[feature]}
        for feature in Feature
    }


def metrics_document(counts: RungCounts) -> Document:
    """Return the answers of this process by operation and rung, and the share of each rung; null without an answer."""
    operations = {operation: _shares(answers) for operation, answers in counts.answers.items()}
    return {"scope": "process", "since": counts.since, "operations": operations}


def _shares(answers: Mapping[Rung, int]) -> Document:
    total = sum(answers.values())
    rates = {rung: round(count / total, 4) if total else None for rung, count in answers.items()}
    return {"answers": total, **{str(rung): count for rung, count in answers.items()}, "rates": rates}
