"""The forms of the answers about alerts, for `/openapi.json`."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from domain.alert import AlertRule
from domain.service_level import Severity


class Alert(BaseModel):
    """
    One occurrence of something that goes wrong, of the whole fleet.

    `value` and `threshold`, in `unit`, are those of when it was raised or last changed its severity. While it is
    active, `present_value` is what it was found at when it was last judged, at `judged_at`; both are null before.
    `worst_value` is the worst that was seen. `since` is when it began, as far as is known. `runbook` says where it
    stands what to do.
    """

    id: UUID
    rule: AlertRule
    service: str
    occasion: int
    severity: Severity
    status: Literal["active", "cleared"]
    summary: str
    value: float
    threshold: float
    present_value: float | None
    worst_value: float
    judged_at: datetime | None
    unit: str
    since: datetime
    raised_at: datetime
    updated_at: datetime
    cleared_at: datetime | None
    runbook: str


class AlertList(BaseModel):
    """Alerts, the active ones first, then the newest."""

    alerts: list[Alert]
