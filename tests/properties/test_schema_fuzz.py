"""
Requests made up from the document itself: whatever comes, the answer is one that the document has.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from adapters.web.app import create_api
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.given import ALL_SCOPES

KEY = f"Bearer acme/{','.join(ALL_SCOPES)}"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
schema = schemathesis.openapi.from_asgi("/openapi.json", create_api(FakeBackend().as_backend()))


@pytest.mark.filterwarnings("ignore")
@schema.parametrize()
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_no_request_gets_an_answer_that_is_not_documented(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(headers={"Authorization": KEY}, checks=CHECKS)
