"""
What Prometheus is told of the breakers and of webhooks.
"""

from __future__ import annotations

from typing import Final

from adapters.metrics import Metrics

SERVICE: Final = '{service="calcom"}'
BOUNDS: Final = (("1.0", 2), ("5.0", 3), ("+Inf", 4))
WEBHOOKS: Final = "calsaga_webhooks_total"


def lines(metrics: Metrics, **breakers: str) -> list[str]:
    told = metrics.exposition(breakers).decode().splitlines()  # type: ignore[arg-type]
    return [one for one in told if one.startswith("circuit_breaker") and "_created" not in one]


def test_a_breaker_is_told_as_it_stands() -> None:
    metrics = Metrics()

    told = [lines(metrics, calcom=state) for state in ("closed", "half_open", "open")]

    assert [[f"circuit_breaker_state{SERVICE} {value}"] for value in ("0.0", "1.0", "2.0")] == told


def test_its_calls_are_counted_by_what_came_of_them() -> None:
    metrics = Metrics()
    for outcome in ("refused", "refused", "succeeded", "failed", "ignored"):
        metrics.breaker_called("calcom", outcome)

    assert [
        f"circuit_breaker_open_total{SERVICE} 2.0",
        f"circuit_breaker_success_total{SERVICE} 1.0",
        f"circuit_breaker_failure_total{SERVICE} 1.0",
    ] == lines(metrics)


def test_whatever_can_become_of_a_webhook_is_served_from_the_start() -> None:
    metrics = Metrics()
    for outcome in ("ignored", "bad_signature", "bad_signature"):
        metrics.webhook(outcome)

    served = [line for line in metrics.exposition().decode().splitlines() if line.startswith(WEBHOOKS)]

    refused, at_once = {"unknown_company", "bad_signature"}, {"stored", "known", "ignored", "rejected"}
    processed = {"equal", "cancelled", "moved", "adopted", "imported", "woken", "flagged", "given_up", "cancelling"}
    told = dict.fromkeys(refused | at_once | processed | {"put_off", "failed"}, 0.0) | {
        "ignored": 1,
        "bad_signature": 2,
    }
    assert sorted(f'{WEBHOOKS}{{outcome="{outcome}"}} {float(count)}' for outcome, count in told.items()) == sorted(
        served
    )


def test_how_long_calls_took_is_told_by_service_and_operation_with_the_objectives_among_the_bounds() -> None:
    metrics = Metrics()
    for seconds in (0.02, 0.9, 4.0, 6.0):
        metrics.call_took("calcom", "create", seconds)

    told = metrics.exposition().decode()
    labels = 'operation="create",service="calcom"'
    counts = [f'calsaga_call_seconds_bucket{{le="{bound}",{labels}}} {count}.0' for bound, count in BOUNDS]
    assert all(one in told for one in counts)


def test_budgets_are_told_by_service_and_window() -> None:
    metrics = Metrics()
    metrics.budget_spent("calcom", left=0.5, burn_rates={"1h": 2.0})

    told = metrics.exposition().decode()
    assert f"calsaga_slo_error_budget_left{SERVICE} 0.5" in told
    assert 'calsaga_slo_burn_rate{service="calcom",window="1h"} 2.0' in told


def test_rejected_keys_are_counted_as_they_are_when_somebody_asks_and_no_company_is_named() -> None:
    metrics, rejected = Metrics(), set[str]()
    metrics.watch_rejected_keys(lambda: rejected, default="ours")

    def told() -> list[str]:
        served = metrics.exposition().decode().splitlines()
        return [one.removeprefix("calsaga_calcom_keys_rejected") for one in served if one.startswith("calsaga_calcom")]

    assert ['{company="default"} 0.0', '{company="other"} 0.0'] == told()
    rejected |= {"acme", "zeta", "ours"}
    assert ['{company="default"} 1.0', '{company="other"} 2.0'] == told()
