"""Generated requests against the published description: no crash, nothing undescribed, nothing for whoever may not."""

import os
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import requests
import schemathesis
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies
from schemathesis import GenerationMode, checks
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response

from accounts import tokens
from accounts.models import SigningKey
from registry import products
from registry.models import Release
from registry.protocols.products.products import ACTIONS
from scanning.models import Advisory, AdvisoryName, Waiver
from tests import builders
from tests.api.clients import ApiClient, described
from tests.authorization.callers import ROLES
from tests.authorization.declared_api import API
from tests.authorization.declared_products import PRODUCTS
from tests.authorization.watching import Seen, undone
from tests.builders import Cast

# For each of the four callers: together they make 2,000. Another seed asks other things.
WANTED = max(500, int(os.environ.get("FUZZ_CASES", "0")) // 4)
SEED = int(os.environ.get("FUZZ_SEED", "0"))
SKIPPED_HEADERS = {"content-length", "user-agent", "accept-encoding", "connection"}
RULES = [
    checks.not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_schema_conformance,
]  # fmt: skip
RAW: dict[str, Any] = {"id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-01-01T00:00:00Z", "database_specific": {}}
HELD = [("@acme-utils/core", "1.2.0"), ("@acme-utils/core", "latest"), ("left-pad", "1.3.0")]
CREDENTIALS = {"Authorization", "X-API-Key", "X-Api-Token"}
# What makes of a body that fits the description one that does something.
FITTING = {
    "name": "left-pad", "version": "1.3.1", "ecosystem": "npm", "project": "acme", "scopes": ["read"],
    "package": "left-pad", "versions": "*", "expires_at": f"{timezone.now() + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}",
    "finding": "CVE-2", "override": True, "reason": "The dice say so.", "category": "WEB", "license": "MIT",
    "submitted_by": "alice@example.com", "product": "tool",
}  # fmt: skip
ROLE_OF = {"alice": "developer", "bob": "maintainer", "root": "admin"}

schema = schemathesis.openapi.from_dict(described())
OPERATIONS = [operation.ok() for operation in schema.get_all_operations() if isinstance(operation, Ok)]


@dataclass
class Somebody:
    """One of the cast, with all that their role allows, and the values that mean something in this registry."""

    name: str
    client: ApiClient
    ids: dict[str, str]
    asked: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)

    def carries(self, scope: str) -> bool:
        return scope in ROLES.get(ROLE_OF.get(self.name, ""), ())


@pytest.fixture(params=["nobody", "alice", "bob", "root"])
def somebody(request, cast: Cast, client_of, core: Release) -> Somebody:
    """Each of the cast in a registry that holds something of everything that addresses name."""
    builders.submitted(cast.alice)
    products.create("tool", builders.actor(cast.alice))
    person = getattr(cast, request.param, None)
    advisory = Advisory.objects.create(osv_id=RAW["id"], modified_at=timezone.now(), digest="1", raw=RAW)
    AdvisoryName.objects.create(advisory=advisory, name=RAW["id"].upper())
    owned = tokens.resolve(builders.token(person or cast.alice, "read"))
    assert owned is not None
    waiver = Waiver.objects.create(
        owner=cast.bob, reason="known", identifier="CVE-1", ecosystem="npm", package="a", version_range="*",
        project=cast.acme, expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    ids = {
        "tokens": str(owned.pk), "advisories": RAW["id"], "waivers": str(waiver.pk),
        "signing-keys": str(SigningKey.objects.get().pk),
    }  # fmt: skip
    return Somebody(request.param, ApiClient() if person is None else client_of(person), ids)


def sent(client: ApiClient, case: Any, project: str = "", credential: str = "") -> tuple[Any, Response]:
    """Send a generated case through Django's test client; the answer, and the same as the generator reads it."""
    headers = {name: value for name, value in (case.headers or {}).items() if _may_stand_in_a_header(value)}
    headers.pop("X-Project-ID", None)  # nearly every guess is somebody else's project
    case.headers = {**headers, "X-Project-ID": project} if project else headers
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    headers = {name: str(value) for name, value in prepared.headers.items() if name.lower() not in SKIPPED_HEADERS}
    if credential:
        headers["Authorization"] = f"Bearer {credential}"
    content_type = headers.pop("Content-Type", "")
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
    address = prepared.path_url
    answer = client.generic(prepared.method or "GET", address, body, content_type, headers=headers, RAW_URI=address)
    return answer, _as_received(answer, prepared)


def _may_stand_in_a_header(value: object) -> bool:
    return not isinstance(value, str) or (value.isprintable() and value.isascii())


def _as_received(answer: Any, prepared: requests.PreparedRequest) -> Response:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    headers = {name.lower(): [value] for name, value in answer.headers.items()}
    return Response(answer.status_code, headers, content, prepared, elapsed=0.0, verify=False)


def generated(operation: Any) -> Any:
    """Requests that fit the operation's description, and requests that do not."""
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return strategies.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))


def rules_for(case: Any) -> list[Any]:
    """Bad bodies and queries must be refused; headers and places in the address are not always sent as made."""
    bad = {place for place, made in case.meta.components.items() if made.mode.is_negative}
    as_made = bad and bad <= {ParameterLocation.QUERY, ParameterLocation.BODY}
    return [*RULES, checks.negative_data_rejection] if as_made else RULES


def make_real(case: Any, ids: dict[str, str], dice: random.Random) -> None:
    """Most of the time the address and a fitting body name what is there, and no made-up credential interferes."""
    if dice.random() < 0.75:
        named, version = dice.choice(HELD)
        about = next((ids[word] for word in case.operation.path.split("/") if word in ids), "1")
        scope, _, bare = named.rpartition("/")
        real = {"scope": scope, "name": bare if "scope" in case.path_parameters else named, "version": version}
        real |= {"filename": "core-1.2.0.tgz", "spdx": "MIT", "id": about}
        real |= {"product": "tool", "token": "0" * 64, "action": dice.choice(list(ACTIONS))}
        case.path_parameters = {name: real.get(name, value) for name, value in case.path_parameters.items()}
    if dice.random() < 0.75:
        case.headers = {name: value for name, value in (case.headers or {}).items() if name not in CREDENTIALS}
        case.cookies = {}
    made = case.meta.components.get(ParameterLocation.BODY)
    if isinstance(case.body, dict) and made and made.mode.is_positive and dice.random() < 0.5:
        case.body = {name: FITTING.get(name, value) for name, value in case.body.items()}


def contents(tables: set[str]) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(tables):
            cursor.execute(f'SELECT * FROM "{table}"')  # a table that the request just wrote to
            found[table] = sorted(cursor.fetchall(), key=repr)
    return found


def authorised(who: Somebody, case: Any, answer: Any, seen: Seen) -> None:
    """Whoever may not has done nothing, and what was done for a credential is not done without it."""
    match = answer.wsgi_request.resolver_match
    declared = {**API, **PRODUCTS}
    may = declared.get(match.route.removeprefix("api/v1/"), {}).get(case.operation.method.upper()) if match else None
    label = f"{who.name}: {case.operation.label} answered {answer.status_code}"
    if case.operation.method.upper() != "GET":
        does = answer.status_code < 400 and not (may and may.only_asks)
        events = 2 if does and match.route == "product/upload" else int(does)  # it came, and it was approved
        assert seen.done == events, f"{label}, and {seen.done} events tell that it was done"
        least, most = int(answer.status_code in (401, 403)), int(answer.status_code >= 400)
        assert least <= seen.refused <= most, f"{label}, and {seen.refused} events tell of a refusal"
    if answer.status_code >= 400:
        return
    assert may is not None, f"{label}, and the matrix does not declare it"
    assert not may.signed_in or who.name != "nobody", label
    assert not may.scope or who.carries(may.scope), label
    if who.name != "nobody":
        with undone():
            without = sent(ApiClient(), case)[0].status_code
            assert without == 401 if may.signed_in else without < 500, f"{label}, and {without} to nobody"
    with undone():
        assert sent(ApiClient(), case, credential="csr_made_up")[0].status_code == 401, f"{label} to a false token"


@pytest.mark.once
@pytest.mark.timeout(600 + 4 * WANTED)
def test_generated_requests_get_described_answers(somebody: Somebody):
    each = -(-WANTED // len(OPERATIONS))
    rules = settings(
        max_examples=each, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    for number, operation in enumerate(OPERATIONS):

        @seed(SEED + number)
        @rules
        @given(case=generated(operation), chance=strategies.integers(0, 2**32))
        def ask(case: Any, chance: int) -> None:
            checked = rules_for(case)
            dice = random.Random(chance)
            make_real(case, somebody.ids, dice)
            after: dict[str, Any] = {}
            with undone() as seen:
                answer, received = sent(somebody.client, case, "acme" if dice.random() < 0.2 else "")
                if answer.status_code >= 400:
                    after = contents(seen.tables)
            assert after == contents(set(after)), f"{case.operation.label}: {answer.status_code} changed rows"
            case.validate_response(received, checks=checked)
            authorised(somebody, case, answer, seen)
            somebody.asked[case.operation.label] += 1
            somebody.statuses[answer.status_code] += 1

        ask()
    assert len(somebody.asked) == len(OPERATIONS)
    assert somebody.asked.total() >= WANTED
    print(f"{somebody.asked.total()} cases over {len(OPERATIONS)} operations as {somebody.name}: {somebody.statuses}")
