"""
What can befall a call to Cal.com, by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

NOTHING: Final = "nothing"
OF_ANY_CALL: Final[Mapping[str, Mapping[str, Any]]] = {
    "it fails": {"kind": "error_before_commit"},
    "it is lost": {"kind": "drop_before_commit"},
    "it is one too many": {"kind": "rate_limited"},
}
OF_A_WRITE: Final[Mapping[str, Mapping[str, Any]]] = {
    **OF_ANY_CALL,
    "it is done, and fails": {"kind": "error_after_commit"},
    "it is done, and the answer is lost": {"kind": "drop_after_commit"},
    "it is done, and the answer is too late": {"kind": "delay", "moment": "after", "seconds": 8.0},
    "it is done, and the answer is unreadable": {"kind": "unreadable_2xx"},
    "it is done late": {"kind": "late_commit", "seconds": 4.0},
    "it is done when nobody expects it any more": {"kind": "late_commit", "seconds": 45.0},
    "it is done after its sender has given up": {"kind": "late_commit_timeout", "seconds": 7.0},
}
OF_A_LISTED_WRITE: Final[Mapping[str, Mapping[str, Any]]] = {
    **OF_A_WRITE,
    "it is not in the list yet": {"kind": "list_lag", "seconds": 10.0},
}
