"""Who calls: the customers with a phone or an e-mail address, for whoever knows it already."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.directory.scopes import Scope
from adapters.web.admission import admit, backend_of
from adapters.web.answers import json_answer
from adapters.web.documents import CustomerList
from adapters.web.operations import PlainRoute, described
from adapters.web.ports import CustomerRecord
from adapters.web.problems import invalid
from adapters.web.queries import Whom, queried
from domain.errors import FieldError

router = APIRouter(route_class=PlainRoute, tags=["customers"])


@router.get(
    "/api/customers",
    **described(
        "Find customers by phone or e-mail address",
        scope=Scope.BOOKINGS_READ,
        query=Whom,
        answers={200: CustomerList},
    ),
)
async def list_customers(request: Request) -> Response:
    """Answer with everybody who has what is given, first the one that a booking would be for; nobody is no error."""
    caller = await admit(request, Scope.BOOKINGS_READ)
    asked = queried(Whom, request)
    if asked.phone is None and asked.email is None:
        raise invalid(FieldError("phone", "is required, or else email"))
    found = await backend_of(request).customers.list(company_id=caller.company_id, phone=asked.phone, email=asked.email)
    return json_answer({"customers": [_document(one) for one in found]})


def _document(customer: CustomerRecord) -> dict[str, object]:
    engagement = customer.engagement
    return {
        "customer_id": customer.customer_id,
        "name": customer.name,
        "email": customer.email,
        "phone": customer.phone,
        "created_at": customer.created_at,
        "engagement": None
        if engagement is None
        else {
            "score": engagement.score,
            "requested": engagement.requested,
            "booked": engagement.booked,
            "moved": engagement.moved,
            "cancelled": engagement.cancelled,
            "last_event_at": engagement.last_event_at,
        },
    }
