"""Of a cancel that waits: Cal.com is not to be asked now."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomCancelDeferred:
    """Cal.com cannot be asked now to cancel this uid, which is no failure; it is asked from `until` on."""

    TOPIC: ClassVar[str] = "booking.calcom-cancel-deferred.v1"
    at: datetime
    uid: str
    until: datetime
    reason: str
