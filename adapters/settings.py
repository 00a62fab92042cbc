"""
Settings: read once at the edge, from the environment, and passed on as values.

Every name begins with `CALSAGA_`. A bad value stops the start with a message that
names it; secrets are never printed.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from adapters import setting_checks as check
from adapters.breakers import dependencies as service_dependencies
from adapters.breakers import policies as circuit_policies
from adapters.health import policies as probe_policies
from adapters.limits.ports import Limits, RateLimit
from domain.breaker_policy import BreakerPolicy
from domain.confidence import VoiceRule
from domain.dependencies import Dependencies
from domain.failure_detector import FailureRule
from domain.policy import Policy
from domain.retry import RetryPolicy
from domain.service_level import Objectives

PREFIX = "CALSAGA_"
TESTS = (f"{PREFIX}TEST_", f"{PREFIX}SWEEP", f"{PREFIX}LARGE", f"{PREFIX}CALCOM_OPENAPI")
"""How the names begin that mean something to the tests alone."""
Rate = Annotated[float, Field(gt=0, le=1_000_000)]
Burst = Annotated[int, Field(ge=1, le=1_000_000)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Secret = Annotated[SecretStr, AfterValidator(check.secret)]


class BadSettings(Exception):
    """Some settings cannot be used; `problems` names each variable and what to do about it."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _comma_separated(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class Settings(BaseSettings):
    """
    What can be set, with its default.

    All times are in seconds unless the name says otherwise. The Cal.com key and the
    webhook secret here are those of the company `default_company`.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: Annotated[str, AfterValidator(check.database_url)] = "sqlite:///calsaga.db"
    database_lock_seconds: Seconds | None = None
    database_pool_min: Annotated[int, Field(ge=1, le=100)] = 1
    database_pool_max: Annotated[int, Field(ge=1, le=100)] = 4
    default_company: Annotated[str, AfterValidator(check.company_id)] = "default"
    encryption_key: Annotated[SecretStr, AfterValidator(check.encryption_keys)] | None = None

    redis_url: Annotated[SecretStr, AfterValidator(check.redis_url)] | None = None
    redis_seconds: Seconds = 0.05
    redis_pool_min: Annotated[int, Field(ge=0, le=100)] = 1
    redis_pool_max: Annotated[int, Field(ge=2, le=10_000)] = 64

    calcom_base_url: Annotated[str, AfterValidator(check.web_address)] = "https://api.cal.com"
    calcom_api_key: Secret | None = None
    calcom_webhook_secret: Secret | None = None
    calcom_send_seconds: Seconds = 5
    calcom_attempt_seconds: Seconds = 10
    calcom_total_seconds: Seconds = 30
    calcom_visibility_seconds: Seconds = 60
    calcom_look_seconds: Annotated[tuple[Seconds, ...], NoDecode, BeforeValidator(_comma_separated)] = (
        1,
        3,
        10,
        30,
        60,
    )
    calcom_horizon_seconds: Seconds = 900
    calcom_connections: Annotated[int, Field(ge=1, le=1000)] = 64
    calcom_queue_seconds: Seconds = 3
    reconcile_seconds: Seconds = 300
    reconcile_calls_per_minute: Annotated[float, Field(gt=0, le=60_000)] = 20
    calcom_key_rest_seconds: Seconds = 30
    calcom_reserve_share: Annotated[float, Field(ge=0, lt=1)] = 0.1

    circuits: Annotated[circuit_policies.Given, NoDecode, PlainValidator(circuit_policies.checked)] = {}
    dependencies: Annotated[Dependencies, NoDecode, PlainValidator(service_dependencies.checked)] = Dependencies()
    resilience_keep_days: Annotated[float, Field(gt=0, le=3660)] = 30
    failure_rate: Annotated[float, Field(gt=0, le=1)] = 0.25
    failures_in_a_minute: Annotated[int, Field(ge=0, le=1_000_000)] = 3
    failure_window_seconds: Annotated[float, Field(ge=60, le=86_400)] = 300

    circuit_drain_per_second: Annotated[float, Field(gt=0, le=10_000)] = 10
    fallback_seconds: Seconds = 1

    health_probing: bool = True
    health_probes: Annotated[probe_policies.Given, NoDecode, PlainValidator(probe_policies.checked)] = {}
    health_lease_seconds: Seconds = 30
    health_history_days: Annotated[float, Field(gt=0, le=366)] = 7
    retell_health_url: Annotated[str, AfterValidator(check.web_address)] | None = None
    smtp_health_url: Annotated[str, AfterValidator(check.mail_server)] | None = None
    measure_seconds: Annotated[float, Field(gt=0, le=60), AfterValidator(check.part_of_a_minute)] = 30
    alert_seconds: Annotated[float, Field(gt=0, le=3600)] = 15
    slo_availability: Annotated[float, Field(gt=0, lt=1)] = 0.999
    slo_availability_critical: Annotated[float, Field(gt=0, lt=1)] = 0.99
    slo_p99_ms: Annotated[float, Field(gt=0, le=86_400_000)] = 1000
    slo_p99_critical_ms: Annotated[float, Field(gt=0, le=86_400_000)] = 5000
    slo_recovery_seconds: Seconds = 300
    slo_recovery_critical_seconds: Seconds = 600
    slo_period_days: Annotated[float, Field(gt=0, le=366)] = 30

    lease_seconds: Seconds = 45
    booking_expiry_hours: Annotated[float, Field(gt=0, le=24 * 366)] = 24
    create_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    retry_count: Annotated[int, Field(ge=0, le=20)] = 3
    retry_first_seconds: Seconds = 1
    retry_multiplier: Annotated[float, Field(ge=1, le=10)] = 2
    retry_jitter: Annotated[float, Field(ge=0, lt=1)] = 0.1
    retry_cap_seconds: Seconds = 900
    retry_budget_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    retry_budget_per_second: Annotated[float, Field(ge=0, le=10_000)] = 10
    inconsistent_after: Annotated[int, Field(ge=1, le=1000)] = 10
    review_after: Annotated[int, Field(ge=1, le=10_000)] = 100

    voice_sources: Annotated[
        tuple[Annotated[str, AfterValidator(check.source)], ...], NoDecode, BeforeValidator(_comma_separated)
    ] = ("phone", "voice")
    voice_confidence: Annotated[float, Field(ge=0, le=1)] = 0.6

    api_rate_per_second: Rate = 100
    api_rate_burst: Burst = 200
    api_key_rate_per_second: Rate | None = None
    api_key_rate_burst: Burst | None = None

    worker_concurrency: Annotated[int, Field(ge=1, le=1000)] = 32
    drain_seconds: Seconds = 10
    follow_seconds: Seconds = 0.5

    crash_at: Annotated[str, AfterValidator(check.crash_point)] | None = None
    crash_signal: Literal["KILL", "STOP"] = "KILL"
    crash_trace: str | None = None

    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _figures_fit_together(self) -> Self:
        problems = list(self._contradictions())
        if not problems:
            try:
                self.policy()
            except ValueError as error:
                problems.append(f"{PREFIX}… figures of leases, looks and retries: {error}")
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _contradictions(self) -> Iterator[str]:
        if self.lease_seconds <= self.calcom_send_seconds + self.calcom_attempt_seconds:
            yield f"{PREFIX}LEASE_SECONDS: must exceed {PREFIX}CALCOM_SEND_SECONDS plus {PREFIX}CALCOM_ATTEMPT_SECONDS"
        visible = self.calcom_send_seconds + self.calcom_attempt_seconds + self.calcom_visibility_seconds
        if self.calcom_horizon_seconds <= visible:
            yield (
                f"{PREFIX}CALCOM_HORIZON_SECONDS: must exceed {PREFIX}CALCOM_SEND_SECONDS plus "
                f"{PREFIX}CALCOM_ATTEMPT_SECONDS plus {PREFIX}CALCOM_VISIBILITY_SECONDS"
            )
        looks = [timedelta(seconds=seconds) for seconds in (0, *self.calcom_look_seconds)]
        if not self.calcom_look_seconds or any(later <= sooner for sooner, later in pairwise(looks)):
            yield f"{PREFIX}CALCOM_LOOK_SECONDS: must be growing seconds, such as 1,3,10,30,60"
        if self.worker_concurrency / self.circuit_drain_per_second >= self.lease_seconds:
            yield (
                f"{PREFIX}CIRCUIT_DRAIN_PER_SECOND: must be so high that {PREFIX}WORKER_CONCURRENCY sagas "
                f"have their turn within {PREFIX}LEASE_SECONDS"
            )
        if self.slo_availability_critical > self.slo_availability:
            yield f"{PREFIX}SLO_AVAILABILITY_CRITICAL: must not exceed {PREFIX}SLO_AVAILABILITY"
        if self.slo_p99_ms > self.slo_p99_critical_ms:
            yield f"{PREFIX}SLO_P99_MS: must not exceed {PREFIX}SLO_P99_CRITICAL_MS"
        if self.slo_recovery_seconds > self.slo_recovery_critical_seconds:
            yield f"{PREFIX}SLO_RECOVERY_SECONDS: must not exceed {PREFIX}SLO_RECOVERY_CRITICAL_SECONDS"
        if self.database_pool_min > self.database_pool_max:
            yield f"{PREFIX}DATABASE_POOL_MIN: must not exceed {PREFIX}DATABASE_POOL_MAX"
        if self.redis_pool_min > self.redis_pool_max:
            yield f"{PREFIX}REDIS_POOL_MIN: must not exceed {PREFIX}REDIS_POOL_MAX"
        if self.retry_first_seconds > self.retry_cap_seconds:
            yield f"{PREFIX}RETRY_FIRST_SECONDS: must not exceed {PREFIX}RETRY_CAP_SECONDS"

    def database_pool(self) -> range:
        """Return how few connections a process keeps open to read the log, and how many there may be."""
        return range(self.database_pool_min, self.database_pool_max + 1)

    def redis_pool(self) -> range:
        """Return how few connections each client of Redis opens, and how many there may be."""
        return range(self.redis_pool_min, self.redis_pool_max + 1)

    def policy(self) -> Policy:
        """Return the figures that bookings are decided by."""
        return Policy(
            send_within=timedelta(seconds=self.calcom_send_seconds),
            attempt_limit=timedelta(seconds=self.calcom_attempt_seconds),
            lease=timedelta(seconds=self.lease_seconds),
            visibility=timedelta(seconds=self.calcom_visibility_seconds),
            looks=tuple(timedelta(seconds=seconds) for seconds in self.calcom_look_seconds),
            horizon=timedelta(seconds=self.calcom_horizon_seconds),
            expiry=timedelta(hours=self.booking_expiry_hours),
            create_attempts=self.create_attempts,
            retry=RetryPolicy(
                retries=self.retry_count,
                first_delay=self.retry_first_seconds,
                multiplier=self.retry_multiplier,
                jitter=self.retry_jitter,
                cap=self.retry_cap_seconds,
            ),
            inconsistent_after=self.inconsistent_after,
            review_after=self.review_after,
        )

    def breaker_policies(self) -> Mapping[str, BreakerPolicy]:
        """Return the figures of each circuit breaker."""
        longest_call = self.calcom_send_seconds + self.calcom_attempt_seconds
        return circuit_policies.of(self.circuits, longest_calls={"calcom": longest_call})

    def failure_rule(self) -> FailureRule:
        """Return what failures say of a service."""
        return FailureRule(
            rate=self.failure_rate,
            in_a_minute=self.failures_in_a_minute,
            window=timedelta(seconds=self.failure_window_seconds),
        )

    def objectives(self) -> Objectives:
        """Return the service levels."""
        return Objectives(
            availability=self.slo_availability,
            availability_critical=self.slo_availability_critical,
            p99_seconds=self.slo_p99_ms / 1000,
            p99_critical_seconds=self.slo_p99_critical_ms / 1000,
            recovery_seconds=self.slo_recovery_seconds,
            recovery_critical_seconds=self.slo_recovery_critical_seconds,
            period=timedelta(days=self.slo_period_days),
        )

    def api_limits(self) -> Limits:
        """Return how much a company may ask for, and a key of its if that is to be less."""
        company = RateLimit(per_second=self.api_rate_per_second, burst=self.api_rate_burst)
        key = RateLimit(
            per_second=self.api_key_rate_per_second or company.per_second,
            burst=self.api_key_rate_burst or company.burst,
        )
        return {"company": company} if key == company else {"key": key, "company": company}

    def voice_rule(self) -> VoiceRule:
        """Return how sure a wish that was spoken must be."""
        return VoiceRule(sources=frozenset(self.voice_sources), lowest=self.voice_confidence)


def read_settings(**given: object) -> Settings:
    """
    Return the settings of the environment, those given taking precedence.

    Raises:
        BadSettings: with the name of every variable that is wrong; never its value.

    """
    problems = list(_misnamed())
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        # The value stays out of the message: it may be a secret. So does the cause, which holds it.
        for one in error.errors(include_input=False, include_url=False):
            problems += _said_of(one)
        raise BadSettings(tuple(problems)) from None
    if problems:
        raise BadSettings(tuple(problems))
    return settings


def _misnamed() -> Iterator[str]:
    """Name the variables that would be ignored, since whoever set them believes that they count."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    # Like the values: a variable that is empty is not set, and capitals make no difference.
    given = sorted(name for name, value in os.environ.items() if value and name.upper().startswith(PREFIX))
    for name in given:
        if name.upper() not in known and not name.upper().startswith(TESTS):
            # Without the prefix, which all of them have: with it anything would be like something.
            meant = check.nearest(name.upper().removeprefix(PREFIX), sorted(one.removeprefix(PREFIX) for one in known))
            yield f"{name}: is no setting; " + (f"did you mean {PREFIX}{meant}?" if meant else "unset it")


def _said_of(problem: ErrorDetails) -> list[str]:
    message = problem["msg"].removeprefix("Value error, ")
    return [f"{PREFIX}{str(problem['loc'][0]).upper()}: {message}"] if problem["loc"] else message.splitlines()
