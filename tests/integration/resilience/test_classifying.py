"""
What errors say about trying again, each raised by the library itself over a real server.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from eventsourcing.persistence import OperationalError

from adapters.resilience import classify
from adapters.resilience.classifying import Failure
from adapters.resilience.guarding import verdict
from domain.errors import AlreadyOver, AppointmentDatabaseError, CalcomBookingError, CircuitOpenError
from tests.integration.resilience import failing as f
from tests.unit.adapters.calcom.building import BOOKING_ID

PASSES, STAYS = True, False
CLIENTS = {"httpx": f.with_httpx, "aiohttp": f.with_aiohttp}


def error_of(act: Callable[[], object]) -> Exception:
    try:
        act()
    except Exception as error:  # noqa: BLE001 - any error is what is asked about
        return error
    raise AssertionError("it did not fail")


def failure_of(act: Callable[[], object]) -> Failure:
    return classify(error_of(act))


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_these_answers_pass(client: str, code: int) -> None:
    with f.answering(f.status(code, "Retry-After: 7")) as url:
        failure = failure_of(lambda: CLIENTS[client](url))

    assert Failure(kind=f"http_{code}", passing=True, retry_after=7) == failure


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("code", [400, 401, 403, 404, 422])
def test_these_answers_stay(client: str, code: int) -> None:
    with f.answering(f.status(code, "Retry-After: 7")) as url:
        failure = failure_of(lambda: CLIENTS[client](url))

    assert Failure(kind=f"http_{code}", passing=False) == failure


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("say", "kind"), [(f.silence, "timeout"), (f.reset, "connection_lost"), (f.half_an_answer, "connection_lost")]
)
def test_a_far_side_that_goes_quiet_or_away_passes(client: str, say: Callable[[object], None], kind: str) -> None:
    with f.answering(say) as url:
        assert Failure(kind=kind, passing=True) == failure_of(lambda: CLIENTS[client](url))


@pytest.mark.parametrize("client", [*CLIENTS.values(), f.with_sockets])
def test_nobody_at_the_address_passes(client: Callable[[str], None]) -> None:
    assert Failure(kind="connection_lost", passing=True) == failure_of(lambda: client(f.nobody()))


@pytest.mark.parametrize(("say", "kind"), [(f.silence, "timeout"), (f.reset, "connection_lost")])
def test_sockets_pass_alike(say: Callable[[object], None], kind: str) -> None:
    with f.answering(say) as url:
        assert Failure(kind=kind, passing=True) == failure_of(lambda: f.with_sockets(url))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_certificate_that_nobody_trusts_stays(client: str, tmp_path: Path) -> None:
    with f.self_signed(tmp_path) as url:
        error = error_of(lambda: CLIENTS[client](url))

    assert Failure(kind="certificate", passing=False) == classify(error)
    assert "failed" == verdict(error)


@pytest.mark.parametrize(
    ("act", "kind", "passing"),
    [
        (f.deadlock, "deadlock", PASSES),
        (f.serialization, "deadlock", PASSES),
        (f.lock_timeout, "timeout", PASSES),
        (f.statement_timeout, "timeout", PASSES),
        (f.pool_timeout, "connection_lost", PASSES),
        (f.pool_closed, "connection_lost", PASSES),
        (f.ended_by_an_administrator, "connection_lost", PASSES),
        (f.no_server, "connection_lost", PASSES),
        (f.sqlalchemy_pool_timeout, "timeout", PASSES),
        (f.a_query("INSERT INTO saga_due (saga_id) VALUES (NULL)"), "constraint", STAYS),
        (f.a_query("SELECT 1/0"), "data", STAYS),
        (f.a_query("SELECT * FROM nothing_like_it"), "other", STAYS),
        (f.through_sqlalchemy("SELECT * FROM nothing_like_it"), "other", STAYS),
        (f.through_sqlalchemy("SELECT pg_terminate_backend(pg_backend_pid())"), "connection_lost", PASSES),
        (f.through_sqlalchemy("SET LOCAL statement_timeout = 5; SELECT pg_sleep(9)"), "timeout", PASSES),
    ],
)
def test_what_postgresql_says(postgres_url: str, act: Callable[[str], None], kind: str, passing: bool) -> None:
    assert Failure(kind=kind, passing=passing) == failure_of(lambda: act(postgres_url))


@pytest.mark.parametrize(
    ("act", "kind", "passing"),
    [
        (f.redis_gone, "connection_lost", PASSES),
        (f.redis_silent, "timeout", PASSES),
        (f.redis_read_only, "connection_lost", PASSES),
        (f.redis_password, "unauthorized", STAYS),
        (f.redis_command("LPUSH", "text", "x"), "other", STAYS),
        (f.redis_command("NONSENSE"), "other", STAYS),
    ],
)
def test_what_redis_says(redis_url: str, act: Callable[[str], None], kind: str, passing: bool) -> None:
    assert Failure(kind=kind, passing=passing) == failure_of(lambda: act(redis_url))


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        (f.redis_password, "failed"),
        (f.redis_gone, "failed"),
        (f.redis_command("NONSENSE"), "ignored"),
    ],
)
def test_what_redis_says_of_its_health(redis_url: str, act: Callable[[str], None], outcome: str) -> None:
    assert outcome == verdict(error_of(lambda: act(redis_url)))


@pytest.mark.parametrize(
    ("act", "kind", "passing"),
    [
        (f.sqlite_busy, "timeout", PASSES),
        (f.sqlite_constraint, "constraint", STAYS),
        (f.sqlite_syntax, "other", STAYS),
        (f.broken_pipe, "connection_lost", PASSES),
        (f.no_such_host, "connection_lost", PASSES),
        (f.unreachable, "connection_lost", PASSES),
        (f.no_such_file, "other", STAYS),
    ],
)
def test_what_sqlite_and_the_system_say(tmp_path: Path, act: Callable[[Path], None], kind: str, passing: bool) -> None:
    assert Failure(kind=kind, passing=passing) == failure_of(lambda: act(tmp_path))


def test_what_wraps_an_error_says_what_that_says() -> None:
    wrapped = OperationalError("the library's own words")
    wrapped.__cause__ = ConnectionResetError("reset")

    assert Failure(kind="connection_lost", passing=True) == classify(wrapped)
    assert Failure(kind="other", passing=False) == classify(OperationalError("of nothing"))


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (CircuitOpenError("far", retry_after=3), Failure(kind="circuit_open", passing=True, retry_after=3)),
        (AppointmentDatabaseError("x", kind="deadlock"), Failure(kind="deadlock", passing=True)),
        (AppointmentDatabaseError("x", kind="constraint"), Failure(kind="constraint", passing=False)),
        (CalcomBookingError("x", status=503, transient=True), Failure(kind="CalcomBookingError", passing=True)),
        (AlreadyOver(BOOKING_ID), Failure(kind="AlreadyOver", passing=False)),
    ],
)
def test_what_our_own_errors_say(error: Exception, failure: Failure) -> None:
    assert failure == classify(error)
