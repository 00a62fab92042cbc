"""The services of a company: what can be booked, checked against Cal.com before anybody books it."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.directory.scopes import Scope
from adapters.representation import service_document
from adapters.web.admission import admit, backend_of
from adapters.web.answers import json_answer
from adapters.web.body import read_object
from adapters.web.documents import ServiceAnswer, ServiceList
from adapters.web.fields import checked
from adapters.web.operations import PlainRoute, described
from adapters.web.ports import ServiceWish
from adapters.web.problems import invalid
from adapters.web.wishes import ServiceFields
from domain.errors import FieldError
from domain.text import identifier_problem

ONE = "/api/services/{service_id}"
router = APIRouter(route_class=PlainRoute, tags=["services"])


@router.get("/api/services", **described("List the services", scope=Scope.OPS_READ, answers={200: ServiceList}))
async def list_services(request: Request) -> Response:
    """Answer with everything that the company has defined."""
    caller = await admit(request, Scope.OPS_READ)
    services = await backend_of(request).services.list(company_id=caller.company_id)
    return json_answer({"services": [service_document(one) for one in services]})


@router.put(
    ONE,
    **described(
        "Define a service",
        path=ONE,
        scope=Scope.OPS_WRITE,
        body=ServiceFields,
        answers={200: ServiceAnswer, 201: ServiceAnswer},
        problems=(502,),
    ),
)
async def put_service(request: Request) -> Response:
    """Answer 422 for an event type whose bookings could not be undone, or are no ordinary bookings."""
    caller = await admit(request, Scope.OPS_WRITE)
    service_id = request.path_params["service_id"]
    problem = identifier_problem(service_id)
    if problem is not None:
        raise invalid(FieldError("service_id", problem))
    fields = checked(ServiceFields, await read_object(request))
    wish = ServiceWish(company_id=caller.company_id, service_id=service_id, **dict(fields))
    offer, is_new = await backend_of(request).services.define(wish)
    return json_answer({"service": service_document(offer)}, status=201 if is_new else 200)
