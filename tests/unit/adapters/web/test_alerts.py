"""
Alerts, over HTTP.
"""

from __future__ import annotations

import httpx
import pytest

from adapters.alerting.figures import Figure
from domain.alert import AlertRaised, begin
from tests.unit.adapters.web.conftest import connect
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.given import NOW

RAISED = AlertRaised(
    at=NOW,
    rule="breaker_not_closed",
    service="calcom",
    occasion=1,
    severity="critical",
    value=130.0,
    threshold=120.0,
    since=NOW,
)


async def test_alerts_are_listed_with_their_runbooks() -> None:
    backend = FakeBackend()
    backend.alerts.alerts.append(begin(RAISED))

    async with connect(backend) as asking:
        (alert,) = (await asking.get("/api/resilience/alerts?status=active&limit=3")).json()["alerts"]

    assert ("critical", "active", "calcom", None) == tuple(
        alert[name] for name in ("severity", "status", "service", "cleared_at")
    )
    assert alert["runbook"].endswith("#breaker-not-closed")
    assert [("active", 3)] == backend.alerts.asked
    assert (130.0, None, 130.0, None) == tuple(
        alert[name] for name in ("value", "present_value", "worst_value", "judged_at")
    )


async def test_an_alert_tells_its_present_figure_and_its_worst_beside_that_of_its_raise() -> None:
    backend, alert = FakeBackend(), begin(RAISED)
    backend.alerts.alerts.append(alert)
    backend.alerts.figures[alert.id] = Figure(value=150.0, worst=900.0, judged_at=NOW)

    async with connect(backend) as asking:
        (told,) = (await asking.get("/api/resilience/alerts")).json()["alerts"]

    assert (130.0, 150.0, 900.0) == (told["value"], told["present_value"], told["worst_value"])
    assert told["judged_at"] is not None
    assert "150 s" in told["summary"]


@pytest.mark.parametrize("asked", ["status=over", "limit=0", "limit=201", "state=active"])
async def test_what_no_alert_can_match_is_refused(client: httpx.AsyncClient, asked: str) -> None:
    answer = await client.get(f"/api/resilience/alerts?{asked}")

    assert (422, [asked.partition("=")[0]]) == (answer.status_code, [one["field"] for one in answer.json()["errors"]])
