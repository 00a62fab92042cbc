"""A company and its secrets, which go in and never come out."""

from dataclasses import asdict

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.directory.companies import NoEncryptionKey
from adapters.directory.scopes import Scope
from adapters.web.admission import admit, backend_of
from adapters.web.answers import json_answer
from adapters.web.body import read_object
from adapters.web.documents import CompanyAnswer, CompanyList
from adapters.web.fields import checked
from adapters.web.operations import PlainRoute, described
from adapters.web.problems import NOT_CONFIGURED, Problem, Refused, invalid, not_found
from adapters.web.wishes import CompanyFields
from domain.errors import FieldError
from domain.text import identifier_problem

ONE = "/api/companies/{company_id}"
router = APIRouter(route_class=PlainRoute, tags=["companies"])


@router.get("/api/companies", **described("List the companies", scope=Scope.OPS_READ, answers={200: CompanyList}))
async def list_companies(request: Request) -> Response:
    """Answer with the company of the key, the only one that it can see."""
    caller = await admit(request, Scope.OPS_READ)
    companies = await backend_of(request).companies.list()
    own = [asdict(one) for one in companies if one.company_id == caller.company_id]
    return json_answer({"companies": own})


@router.put(
    ONE,
    **described(
        "Give the company its secrets",
        path=ONE,
        scope=Scope.OPS_WRITE,
        body=CompanyFields,
        answers={200: CompanyAnswer},
        problems=(404, 501),
    ),
)
async def put_company(request: Request) -> Response:
    """Store the secrets that are given, encrypted; those left out stay as they are."""
    caller = await admit(request, Scope.OPS_WRITE)
    company_id = request.path_params["company_id"]
    problem = identifier_problem(company_id)
    if problem is not None:
        raise invalid(FieldError("company_id", problem))
    if company_id != caller.company_id:
        raise not_found("company")
    fields = checked(CompanyFields, await read_object(request))
    try:
        company = await backend_of(request).companies.put(
            caller.company_id, calcom_key=fields.calcom_key, webhook_secrets=fields.all_webhook_secrets
        )
    except NoEncryptionKey as error:
        raise Refused(Problem(kind=NOT_CONFIGURED, detail=f"{error}.")) from error
    return json_answer({"company": asdict(company)})
