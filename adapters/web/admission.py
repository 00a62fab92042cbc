"""
Who is asking, and may they: the key decides the company and the scopes.

A key is found by its digest, so that comparing it takes the same time whatever is guessed.
"""

import asyncio
import re
from collections.abc import Mapping
from math import ceil

import structlog
from starlette.requests import Request

from adapters.directory.scopes import Scope
from adapters.limits.ports import Exceeded, Kind
from adapters.web.ports import Backend, Caller
from adapters.web.problems import MISSING_SCOPE, NOT_AUTHENTICATED, TOO_MANY_REQUESTS, UNAVAILABLE, Problem, Refused
from domain.breaker_words import Refusal as BreakerRefusal
from domain.errors import AppointmentDatabaseError

_BEARER = re.compile(r"Bearer +([!-~]{1,512})", re.IGNORECASE)
_ASKING: Mapping[Kind, str] = {"key": "this API key", "company": "this company"}
KEY_SECONDS = 1.0
"""How long the database may take to say whose key it is, before one that is remembered will do."""
_CHALLENGE = 'Bearer realm="calsaga"'


def backend_of(request: Request) -> Backend:
    """Return what the API calls."""
    backend: Backend = request.app.state.backend
    return backend


async def admit(request: Request, scope: Scope, *, reads_database: bool = True) -> Caller:
    """
    Return who is asking, if their key has the scope.

    `reads_database=False` is for what can be answered while the database is away; then a key that this process has seen
    within the last five minutes will do, or for watching (`ops:read`) within the last hour, whether its breaker is open
    already or the database just does not answer. If a person has opened it, the database is asked all the same.

    Raises:
        Refused: 401 without a valid key, 403 without the scope, 429 when it is too much; 503, at once, while the
            database's breaker is open.

    """
    if reads_database:
        _refuse_while_away(request)
    caller = await _identified(request, reads_database=reads_database)
    structlog.contextvars.bind_contextvars(company_id=caller.company_id)
    await _check_rate(request, caller)
    if scope not in caller.scopes:
        raise lacks_scope(scope)
    return caller


def lacks_scope(scope: Scope) -> Refused:
    """Return the refusal that names the scope that is missing."""
    detail = f"The API key lacks the scope {scope}; ask for one that has it."
    challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{scope}"'
    return Refused(Problem(kind=MISSING_SCOPE, detail=detail, headers={"WWW-Authenticate": challenge}))


async def _identified(request: Request, *, reads_database: bool) -> Caller:
    given = request.headers.getlist("authorization")
    if not given:
        raise _unauthenticated("Send your API key as `Authorization: Bearer <key>`.", _CHALLENGE)
    bearer = _BEARER.fullmatch(given[0].strip()) if len(given) == 1 else None
    caller = None if bearer is None else await _caller(request, bearer[1], reads_database=reads_database)
    if caller is None:
        raise _unauthenticated("The API key is unknown or revoked.", f'{_CHALLENGE}, error="invalid_token"')
    return caller


async def _caller(request: Request, key: str, *, reads_database: bool) -> Caller | None:
    keys = backend_of(request).keys
    if reads_database:
        return await keys.identify(key)
    refusal = _database_away(request)
    if refusal is None or refusal.reason == "manual":
        # Not cut off: what becomes of the question is what opens the database's breaker.
        asked = asyncio.ensure_future(keys.identify(key))
        asked.add_done_callback(lambda it: it.cancelled() or it.exception())
        await asyncio.wait({asked}, timeout=KEY_SECONDS)
        if asked.done() and not isinstance(asked.exception(), AppointmentDatabaseError):
            return asked.result()
    return await keys.identify(key, remembered=True)


def _refuse_while_away(request: Request) -> None:
    refusal = _database_away(request)
    if refusal is not None:
        detail = "The database has failed lately; nothing was done. Send the same request again after Retry-After."
        headers = {"Retry-After": str(max(ceil(refusal.retry_after or 0), 1))}
        raise Refused(Problem(kind=UNAVAILABLE, detail=detail, headers=headers))


def _database_away(request: Request) -> BreakerRefusal | None:
    return backend_of(request).standings.held_back("database")


async def _check_rate(request: Request, caller: Caller) -> None:
    limiter = backend_of(request).limiter
    if limiter is None:
        return
    exceeded = await limiter.take({"key": caller.key_id, "company": caller.company_id})
    if exceeded is not None:
        backend_of(request).metrics.rate_limited(exceeded.kind)
        detail = (
            f"This is more than {_ASKING[exceeded.kind]} may ask for. Nothing was stored; "
            "send the same request again after the time that Retry-After gives."
        )
        raise Refused(Problem(kind=TOO_MANY_REQUESTS, detail=detail, headers=_told(exceeded)))


def _told(exceeded: Exceeded) -> dict[str, str]:
    wait, limit = str(ceil(exceeded.wait)), exceeded.limit
    window = ceil(limit.burst / limit.per_second)
    return {
        "Retry-After": wait,
        # As in draft-ietf-httpapi-ratelimit-headers-10.
        "RateLimit-Policy": f'"{exceeded.kind}";q={limit.burst};w={window}',
        "RateLimit": f'"{exceeded.kind}";r=0;t={wait}',
    }


def _unauthenticated(detail: str, challenge: str) -> Refused:
    return Refused(Problem(kind=NOT_AUTHENTICATED, detail=detail, headers={"WWW-Authenticate": challenge}))
