"""How the circuit breakers stand."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.breakers.documents import breaker_documents
from adapters.breakers.policies import NAMES
from adapters.directory.scopes import Scope
from adapters.web.admission import admit, backend_of
from adapters.web.answers import json_answer
from adapters.web.breaker_documents import BreakerStates
from adapters.web.operations import PlainRoute, described

router = APIRouter(route_class=PlainRoute, tags=["resilience"])


@router.get(
    "/api/resilience/states",
    **described("Tell how the circuit breakers stand", scope=Scope.OPS_READ, answers={200: BreakerStates}),
)
async def states(request: Request) -> Response:
    """Answer for all processes, or, without Redis, for the one that answers; no company has a breaker of its own."""
    await admit(request, Scope.OPS_READ)
    breakers = backend_of(request).breakers
    return json_answer({"services": breaker_documents([await breakers.snapshot(name) for name in NAMES])})
