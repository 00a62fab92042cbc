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

    `value` and `threshold`, in `unit`, are those of when it was raised or last changed its severity; `since` is when it
    began, as far as is known. `runbook` says where it stands what to do.
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
    unit: str
    since: datetime
    raised_at: datetime
    updated_at: datetime
    cleared_at: datetime | None
    runbook: str


class AlertList(BaseModel):
    """Alerts, the active ones first, then the newest."""

    alerts: list[Alert]
