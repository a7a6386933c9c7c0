"""Generated requests against the published description: no crash, no answer that is not described."""

import os
import random
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings, strategies
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from registry.models import Release
from tests import builders
from tests.api.clients import ApiClient, described
from tests.builders import Cast

CASES = int(os.environ.get("FUZZ_CASES", "4"))
REAL = {"scope": ["@acme-utils"], "name": ["core", "left-pad", "@acme-utils/core"], "version": ["1.2.0", "latest"]}
SKIPPED_HEADERS = {"content-length", "user-agent", "accept-encoding", "connection"}

schema = schemathesis.openapi.from_dict(described())
OPERATIONS = [operation.ok() for operation in schema.get_all_operations() if isinstance(operation, Ok)]


@pytest.fixture(params=["nobody", "alice", "bob", "root"])
def somebody(request, cast: Cast, client_of, core: Release) -> ApiClient:
    """Each of the cast, with all that their role allows, in a registry that holds something."""
    builders.submitted(cast.alice)
    return ApiClient() if request.param == "nobody" else client_of(getattr(cast, request.param))


def asked(client: ApiClient, case: Any) -> Any:
    """Send a generated case through Django's test client."""
    case.headers = {name: value for name, value in (case.headers or {}).items() if _may_stand_in_a_header(value)}
    case.headers.pop("X-Project-ID", None)  # nearly every guess is somebody else's project
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    headers = {name: str(value) for name, value in prepared.headers.items() if name.lower() not in SKIPPED_HEADERS}
    content_type = headers.pop("Content-Type", "")
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
    address = prepared.path_url
    return client.generic(prepared.method or "GET", address, body, content_type, headers=headers, RAW_URI=address)


def _may_stand_in_a_header(value: object) -> bool:
    return not isinstance(value, str) or (value.isprintable() and value.isascii())


def generated(operation: Any) -> Any:
    """Requests that fit the operation's description, and requests that do not."""
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return strategies.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))


def test_generated_requests_get_described_answers(somebody: ApiClient):
    rules = settings(
        max_examples=CASES, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    for operation in OPERATIONS:

        @rules
        @given(case=generated(operation), chance=strategies.integers(0, 2**32))
        def ask(case: Any, chance: int) -> None:
            if chance % 4:
                known = {
                    name: random.Random(chance).choice(REAL[name]) for name in case.path_parameters if name in REAL
                }
                case.path_parameters = {**case.path_parameters, **known}
            assert asked(somebody, case).status_code < 500, case.operation.label

        ask()
