"""
Cal.com's own OpenAPI document, with its known defects mended in memory, as a judge of requests and answers.

The document is third-party data and no part of this repository: `CALSAGA_CALCOM_OPENAPI` names it, or it lies in
`../shared/calcom/openapi-v2.json` beside the repository. What it cannot judge: errors, which it does not describe.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.testing import MockResponse
from werkzeug.datastructures import Headers, ImmutableMultiDict

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "calcom" / "openapi-v2.json"
# Read when the tests are collected, because every test runs in a bare environment.
DOCUMENT = Path(os.environ.get("CALSAGA_CALCOM_OPENAPI", _BESIDE))


class _Request:
    """
    A request in the form that openapi-core reads.
    """

    def __init__(self, *, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> None:
        parts = urlsplit(url)
        lowered = {name.lower(): value for name, value in headers.items()}
        self.host_url = f"{parts.scheme or 'https'}://{parts.netloc or 'api.cal.com'}"
        self.path = parts.path
        self.method = method.lower()
        self.body = body or None
        self.content_type = lowered.get("content-type", "application/json")
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(parse_qsl(parts.query)), header=Headers(list(lowered.items()))
        )


@cache
def load() -> OpenAPI:
    """
    Return the mended document.
    """
    document = json.loads(DOCUMENT.read_bytes())
    _mend(document)
    # The document breaks the rules of OpenAPI itself in dozens of places that do not matter here.
    return OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))


def validate_request(*, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> None:
    """
    Raise an `openapi_core.exceptions.OpenAPIError` unless Cal.com documents such a request.
    """
    load().validate_request(_Request(method=method, url=url, headers=headers, body=body))


def validate_response(*, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """
    Raise an `openapi_core.exceptions.OpenAPIError` unless Cal.com documents such an answer to a call of this path.
    """
    content_type = {name.lower(): value for name, value in headers.items()}.get("content-type", "application/json")
    response = MockResponse(data=body, status_code=status, content_type=content_type.split(";")[0])
    load().validate_response(_Request(method=method, url=path, headers={}, body=None), response)


def _mend(document: dict[str, Any]) -> None:
    paths, schemas = document["paths"], document["components"]["schemas"]
    # An ordinary body fits two of the alternatives, which `oneOf` forbids.
    for path in ("/v2/bookings", "/v2/bookings/{bookingUid}/cancel", "/v2/bookings/{bookingUid}/reschedule"):
        schema = paths[path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        schema["anyOf"] = schema.pop("oneOf")
    _mend_slots(paths["/v2/slots"]["get"])
    for operations in paths.values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                _mend_parameter(parameter)
    # So does a recurring booking among the answers.
    for name in ("CreateBookingOutput", "GetBookingOutput", "CancelBookingOutput", "RescheduleBookingOutput"):
        data = schemas[f"{name}_2024_08_13"]["properties"]["data"]
        data["anyOf"] = data.pop("oneOf")
    for name in ("EventTypeOutput_2024_06_14", "TeamEventTypeOutput_2024_06_14"):
        properties = schemas[name]["properties"]
        # Null when there is none, which `allOf` forbids; people, where the document has strings.
        properties["recurrence"] = {"type": "object", "nullable": True}
        properties["users" if "users" in properties else "hosts"] = {"type": "array"}
    # The database has a UUID for the number, and null where no template or secret was given.
    webhook = schemas["UserWebhookOutputDto"]["properties"]
    webhook["id"] = {"type": "string"}
    webhook["payloadTemplate"]["nullable"] = webhook["secret"]["nullable"] = True
    # The answer to a reservation refers to itself, because two classes have one name.
    schemas["GetReservedSlotOutput_2024_09_04"] = {"type": "object"}


def _mend_slots(operation: dict[str, Any]) -> None:
    slot = {
        "type": "object",
        "properties": {"start": {"type": "string"}, "end": {"type": "string"}},
        "required": ["start"],
    }
    schema = {
        "type": "object",
        "properties": {
            "status": {"type": "string", "enum": ["success", "error"]},
            "data": {"type": "object", "additionalProperties": {"type": "array", "items": slot}},
        },
        "required": ["status", "data"],
    }
    operation["responses"]["200"]["content"]["application/json"]["schema"] = schema


def _mend_parameter(parameter: dict[str, Any]) -> None:
    if parameter["name"] == "cal-api-version":
        # With a default openapi-core takes a request without the header, which Cal.com answers as another version.
        default = parameter["schema"].pop("default", None)
        if default is not None:
            parameter["schema"]["enum"] = [default]
    elif parameter["in"] == "query" and parameter["schema"].get("type") == "array":
        parameter["explode"] = False
