"""Every (route, method, role, credential, own or foreign) cell of npm's protocol answers as the table declares."""

from typing import Any

import pytest

from accounts.models import Project
from registry import documents
from registry.models import DistTag
from tests.authorization import asked_of_npm, routes, rules
from tests.authorization.callers import Caller
from tests.authorization.declared_npm import ELSEWHERE, NPM, OF_PROJECT, UNNOTED
from tests.authorization.rooms import READY, Room
from tests.authorization.rules import May
from tests.authorization.watching import Seen, undone

pytestmark = pytest.mark.once  # the rows that decide are asked for in both databases by the API's own matrix
PROJECT = "npm/<slug:project>/"
CALLERS = (
    "anonymous", "developer:session", "developer:read", "developer:publish", "maintainer:review",
    "admin:session", "admin:admin", "reader:publish", "developer:publish@own",
)  # fmt: skip
READS = {"registry_downloadcount", "registry_downloadrecord"}


@pytest.fixture
def shop(room: Room) -> Room:
    """The room, where nobody asks for signatures, and each package has a tag to take away."""
    Project.objects.update(signature_policy=Project.SignaturePolicy.OPTIONAL)
    for package in room.packages.values():
        DistTag.objects.create(package=package, tag="next", release=package.releases.get(version=READY))
        documents.rebuild(package)
    return room


def test_every_route_of_npm_is_declared_once():
    below = [route for route in routes.below("npm/") if not route.startswith("<slug:project>/")]
    assert sorted(below) == sorted({*NPM, *ELSEWHERE})
    assert NPM.keys().isdisjoint(ELSEWHERE)


def test_the_base_of_a_project_is_the_same_doors():
    plain, of_project = routes.below("npm/"), routes.below(PROJECT)
    shared = {route: of_project[route].callback for route in of_project.keys() - OF_PROJECT}
    doubled = "npm/<npm-name:name>/-/<tarball:filename>/-rev/<str:rev>"
    assert shared == {route: plain[route].callback for route in {*NPM, *ELSEWHERE} - {doubled}}
    assert of_project.keys() >= OF_PROJECT


def test_every_declared_cell_answers_as_declared(shop: Room):
    """HEAD answers as GET does, where it does not take anything away."""
    wrong, asked = [], 0
    for route, methods in NPM.items():
        for method, may in [*methods.items(), *(("HEAD", may) for name, may in methods.items() if name == "GET")]:
            if method == "HEAD" and "done" in route:
                continue
            for target in may.targets:
                for name in CALLERS if method != "HEAD" else CALLERS[:3]:
                    asked += 1
                    wrong += complaints(route, method, may, (shop, shop.callers[name], target))
    assert wrong == [], "\n".join(wrong)
    assert asked > 500


def test_other_methods_are_refused_and_leave_nothing(shop: Room):
    wrong = []
    for route, methods in NPM.items():
        target = next(iter(methods.values())).targets[-1]
        for method in set(routes.METHODS) - {*methods, "HEAD" if "GET" in methods else "", "OPTIONS"}:
            for name in ("anonymous", "admin:admin"):
                answer, seen = ask(route, method, (shop, shop.callers[name], target))
                if answer.status_code != 405 or seen.tables or seen.refused or seen.done:
                    wrong.append(f"{method} {route} {name}: {answer.status_code} {seen.tables}")
    assert wrong == [], "\n".join(wrong)


def complaints(route: str, method: str, may: May, asked: tuple[Room, Caller, str]) -> list[str]:
    """What is wrong with the answer to one cell."""
    _, caller, target = asked
    answer, seen = ask(route, method, asked)
    where, declared = f"{method} {route} {caller.name} {target}: ", rules.foretell(may, caller, target)
    if answer.status_code != declared:
        return [f"{where}{answer.status_code}, declared {declared}"]
    if method in ("GET", "HEAD"):
        return [f"{where}reading wrote to {seen.tables}"] if seen.tables - READS or seen.done or seen.refused else []
    return [where + one for one in _about_traces(answer.status_code, seen, route)]


def _about_traces(status: int, seen: Seen, route: str) -> list[str]:
    """Every write leaves events, one for each version taken away; what is refused leaves one and nothing else."""
    if status < 400:
        told = not seen.done if route in UNNOTED else seen.done > 0
        return [] if told and not seen.refused else [f"done, and {seen.done} events tell of it"]
    found = [f"refused, and wrote to {seen.tables}"] if seen.tables else []
    if (seen.done, seen.refused) != (0, 1 if status in (rules.SIGN_IN, rules.FORBIDDEN) else 0):
        found.append(f"{status}, and {seen.refused} events tell of the refusal")
    return found


def ask(route: str, method: str, asked: tuple[Room, Caller, str]) -> tuple[Any, Seen]:
    """Ask, and take back what it did."""
    path = asked_of_npm.address(route, asked)
    with undone() as seen:
        answer = asked[1].ask(method, path, **asked_of_npm.request(route, method, asked))
        if answer.streaming:
            b"".join(answer.streaming_content)
    return answer, seen
