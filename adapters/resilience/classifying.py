"""
What an error says about trying again (M11), whichever library raised it.

Passing is what the same call may not meet a second later: a time-out, a connection that was reset or refused, 408,
429 and 5xx, a deadlock, a lock that was not to be had in time. Everything else stays as it is, however often it is
tried.
"""

import asyncio
import errno
import socket
import sqlite3
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import aiohttp
import httpx
import psycopg
import redis.exceptions as redis_errors
import sqlalchemy.exc as sqlalchemy_errors
from eventsourcing.persistence import PersistenceError

from adapters.resilience.bulkhead import BulkheadFull
from adapters.resilience.database_failures import PASSING, postgres_kind, sqlite_kind
from adapters.resilience.http_answers import asked_wait, is_passing
from domain.errors import AppointmentDatabaseError, AppointmentError, CircuitOpenError, DatabaseKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """
    What went wrong, whether it may pass, and for how many seconds the far side asked to wait.

    `kind` is one of ours (`timeout`, `connection_lost`, `deadlock`, `constraint`, `data`, `other` …) or `http_STATUS`.
    """

    kind: str
    passing: bool
    retry_after: float | None = None


_TIMEOUT: Final = Failure(kind="timeout", passing=True)
_LOST: Final = Failure(kind="connection_lost", passing=True)
_OTHER: Final = Failure(kind="other", passing=False)
_NETWORK: Final = frozenset(
    {
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETRESET,
        errno.ENETUNREACH,
        errno.ENOTCONN,
        errno.EAGAIN,
    }
)


def classify(error: BaseException) -> Failure:
    """Return what an error says; one that only wraps another says what that says."""
    for kinds, read in _READERS:
        if isinstance(error, kinds):
            return read(error)
    return _OTHER


def _of_a_database(kind: DatabaseKind) -> Failure:
    return Failure(kind=kind, passing=kind in PASSING)


def _ours(error: BaseException) -> Failure:
    match error:
        case CircuitOpenError():
            return Failure(kind="circuit_open", passing=True, retry_after=error.retry_after)
        case AppointmentDatabaseError():
            return _of_a_database(error.kind)
        case _:
            return Failure(kind=type(error).__name__, passing=getattr(error, "retryable", False))


def _status(error: BaseException) -> Failure:
    if isinstance(error, httpx.HTTPStatusError):
        return _answer(error.response.status_code, dict(error.response.headers))
    assert isinstance(error, aiohttp.ClientResponseError)  # noqa: S101 - registered for these two
    return _answer(error.status, dict(error.headers or {}))


def _answer(status: int, headers: dict[str, str]) -> Failure:
    passing = is_passing(status)
    return Failure(kind=f"http_{status}", passing=passing, retry_after=asked_wait(headers) if passing else None)


def _connection(error: BaseException) -> Failure:
    # A certificate that is not trusted looks like any other failure to connect.
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Failure(kind="certificate", passing=False)
        cause = cause.__cause__ or cause.__context__
    return _LOST


def _wrapped(error: BaseException) -> Failure:
    inner = getattr(error, "orig", None) or error.__cause__
    return _OTHER if inner is None else classify(inner)


def _redis(error: BaseException) -> Failure:
    match error:
        case redis_errors.AuthenticationError() | redis_errors.AuthorizationError():
            return Failure(kind="unauthorized", passing=False)
        case redis_errors.TimeoutError():
            return _TIMEOUT
        case redis_errors.ConnectionError():
            return _LOST
        case redis_errors.ReadOnlyError() | redis_errors.TryAgainError() | redis_errors.ClusterDownError():
            # A replica that was the primary a moment ago.
            return _LOST
        case _:
            return _OTHER


def _system(error: BaseException) -> Failure:
    match error:
        case TimeoutError():
            return _TIMEOUT
        case ssl.SSLError() if not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return Failure(kind="tls", passing=False)
        case ConnectionError() | socket.gaierror() | ssl.SSLError():
            return _LOST
        case OSError(errno=number) if number in _NETWORK:
            return _LOST
        case _:
            return _OTHER


_READERS: Final[tuple[tuple[tuple[type[BaseException], ...], Callable[[BaseException], Failure]], ...]] = (
    ((AppointmentError,), _ours),
    ((BulkheadFull,), lambda _: Failure(kind="bulkhead_full", passing=True)),
    ((httpx.HTTPStatusError, aiohttp.ClientResponseError), _status),
    ((httpx.TimeoutException, aiohttp.ServerTimeoutError, sqlalchemy_errors.TimeoutError), lambda _: _TIMEOUT),
    ((httpx.NetworkError, httpx.ProxyError, httpx.RemoteProtocolError), _connection),
    ((aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, asyncio.IncompleteReadError), _connection),
    ((redis_errors.RedisError,), _redis),
    ((psycopg.Error,), lambda error: _of_a_database(postgres_kind(error))),
    ((sqlite3.Error,), lambda error: _of_a_database(sqlite_kind(error))),
    ((sqlalchemy_errors.SQLAlchemyError, PersistenceError), _wrapped),
    ((OSError,), _system),
)
"""The first that fits counts."""
