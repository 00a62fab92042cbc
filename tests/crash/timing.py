"""
The settings of a crash test: the same rules as in production, with shorter times.
"""

from __future__ import annotations

from adapters.settings import Settings, read_settings

# Tests let Cal.com fail more than any breaker bears; those that are about breakers have one of their own.
NO_BREAKER = {"calcom": {"failure_threshold": 1_000_000, "minimum_calls": 1_000_000}}
SHORT = {
    "circuits": NO_BREAKER,
    "circuit_drain_per_second": 1000,
    # A probe would take the faults that are meant for what a test does.
    "health_probing": False,
    "calcom_send_seconds": 0.4,
    "calcom_attempt_seconds": 0.5,
    "calcom_total_seconds": 2,
    "calcom_key_rest_seconds": 0.3,
    "calcom_visibility_seconds": 0.4,
    "calcom_look_seconds": "0.05,0.15,0.3",
    "calcom_horizon_seconds": 2.5,
    "lease_seconds": 1.2,
    "retry_first_seconds": 0.05,
    "retry_cap_seconds": 0.4,
    "follow_seconds": 0.1,
    "calcom_api_key": "cal_crash",
    "log_level": "error",
}


def short_settings(*, database_url: str, calcom_url: str, **more: object) -> Settings:
    """
    Return settings under which everything is over within seconds.
    """
    return read_settings(**{**SHORT, "database_url": database_url, "calcom_base_url": calcom_url, **more})


def unhurried(settings: Settings) -> Settings:
    """
    Return the same settings with time enough at Cal.com for what is no part of a test.
    """
    return settings.model_copy(
        update={
            "calcom_send_seconds": 60.0,
            "calcom_attempt_seconds": 60.0,
            "calcom_total_seconds": 120.0,
            "calcom_horizon_seconds": 600.0,
            "lease_seconds": 200.0,
        }
    )
