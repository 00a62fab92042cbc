"""The company's API keys: made, listed, and made useless."""

from dataclasses import asdict

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.directory.scopes import Scope
from adapters.web.admission import admit, backend_of, lacks_scope
from adapters.web.answers import json_answer
from adapters.web.body import read_object
from adapters.web.documents import KeyList, NewKey
from adapters.web.fields import checked
from adapters.web.operations import PlainRoute, described
from adapters.web.problems import not_found
from adapters.web.wishes import KeyFields

ALL = "/api/keys"
ONE = "/api/keys/{key_id}"
router = APIRouter(route_class=PlainRoute, tags=["keys"])


@router.get(ALL, **described("List the API keys", scope=Scope.OPS_READ, answers={200: KeyList}))
async def list_keys(request: Request) -> Response:
    """Answer with every key of the company, revoked ones included, without their secrets."""
    caller = await admit(request, Scope.OPS_READ)
    keys = await backend_of(request).keys.list(company_id=caller.company_id)
    return json_answer({"keys": [asdict(one) for one in keys]})


@router.post(ALL, **described("Make an API key", scope=Scope.OPS_WRITE, body=KeyFields, answers={201: NewKey}))
async def create_key(request: Request) -> Response:
    """Answer with the key, this once. A key can only be given scopes that the one who makes it has."""
    caller = await admit(request, Scope.OPS_WRITE)
    scopes = list(dict.fromkeys(checked(KeyFields, await read_object(request)).scopes))
    for scope in scopes:
        if scope not in caller.scopes:
            raise lacks_scope(Scope(scope))
    record, secret = await backend_of(request).keys.create(company_id=caller.company_id, scopes=scopes)
    return json_answer({"key": asdict(record), "secret": secret}, status=201)


@router.delete(
    ONE, **described("Revoke an API key", path=ONE, scope=Scope.OPS_WRITE, answers={204: ""}, problems=(404,))
)
async def revoke_key(request: Request) -> Response:
    """Answer 204 once the key is useless; revoking it again changes nothing."""
    caller = await admit(request, Scope.OPS_WRITE)
    key_id = request.path_params["key_id"]
    if not await backend_of(request).keys.revoke(company_id=caller.company_id, key_id=key_id):
        raise not_found("key")
    return Response(status_code=204)
