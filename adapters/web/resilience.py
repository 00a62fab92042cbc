"""How the circuit breakers stand, what that means together, and how services have done lately."""

from datetime import timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.breakers.documents import states_document
from adapters.directory.scopes import Scope
from adapters.failure_documents import failures_document, found_document
from adapters.web.admission import admit, backend_of
from adapters.web.answers import json_answer
from adapters.web.body import read_object
from adapters.web.breaker_documents import BreakerStates, ClearedFailures, Failures, SnapshotList
from adapters.web.fields import checked
from adapters.web.operations import PlainRoute, described
from adapters.web.problems import not_found
from adapters.web.queries import Lately, LatelyOf, queried
from adapters.web.wishes import ClearingFields
from domain.dependencies import SERVICES

CLEAR = "/api/resilience/failures/{service}/clear"
router = APIRouter(route_class=PlainRoute, tags=["resilience"])


@router.get(
    "/api/resilience/states",
    **described("Tell how everything stands, and why", scope=Scope.OPS_READ, answers={200: BreakerStates}),
)
async def states(request: Request) -> Response:
    """Answer for all processes where a breaker is shared, else for the one that answers; all companies are in it."""
    await admit(request, Scope.OPS_READ, reads_database=False)
    return json_answer(states_document(await backend_of(request).health.look()))


@router.get(
    "/api/resilience/snapshots",
    **described(
        "Tell how everything stood, minute by minute",
        scope=Scope.OPS_READ,
        query=Lately,
        answers={200: SnapshotList},
    ),
)
async def snapshots(request: Request) -> Response:
    """Answer with the oldest first; a minute that is missing is one in which no process could write."""
    await admit(request, Scope.OPS_READ)
    backend = backend_of(request)
    kept = await backend.snapshots.lately(timedelta(minutes=queried(Lately, request).minutes))
    return json_answer({"snapshots": [{"at": one.at, **one.document} for one in kept]})


@router.get(
    "/api/resilience/failures",
    **described(
        "Tell how many calls of each service failed lately",
        scope=Scope.OPS_READ,
        query=LatelyOf,
        answers={200: Failures},
    ),
)
async def failures(request: Request) -> Response:
    """Answer for all processes; what was counted within the last seconds may not be in it yet."""
    await admit(request, Scope.OPS_READ)
    asked = queried(LatelyOf, request)
    backend = backend_of(request)
    found = await backend.failures.find()
    windows = await backend.failures.windows(minutes=asked.minutes, service=asked.service)
    wanted = {name: one for name, one in found.items() if asked.service in {None, name}}
    return json_answer(failures_document(wanted, windows))


@router.post(
    CLEAR,
    **described(
        "Clear what is counted of a service's failures",
        path=CLEAR,
        scope=Scope.FLEET_WRITE,
        body=ClearingFields,
        answers={200: ClearedFailures},
        problems=(404,),
    ),
)
async def clear(request: Request) -> Response:
    """Answer with how the service stands then; whose key it was is recorded with the reason."""
    caller = await admit(request, Scope.FLEET_WRITE)
    service = request.path_params["service"]
    if service not in SERVICES:
        raise not_found("service")
    fields = checked(ClearingFields, await read_object(request))
    found = await backend_of(request).failures.clear(service, actor=caller.key_id, reason=fields.reason)
    return json_answer({"service": service, **found_document(found)})
