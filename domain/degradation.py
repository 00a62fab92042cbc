"""
What calsaga offers while Cal.com cannot be used: the table of features, and the modes that it holds for (M13).
"""

from enum import StrEnum
from typing import Literal, TypeAlias

Mode: TypeAlias = Literal["normal", "degraded", "full_fallback"]
"""*degraded*: Cal.com fails, as this process knows it. *full_fallback*: a person has said not to use it."""


class Feature(StrEnum):
    """What somebody may want; what each is here stands in ADR-024."""

    READ = "read"
    LIST = "list"
    STAFF = "staff"
    CACHED_SLOTS = "cached_slots"
    FILTERING = "filtering"
    SORTING = "sorting"
    RECOMMENDATIONS = "recommendations"
    REAL_TIME_SLOTS = "real_time_slots"


_WITHOUT_CALCOM = frozenset({Feature.READ, Feature.LIST, Feature.STAFF, Feature.CACHED_SLOTS})


def is_feature_available(feature: Feature, mode: Mode) -> bool:
    """Tell whether a feature is offered in a mode."""
    return mode == "normal" or feature in _WITHOUT_CALCOM


def mode_of(*, full_fallback: bool, failing: bool) -> Mode:
    """Return the mode: what a person has said comes first."""
    if full_fallback:
        return "full_fallback"
    return "degraded" if failing else "normal"
