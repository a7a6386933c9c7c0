"""Every (route, method, role, credential, own or foreign) cell of the simple index answers as the table declares."""

import io
from functools import cache
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.models import Membership, Project
from registry import publishing, tasks
from registry.models import Artifact, ArtifactContents, Release
from tests import builders
from tests.authorization import callers, routes, rules
from tests.authorization.callers import Caller
from tests.authorization.declared_pypi import ELSEWHERE, PYPI
from tests.authorization.rooms import NEW, READY
from tests.authorization.rules import PACKAGES, May
from tests.authorization.watching import Seen, undone
from tests.builders import Cast

pytestmark = pytest.mark.once  # the rows that decide are asked for in both databases by the API's own matrix
CALLERS = (
    "anonymous", "developer:session", "developer:read", "developer:publish", "maintainer:review",
    "admin:session", "admin:admin", "reader:publish", "developer:publish@own",
)  # fmt: skip
READS = {"registry_downloadcount", "registry_downloadrecord"}


@cache
def wheel(target: str, version: str) -> bytes:
    return builders.wheel(target, version)


def filename(target: str, version: str) -> str:
    return f"{target.replace('-', '_')}-{version}-py3-none-any.whl"


@pytest.fixture
def asking(cast: Cast) -> dict[str, Caller]:
    """Each caller by name: alice, bob, root and the reader rita belong to `acme` (own), mallory to `elsewhere`."""
    rita = builders.user("rita", default_project=cast.acme)
    for person, role in ((rita, Membership.Role.READER), (cast.root, Membership.Role.MEMBER)):
        Membership.objects.create(project=cast.acme, user=person, role=role)
    cast.root.default_project = cast.acme
    cast.root.save(update_fields=["default_project"])
    people = {"developer": cast.alice, "maintainer": cast.bob, "admin": cast.root, "reader": rita}
    return callers.assemble(people)


@pytest.fixture
def shelf(cast: Cast, asking: dict[str, Caller]) -> dict[str, Caller]:
    """The callers, and a Python package for each target, named after it; nobody asks for signatures."""
    Project.objects.update(signature_policy=Project.SignaturePolicy.OPTIONAL)
    for target in PACKAGES:
        whose, _, access = target.partition("-")
        person = cast.alice if whose == "own" else cast.mallory
        with publishing.receive(io.BytesIO(wheel(target, READY))) as staged:
            publishing.publish_upload(staged, builders.actor(person), access=access)
    tasks.drain()
    assert Release.objects.filter(package__ecosystem="pypi", status="approved").count() == len(PACKAGES)
    Artifact.objects.update(is_attested=True)
    ArtifactContents.objects.update(attestations=[{"version": 1}])
    return asking


def test_every_route_of_the_simple_index_is_declared_once():
    plain, of_project = routes.below("pypi/"), routes.below("pypi/<slug:project>/")
    below = {route for route in plain if not route.startswith("<slug:project>/")}
    assert below == PYPI.keys() | ELSEWHERE
    assert of_project.keys() == PYPI.keys()
    assert all(of_project[route].callback == plain[route].callback for route in PYPI)


def test_every_declared_cell_of_the_simple_index_answers_as_declared(shelf: dict[str, Caller]):
    """HEAD answers as GET does."""
    wrong, asked = [], 0
    for route, methods in ((route, PYPI[route]) for route in PYPI if route != "legacy"):  # the same door
        for method, may in [*methods.items(), *(("HEAD", may) for name, may in methods.items() if name == "GET")]:
            for target in may.targets:
                for name in CALLERS if method != "HEAD" else CALLERS[:3]:
                    asked += 1
                    wrong += complaints(route, method, may, (shelf[name], target))
    assert wrong == [], "\n".join(wrong)
    assert asked > 300


def test_other_methods_of_the_simple_index_are_refused_and_leave_nothing(asking: dict[str, Caller]):
    wrong = []
    for route, methods in PYPI.items():
        for method in set(routes.METHODS) - {*methods, "HEAD" if "GET" in methods else "", "OPTIONS"}:
            for name in ("anonymous", "admin:admin"):
                answer, seen = ask(route, method, (asking[name], "own-public"))
                if answer.status_code != 405 or seen.tables or seen.refused or seen.done:
                    wrong.append(f"{method} {route} {name}: {answer.status_code} {seen.tables}")
    assert wrong == [], "\n".join(wrong)


def complaints(route: str, method: str, may: May, asked: tuple[Caller, str]) -> list[str]:
    """What is wrong with the answer to one cell: its status, or the traces that it leaves."""
    caller, target = asked
    answer, seen = ask(route, method, asked)
    where, declared = f"{method} {route} {caller.name} {target}: ", rules.foretell(may, caller, target)
    if answer.status_code != declared:
        return [f"{where}{answer.status_code}, declared {declared}"]
    if method != "POST":
        return [f"{where}reading wrote to {seen.tables}"] if seen.tables - READS or seen.done or seen.refused else []
    if declared < 400:
        return [] if seen.done and not seen.refused else [f"{where}{seen.done} events tell of it"]
    is_told = (seen.done, seen.refused) == (0, 1) and not seen.tables
    return [] if is_told else [f"{where}{seen.refused} events tell of the refusal, which wrote to {seen.tables}"]


def ask(route: str, method: str, asked: tuple[Caller, str]) -> tuple[Any, Seen]:
    """Ask as pip and twine do, and take back what it did."""
    caller, target = asked
    values = {"name": target, "version": READY, "filename": filename(target, READY)}
    request = _upload(target) if method == "POST" and route.startswith("legacy") else {}
    with undone() as seen:
        answer = caller.ask(method, "/pypi/" + routes.fill(route, values), **request)
        if answer.streaming:
            b"".join(answer.streaming_content)
    return answer, seen


def _upload(target: str) -> dict[str, Any]:
    file = SimpleUploadedFile(filename(target, NEW), wheel(target, NEW))
    return {"data": encode_multipart(BOUNDARY, {"content": file}), "content_type": MULTIPART_CONTENT}
