"""
Settings: read once at the edge, from the environment, and passed on as values.

Every name begins with `CALSAGA_`. A bad value stops the start with a message that
names it; secrets are never printed.
"""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.policy import Policy
from domain.retry import RetryPolicy

PREFIX = "CALSAGA_"
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class BadSettings(Exception):
    """Some settings cannot be used; `problems` names each variable and what to do about it."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _known_database(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgresql://")):
        msg = "must begin with sqlite:/// or postgresql://"
        raise ValueError(msg)
    return url


def _web_address(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        msg = "must begin with https:// or http://"
        raise ValueError(msg)
    return url.rstrip("/")


def _comma_separated(value: object) -> object:
    return value.split(",") if isinstance(value, str) else value


class Settings(BaseSettings):
    """
    What can be set, with its default.

    All times are in seconds unless the name says otherwise. The Cal.com key and the
    webhook secret here are those of the company `default_company`.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: Annotated[str, AfterValidator(_known_database)] = "sqlite:///calsaga.db"
    database_lock_seconds: Seconds = 10
    default_company: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] = "default"
    encryption_key: SecretStr | None = None

    calcom_base_url: Annotated[str, AfterValidator(_web_address)] = "https://api.cal.com"
    calcom_api_key: SecretStr | None = None
    calcom_webhook_secret: SecretStr | None = None
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
    calcom_reserve_share: Annotated[float, Field(ge=0, lt=1)] = 0.1

    lease_seconds: Seconds = 45
    booking_expiry_hours: Annotated[float, Field(gt=0, le=24 * 366)] = 24
    create_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    retry_count: Annotated[int, Field(ge=0, le=20)] = 3
    retry_first_seconds: Seconds = 1
    retry_multiplier: Annotated[float, Field(ge=1, le=10)] = 2
    retry_jitter: Annotated[float, Field(ge=0, lt=1)] = 0.1
    retry_cap_seconds: Seconds = 900
    inconsistent_after: Annotated[int, Field(ge=1, le=1000)] = 10
    review_after: Annotated[int, Field(ge=1, le=10_000)] = 100

    api_rate_per_second: Annotated[float, Field(gt=0, le=1_000_000)] = 100
    api_rate_burst: Annotated[int, Field(ge=1, le=1_000_000)] = 200

    worker_concurrency: Annotated[int, Field(ge=1, le=1000)] = 32
    drain_seconds: Seconds = 10
    follow_seconds: Seconds = 0.5

    crash_at: str | None = None
    crash_signal: Literal["KILL", "STOP"] = "KILL"
    crash_trace: str | None = None

    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _lease_outlasts_an_attempt(self) -> Self:
        if self.lease_seconds <= self.calcom_send_seconds + self.calcom_attempt_seconds:
            msg = f"{PREFIX}LEASE_SECONDS: must exceed {PREFIX}CALCOM_SEND_SECONDS plus {PREFIX}CALCOM_ATTEMPT_SECONDS"
            raise ValueError(msg)
        if list(self.calcom_look_seconds) != sorted(self.calcom_look_seconds) or not self.calcom_look_seconds:
            msg = f"{PREFIX}CALCOM_LOOK_SECONDS: must be growing seconds, such as 1,3,10,30,60"
            raise ValueError(msg)
        return self

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


def read_settings(**given: object) -> Settings:
    """
    Return the settings of the environment, those given taking precedence.

    Raises:
        BadSettings: with the name of every variable that is wrong; never its value.

    """
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        # The value stays out of the message: it may be a secret. So does the cause, which holds it.
        problems = tuple(_said_of(one) for one in error.errors(include_input=False, include_url=False))
        raise BadSettings(problems) from None


def _said_of(problem: ErrorDetails) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    return f"{PREFIX}{str(problem['loc'][0]).upper()}: {message}" if problem["loc"] else message
