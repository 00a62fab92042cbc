"""
The rules for Prometheus name nothing that `/metrics` does not tell, and lead to runbooks that there are.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families

from adapters.alerting.documents import runbook
from adapters.measuring.calls import Calls
from adapters.measuring.documents import span_name
from adapters.metrics import Metrics
from domain.alert import AlertRule
from domain.alert_rules import (
    ANSWER_CRITICAL,
    ANSWER_WARNING,
    BOOKINGS_FAILED_CRITICAL,
    BOOKINGS_FAILED_WARNING,
    DATABASE_FAILURES,
    ENOUGH_FOR_PERCENTILE,
    ENOUGH_LOOKUPS,
    FALLBACK_LASTS,
    JUDGED_CACHES,
    KEY_REJECTED,
    MISSES,
)
from domain.service_level import SPANS

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "deploy/prometheus"
CALSAGAS_ALONE: dict[AlertRule, str] = {"sync_failure_spike": "what is usual is a week's, counted in the database"}
_STRING = r'"[^"]*"'
_SELECTOR = re.compile(rf"\b([a-z_]+)(?:{{((?:\w+[!=~]+{_STRING},?)*)}})?(?=[\s)\[]|$)")
_MATCHER = re.compile(r'(\w+)([!=]~?|=)"([^"]*)"')
_WORDS = {"sum", "max", "count", "by", "and", "or", "service", "operation", "le", "cache"}
"""What stands in an expression and names no metric."""


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((PLACE / "calsaga.rules.yml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def told() -> list[tuple[str, dict[str, str]]]:
    """
    Return all that is told by a process that has seen everything once.
    """
    metrics = Metrics()
    calls = Calls(metrics=metrics)
    for outcome in ("succeeded", "failed", "refused"):
        calls.called("database", "read", outcome, 0.1)
    calls.answered("GET /api/bookings", "succeeded", 0.1)
    metrics.watch_fallback(lambda: False)
    metrics.watch_rejected_keys(tuple, default="default")
    metrics.budget_spent("database", left=1.0, burn_rates={span_name(span): 0.0 for span in SPANS})
    exposition = metrics.exposition({"database": "closed"}).decode()
    samples = [sample for family in text_string_to_metric_families(exposition) for sample in family.samples]
    return [("booking_success_rate", {}), *((sample.name, dict(sample.labels)) for sample in samples)]


def fits(labels: dict[str, str], matchers: str) -> bool:
    for name, how, value in _MATCHER.findall(matchers):
        if name not in labels:
            return False
        same = re.fullmatch(value, labels[name]) is not None if how.endswith("~") else value == labels[name]
        if same == how.startswith("!"):
            return False
    return True


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule.get("alert", rule.get("record"))))
def test_rules_name_what_is_told(rule: dict[str, Any]) -> None:
    # Functions are followed by what they are given, and lists of labels are words.
    selectors = [(name, given) for name, given in _SELECTOR.findall(rule["expr"]) if name not in _WORDS]
    samples = told()

    assert selectors
    for name, matchers in selectors:
        assert any(name == metric and fits(labels, matchers) for metric, labels in samples), (name, matchers)


def test_every_alert_of_calsagas_has_a_rule_or_a_reason_to_have_none() -> None:
    leads_to = {rule["annotations"]["runbook"] for rule in rules() if "alert" in rule}

    for rule in get_args(AlertRule):
        assert (runbook(rule) in leads_to) != (rule in CALSAGAS_ALONE), rule


def test_what_was_agreed_on_is_there_and_leads_to_a_runbook() -> None:
    found = rules()
    chapters = {
        line.removeprefix("## ").lower().replace(" ", "-")
        for line in (ROOT / "docs/runbooks.md").read_text().splitlines()
        if line.startswith("## ")
    }

    assert {"booking_success_rate"} == {rule["record"] for rule in found if "record" in rule}
    assert {"BookingSuccessRateLow", "CircuitBreakerOpen"} < {rule["alert"] for rule in found if "alert" in rule}
    for rule in found:
        if "alert" in rule:
            assert rule["labels"]["severity"] in {"warning", "critical"}
            document, _, chapter = rule["annotations"]["runbook"].partition("#")
            assert ("docs/runbooks.md", True) == (document, chapter in chapters)


def test_the_figures_are_those_of_calsagas_own_alerts() -> None:
    of_alerts: dict[str, list[str]] = {}
    for rule in rules():
        of_alerts.setdefault(rule.get("alert", ""), []).append(rule["expr"])

    for share, expression in zip(
        (BOOKINGS_FAILED_WARNING, BOOKINGS_FAILED_CRITICAL), of_alerts["BookingSuccessRateLow"], strict=True
    ):
        assert f"< {1 - share:.2f}" in expression
    for seconds, expression in zip((ANSWER_WARNING, ANSWER_CRITICAL), of_alerts["SlowAnswers"], strict=True):
        assert f"> {seconds:g} and" in expression
        assert expression.endswith(f">= {ENOUGH_FOR_PERCENTILE}")
    assert {f"{KEY_REJECTED:g}s", f"{FALLBACK_LASTS / 60:g}m"} == {
        rule["for"] for rule in rules() if rule.get("alert") in {"CalcomKeyRejected", "FullFallback"}
    }
    assert of_alerts["DatabaseErrors"][0].endswith(f"> {DATABASE_FAILURES}")
    (misses,) = of_alerts["CacheMisses"]
    assert f"> {MISSES}" in misses
    assert f">= {ENOUGH_LOOKUPS}" in misses
    assert f'"{"|".join(JUDGED_CACHES)}"' in misses


def test_prometheus_is_told_where_the_rules_are() -> None:
    configured = yaml.safe_load((PLACE / "prometheus.yml").read_text())

    assert all((PLACE / name).exists() for name in configured["rule_files"])
    assert ["/metrics"] == [job["metrics_path"] for job in configured["scrape_configs"]]
