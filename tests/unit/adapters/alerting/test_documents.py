"""
How an alert looks to people, and where they find what to do.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from adapters.alerting.documents import RUNBOOKS, alert_document, runbook, summary
from adapters.alerting.figures import Figure
from domain.alert import Alert, AlertRaised, AlertRule, begin

ROOT = Path(__file__).parents[4]
NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
ALERT: Alert = begin(
    AlertRaised(
        at=NOW, rule="latency", service="calcom", occasion=2, severity="warning", value=1.25, threshold=1.0, since=NOW
    )
)


@pytest.mark.parametrize("rule", get_args(AlertRule))
def test_every_rule_has_a_sentence_and_a_chapter_in_the_runbooks(rule: AlertRule) -> None:
    chapters = {
        line.removeprefix("## ").strip().lower().replace(" ", "-")
        for line in (ROOT / RUNBOOKS).read_text().splitlines()
        if line.startswith("## ")
    }

    assert runbook(rule).removeprefix(f"{RUNBOOKS}#") in chapters
    assert summary(replace(ALERT, rule=rule))
    assert alert_document(replace(ALERT, rule=rule))["unit"]


def test_an_alert_tells_what_is_wrong_since_when_and_what_to_do() -> None:
    document = alert_document(ALERT)

    assert ("active", "Calls to calcom are slow: one in a hundred takes 1.25 s or longer.", "seconds") == (
        document["status"],
        document["summary"],
        document["unit"],
    )
    assert "docs/runbooks.md#latency" == document["runbook"]
    assert "version" not in document
    assert "cleared" == alert_document(replace(ALERT, cleared_at=NOW))["status"]


def test_what_is_over_has_no_present_figure_and_keeps_its_worst() -> None:
    over, figure = replace(ALERT, cleared_at=NOW), Figure(value=0.2, worst=7.5, judged_at=NOW)

    document = alert_document(over, figure)

    assert (None, 7.5, None) == (document["present_value"], document["worst_value"], document["judged_at"])
    assert "1.25 s" in document["summary"]
