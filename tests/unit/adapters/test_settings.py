"""
Every wrong setting stops the start: by its name, with what to do about it, and without its value.
"""

from __future__ import annotations

import pytest

from adapters.settings import BadSettings, read_settings
from domain.breaker_policy import BreakerPolicy
from domain.confidence import VoiceRule

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def problems_of(monkeypatch: pytest.MonkeyPatch, **environment: str) -> list[str]:
    for name, value in environment.items():
        monkeypatch.setenv(f"CALSAGA_{name}", value)
    with pytest.raises(BadSettings) as caught:
        read_settings()
    return [problem.removeprefix("CALSAGA_") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///hunter2.db?mode=ro"),
        ("DATABASE_URL", "sqlite://hunter2.db"),
        ("DATABASE_URL", "postgresql://hunter2:abc/"),
        ("DATABASE_URL", "postgresql://hunter2:abc/x"),
        ("DATABASE_URL", "postgresql://hunter2:99999/x"),
        ("DATABASE_URL", "postgresql://hunter2/x?no_such_option=1"),
        ("DATABASE_URL", "postgresql://hunter2%zz/x"),
        ("REDIS_URL", "hunter2"),
        ("REDIS_URL", "http://hunter2"),
        ("REDIS_URL", "redis://:hunter2@"),
        ("REDIS_URL", "redis://hunter2:0"),
        ("REDIS_URL", "redis://hunter2:99999"),
        ("REDIS_URL", "redis://hunter2:port"),
        ("REDIS_URL", "redis://hunter2/db"),
        ("REDIS_URL", "redis://hunter2/0/1"),
        ("REDIS_URL", "redis://hunter2?db=x"),
        ("REDIS_URL", "redis://hunter2?db"),
        ("REDIS_URL", "redis://hunter2?socket_timeout=1"),
        ("REDIS_URL", "redis://hunter2?decode_responses=yes"),
        ("REDIS_URL", "redis://[hunter2"),
        ("REDIS_URL", "redis://hunter2#1"),
        ("REDIS_URL", "unix://"),
        ("REDIS_URL", "unix://hunter2/redis.sock"),
        ("REDIS_SECONDS", "0"),
        ("HEALTH_PROBES", '{"calcom": {"interval_seconds": 1}}'),
        ("HEALTH_PROBES", "hunter2"),
        ("HEALTH_PROBING", "hunter2"),
        ("HEALTH_LEASE_SECONDS", "0"),
        ("HEALTH_HISTORY_DAYS", "0"),
        ("RETELL_HEALTH_URL", "https://me:hunter2@retell.test"),
        ("SMTP_HEALTH_URL", "hunter2"),
        ("SMTP_HEALTH_URL", "smtp://me:hunter2@mail.test"),
        ("SMTP_HEALTH_URL", "smtp://hunter2:0"),
        ("SMTP_HEALTH_URL", "smtp://hunter2:port"),
        ("SMTP_HEALTH_URL", "smtp://"),
        ("SMTP_HEALTH_URL", "http://hunter2"),
        ("SMTP_HEALTH_URL", "smtp://hunter2/path"),
        ("CALCOM_BASE_URL", "http://"),
        ("CALCOM_BASE_URL", "https:///hunter2"),
        ("CALCOM_BASE_URL", "https://me:hunter2@api.cal.com"),
        ("CALCOM_BASE_URL", "https://api.cal.com?hunter2"),
        ("CALCOM_BASE_URL", "http://hunter2 y"),
        ("CALCOM_BASE_URL", "http://hunter2;y"),
        ("CALCOM_BASE_URL", "http://hunter2%20y"),
        ("CALCOM_BASE_URL", "http://hunter2*"),
        ("CALCOM_BASE_URL", "http://hunter2/ y"),
        ("CALCOM_BASE_URL", "http://hunter2:99999"),
        ("CALCOM_BASE_URL", "http://hunter2:port"),
        ("CALCOM_API_KEY", "cal_hunter2\n"),
        ("CALCOM_WEBHOOK_SECRET", "hünter2"),
        ("ENCRYPTION_KEY", "hunter2"),
        ("ENCRYPTION_KEY", f"{KEY},"),
        ("ENCRYPTION_KEY", f"{KEY},hunter2"),
        ("ENCRYPTION_KEY", "hünter2"),
        ("DEFAULT_COMPANY", "hunter2 "),
        ("CALCOM_LOOK_SECONDS", "3,3"),
        ("CALCOM_LOOK_SECONDS", "3,1"),
        ("CALCOM_LOOK_SECONDS", "1,1.0000001"),
        ("CALCOM_LOOK_SECONDS", "1,,3"),
        ("RETRY_FIRST_SECONDS", "1000"),
        ("DATABASE_POOL_MIN", "5"),
        ("REDIS_POOL_MIN", "65"),
        ("LEASE_SECONDS", "15"),
        ("SLO_AVAILABILITY", "1"),
        ("SLO_AVAILABILITY_CRITICAL", "0.9995"),
        ("MEASURE_SECONDS", "45"),
        ("MEASURE_SECONDS", "120"),
        ("SLO_P99_MS", "5001"),
        ("SLO_RECOVERY_SECONDS", "601"),
        ("MEASURE_SECONDS", "3601"),
        ("ALERT_SECONDS", "0"),
        ("CALCOM_HORIZON_SECONDS", "75"),
        ("CRASH_AT", "#"),
        ("CRASH_AT", "#0"),
        ("CRASH_AT", "hunter2#y"),
        ("CRASH_AT", "append.before:#1#2"),
        ("RETRY_JITTER", "nan"),
        ("VOICE_SOURCES", "phone,"),
        ("VOICE_SOURCES", "hunter2 x"),
        ("VOICE_SOURCES", "-hunter2"),
        ("VOICE_CONFIDENCE", "1.1"),
        ("VOICE_CONFIDENCE", "nan"),
        ("VOICE_CONFIDENCE", "hunter2"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = problems_of(monkeypatch, **{name: value})

    assert problem.startswith(f"{name}: ")
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "sqlite:////var/lib/calsaga.db"),
        ("DATABASE_URL", "postgresql://calsaga@db/calsaga"),
        ("DATABASE_URL", "postgresql://calsaga:p%40ss@[::1]:5432/calsaga?sslmode=require"),
        ("DATABASE_URL", "postgresql:///calsaga?host=/run/postgresql"),
        ("REDIS_URL", "redis://localhost"),
        ("REDIS_URL", "redis://:p%40ss@127.0.0.1:6379/1"),
        ("REDIS_URL", "rediss://me:secret@[::1]:6380?ssl_ca_certs=/etc/ca.pem"),
        ("REDIS_URL", "unix:///run/redis.sock?db=3"),
        ("REDIS_URL", "unix://me:secret@/run/redis.sock"),
        ("CALCOM_BASE_URL", "http://127.0.0.1:4010/"),
        ("CALCOM_BASE_URL", "http://[::1]:4010"),
        ("CALCOM_BASE_URL", "http://calcom_double:4010/v2"),
        ("CALCOM_BASE_URL", "https://bücher.example"),
        ("ENCRYPTION_KEY", f"{KEY},{KEY}"),
        ("CRASH_AT", "append.after:booking.initiated.v1"),
        ("CRASH_AT", "calcom.create.before#3"),
        ("CRASH_AT", "append.before:rows"),
        ("CRASH_AT", "#7"),
    ],
)
def test_a_right_value_is_taken(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CALSAGA_{name}", value)

    assert read_settings().policy() is not None


def test_which_voices_must_be_clear_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert VoiceRule() == read_settings().voice_rule()
    monkeypatch.setenv("CALSAGA_VOICE_SOURCES", "kiosk, robot")
    monkeypatch.setenv("CALSAGA_VOICE_CONFIDENCE", "0.75")

    assert VoiceRule(sources=frozenset({"kiosk", "robot"}), lowest=0.75) == read_settings().voice_rule()


@pytest.mark.parametrize("policy_says", ["what no check of the settings foresees"])
def test_what_the_policy_refuses_is_no_traceback(policy_says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise ValueError(policy_says)

    monkeypatch.setattr("adapters.settings.Policy", refuse)

    (problem,) = problems_of(monkeypatch)
    assert problem.endswith(policy_says)


def test_a_misspelt_name_is_refused_with_the_nearest_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ["DATABSE_URL: is no setting; did you mean CALSAGA_DATABASE_URL?"] == problems_of(
        monkeypatch, DATABSE_URL="sqlite:///x.db"
    )


@pytest.mark.parametrize("name", ["QXQXQX", "NOSUCH"])
def test_a_name_like_no_other_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [f"{name}: is no setting; unset it"] == problems_of(monkeypatch, **{name: "1"})


def test_everything_that_is_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    named = problems_of(monkeypatch, DATABSE_URL="x", LOG_LEVEL="loud", CALCOM_BASE_URL="http://")

    assert {"DATABSE_URL", "LOG_LEVEL", "CALCOM_BASE_URL"} == {problem.split(":")[0] for problem in named}


def test_contradictions_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    named = problems_of(monkeypatch, LEASE_SECONDS="1", CALCOM_LOOK_SECONDS="2,1", RETRY_FIRST_SECONDS="1000")

    assert ["LEASE_SECONDS", "CALCOM_LOOK_SECONDS", "CIRCUIT_DRAIN_PER_SECOND", "RETRY_FIRST_SECONDS"] == [
        one.split(":")[0] for one in named
    ]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("nonsense", 'must be JSON such as {"calcom": {"failure_threshold": 10}}'),
        ("[1]", 'must be JSON such as {"calcom": {"failure_threshold": 10}}'),
        ('{"calcom": 5}', 'must be JSON such as {"calcom": {"failure_threshold": 10}}'),
        ('{"calom": {}}', "there is no breaker 'calom'; there are calcom"),
        ('{"calcom": {"open_secnds": 1}}', "calcom.open_secnds is no figure of a breaker; there are failure_threshold"),
        ('{"calcom": {"open_seconds": 0}}', "calcom.open_seconds must be above 0"),
        ('{"calcom": {"open_seconds": true}}', "calcom.open_seconds must be a number"),
        ('{"calcom": {"quorum": 1.5}}', "calcom.quorum must be a whole number"),
        ('{"calcom": {"lost": 5}}', "calcom.lost must be a word"),
        ('{"calcom": {"lost": "x"}}', "calcom.lost is ignored or failed"),
        ('{"calcom": {"lease_seconds": 1}}', "calcom.lease_seconds must be above slow_seconds"),
    ],
)
def test_figures_of_breakers_that_cannot_be_meant_are_named(
    monkeypatch: pytest.MonkeyPatch, given: str, named: str
) -> None:
    (problem,) = problems_of(monkeypatch, CIRCUITS=given)

    assert problem.startswith(f"CIRCUITS: {named}")


def test_figures_of_breakers_begin_with_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALSAGA_CIRCUITS", '{"calcom": {"open_seconds": 30}}')

    settings = read_settings()

    policies = settings.breaker_policies()
    assert BreakerPolicy(open_seconds=30.0, lease_seconds=20.0) == policies["calcom"]
    quick = BreakerPolicy(window_seconds=10.0, buckets=10, open_seconds=1.0, open_cap_seconds=5.0, lease_seconds=10.0)
    assert quick == policies["database"]


def test_what_needs_what_begins_with_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALSAGA_DEPENDENCIES", '{"appointments": ["database"], "retell": []}')

    dependencies = read_settings().dependencies

    assert (("database",), (), ("database",)) == tuple(
        dependencies.of(name) for name in ("appointments", "retell", "webhooks")
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("retell", "must be JSON such as"),
        ("[]", "must be JSON such as"),
        ('{"retell": "calcom"}', 'retell: must be a list of services, such as ["calcom"]'),
        ('{"retell": ["calcm"]}', "retell: there is no service 'calcm'; there are calcom, retell, database"),
        ('{"calcom": ["retell"]}', "calcom needs itself: calcom → retell → calcom; leave one of these out"),
    ],
)
def test_what_cannot_need_what_is_named(monkeypatch: pytest.MonkeyPatch, given: str, said: str) -> None:
    (problem,) = problems_of(monkeypatch, DEPENDENCIES=given)

    assert problem.startswith(f"DEPENDENCIES: {said}")


def test_a_permit_outlasts_the_longest_call_and_the_slowest_that_is_no_failure() -> None:
    patient = read_settings(calcom_send_seconds=20, calcom_attempt_seconds=20, circuits={"calcom": {}})
    lenient = read_settings(circuits={"calcom": {"slow_seconds": 60}})

    assert (45.0, 65.0) == tuple(one.breaker_policies()["calcom"].lease_seconds for one in (patient, lenient))


def test_what_is_for_the_tests_and_what_is_empty_is_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TEST_DATABASE_URL", "LARGE", "SWEEP", "SWEEP_SEED", "CALCOM_OPENAPI"):
        monkeypatch.setenv(f"CALSAGA_{name}", "1")
    monkeypatch.setenv("CALSAGA_REDIS_URL", "")

    assert "sqlite:///calsaga.db" == read_settings().database_url


def test_the_credentials_of_redis_are_never_shown() -> None:
    settings = read_settings(redis_url="redis://me:hunter2@localhost")

    assert "hunter2" not in f"{settings!r} {settings}"
