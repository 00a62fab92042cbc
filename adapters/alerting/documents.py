"""How an alert looks to the outside, over HTTP and on the command line alike."""

from dataclasses import asdict
from typing import Any, TypeAlias

from adapters.alerting.figures import Figure
from domain.alert import Alert, AlertRule

Document: TypeAlias = dict[str, Any]
"""What orjson writes: it knows instants and UUIDs."""

RUNBOOKS = "docs/runbooks.md"
UNITS: dict[AlertRule, str] = {
    "availability": "burn rate",
    "latency": "seconds",
    "recovery": "seconds",
    "breaker_not_closed": "seconds",
    "breaker_cascade": "breakers",
    "booking_success": "share",
    "database_errors": "calls",
    "cache_misses": "share",
    "sync_failure_spike": "sync failures",
    "slow_answers": "seconds",
    "key_rejected": "seconds",
    "full_fallback": "seconds",
}
"""What value and threshold of an alert are."""
SENTENCES: dict[AlertRule, str] = {
    "availability": "Calls to {service} fail or are refused: the error budget goes {value:.1f} times too fast.",
    "latency": "Calls to {service} are slow: one in a hundred takes {value:.2f} s or longer.",
    "recovery": "{service} has not recovered for {value:.0f} s.",
    "breaker_not_closed": "The circuit breaker of {service} has not been closed for {value:.0f} s.",
    "breaker_cascade": "{value:.0f} circuit breakers are not closed at once.",
    "booking_success": "{value:.1%} of the bookings fail for reasons that are not the customers' own.",
    "database_errors": "{value:.0f} calls to the {service} failed within five minutes.",
    "cache_misses": "{value:.1%} of the questions to the cache {service} are misses.",
    "sync_failure_spike": "{value:.0f} sync failures were found within an hour, more than is usual.",
    "slow_answers": "Our own answers are slow: one in twenty takes {value:.2f} s or longer.",
    "key_rejected": "Cal.com has rejected the API key of the company {service} for {value:.0f} s; its bookings wait.",
    "full_fallback": "Full fallback has held for {value:.0f} s; bookings wait until somebody switches it off.",
}


def alert_document(alert: Alert, figure: Figure | None = None) -> Document:
    """Return an alert; `value` and `threshold` are those of when it was raised, or changed its severity."""
    facts = asdict(alert)
    del facts["version"]
    goes_on = figure if alert.is_active else None
    return facts | {
        "status": "active" if alert.is_active else "cleared",
        "present_value": None if goes_on is None else goes_on.value,
        "worst_value": alert.value if figure is None else max(figure.worst, alert.value),
        "judged_at": None if goes_on is None else goes_on.judged_at,
        "unit": UNITS[alert.rule],
        "summary": summary(alert, figure),
        "runbook": runbook(alert.rule),
    }


def summary(alert: Alert, figure: Figure | None = None) -> str:
    """Return in a sentence what is wrong now; of what is over, or was not judged again yet, what was wrong then."""
    value = figure.value if figure is not None and alert.is_active else alert.value
    return SENTENCES[alert.rule].format(service=alert.service, value=value)


def runbook(rule: AlertRule) -> str:
    """Return where it stands what to do."""
    return f"{RUNBOOKS}#{rule.replace('_', '-')}"
