"""
What can befall a call to Cal.com, by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

WRITES: Final = ("create", "cancel", "reschedule")
READS: Final = ("get", "list")
_OF_ANY_CALL: Final[Mapping[str, Mapping[str, Any]]] = {
    "fails": {"kind": "error_before_commit"},
    "is lost": {"kind": "drop_before_commit"},
    "is one too many": {"kind": "rate_limited"},
}
_OF_A_WRITE: Final[Mapping[str, Mapping[str, Any]]] = {
    "is done, and fails": {"kind": "error_after_commit"},
    "is done, and its answer is lost": {"kind": "drop_after_commit"},
    "is done, and its answer is too late": {"kind": "delay", "moment": "after", "seconds": 8.0},
    "is done, and its answer is unreadable": {"kind": "unreadable_2xx"},
    "is done late": {"kind": "late_commit", "seconds": 4.0},
    "is done when nobody expects it any more": {"kind": "late_commit", "seconds": 45.0},
    "is done after its sender has given up": {"kind": "late_commit_timeout", "seconds": 7.0},
}
MISFORTUNES: Final[Mapping[str, Mapping[str, Any]]] = {
    **{f"the next {call} {what}": {**it, "operation": call} for call in WRITES for what, it in _OF_A_WRITE.items()},
    **{f"the next {call} {what}": {**it, "operation": call} for call in WRITES for what, it in _OF_ANY_CALL.items()},
    **{f"the next {call} {what}": {**it, "operation": call} for call in READS for what, it in _OF_ANY_CALL.items()},
    "the next booking is not in the list yet": {"kind": "list_lag", "operation": "create", "seconds": 10.0},
    "the next move is not in the list yet": {"kind": "list_lag", "operation": "reschedule", "seconds": 10.0},
}
