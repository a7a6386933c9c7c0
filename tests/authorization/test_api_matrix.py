"""Every (route, method, role, credential, own or foreign) cell of the API answers as the table declares."""

from typing import Any

import pytest

from tests.authorization import asked_of_api, routes, rules
from tests.authorization.callers import PLAIN, Caller
from tests.authorization.declared_api import API
from tests.authorization.rooms import Room
from tests.authorization.rules import May
from tests.authorization.watching import Seen, undone

SAFE = ("GET", "HEAD", "OPTIONS")
HEADS = ("anonymous", "developer:session", "developer:read", "developer:publish", "maintainer:session")


@pytest.mark.parametrize("base", routes.BASES)
def test_every_route_of_the_api_is_declared(base: str):
    assert sorted(routes.below(base)) == sorted(API)


def test_both_bases_are_the_same_routes():
    first, second = (routes.below(base) for base in routes.BASES)
    assert {route: one.callback for route, one in first.items()} == {
        route: one.callback for route, one in second.items()
    }


def test_every_declared_cell_answers_as_declared(room: Room):
    """HEAD answers as GET does."""
    wrong, asked = [], 0
    for route, methods in API.items():
        for method, may in [*methods.items(), *(("HEAD", may) for name, may in methods.items() if name == "GET")]:
            for target in may.targets:
                for number, caller in enumerate(room.callers.values()):
                    if method == "HEAD" and caller.name not in HEADS:
                        continue
                    if caller.name not in PLAIN and not _depends_on_projects(may):
                        continue
                    base = routes.BASES[number % 2]
                    asked += 1
                    wrong += complaints(base, route, method, may, (room, caller, target))
    assert wrong == [], "\n".join(wrong)
    assert asked > 1_500


def test_other_methods_are_refused_to_everybody_and_leave_nothing(room: Room):
    wrong = []
    for route, methods in API.items():
        for method in set(routes.METHODS) - {*methods, "HEAD" if "GET" in methods else "", "OPTIONS"}:
            for caller in (room.callers[name] for name in ("anonymous", "developer:publish", "admin:session")):
                answer, seen = ask("v1/", route, method, (room, caller, methods_target(methods)))
                if answer.status_code != 405 or seen.tables or seen.refused or seen.done:
                    wrong.append(f"{method} {route} {caller.name}: {answer.status_code} {seen.tables}")
    assert wrong == [], "\n".join(wrong)


def test_options_tells_everybody_the_methods_and_nothing_else(room: Room):
    for route, methods in API.items():
        answer, _seen = ask("api/v1/", route, "OPTIONS", (room, room.callers["anonymous"], methods_target(methods)))
        assert answer.status_code == 204, route
        assert not answer.content
        allowed = {one.strip() for one in answer["Allow"].split(",")} - {"HEAD", "OPTIONS"}
        assert allowed == set(methods), route


def _depends_on_projects(may: May) -> bool:
    """Whether it could matter to the cell which project the credential is for; it is asked of some callers if so."""
    return may.targets != ("-",) or may.unbound


def methods_target(methods: dict[str, May]) -> str:
    """The last kind of thing that the route is about: what is foreign and private, where there is such."""
    return next(iter(methods.values())).targets[-1]


def complaints(base: str, route: str, method: str, may: May, asked: tuple[Room, Caller, str]) -> list[str]:
    """What is wrong with the answer to one cell."""
    _, caller, target = asked
    answer, seen = ask(base, route, method, asked)
    where = f"{method} {base}{route} {caller.name} {target}: "
    declared = rules.foretell(may, caller, target)
    found = []
    if answer.status_code != declared:
        found.append(f"{where}{answer.status_code}, declared {declared}")
    elif method not in SAFE and not may.only_asks:
        found += [where + one for one in _about_traces(answer.status_code, seen)]
    elif seen.tables - {"registry_downloadcount", "registry_downloadrecord"} or seen.done or seen.refused:
        found.append(f"{where}reading wrote to {seen.tables}")
    return found


def _about_traces(status: int, seen: Seen) -> list[str]:
    """Every write and every refused write leaves one event; what is refused leaves nothing else."""
    if status < 400:
        return [] if (seen.done, seen.refused) == (1, 0) else [f"done, and {seen.done} events tell of it"]
    found = [f"refused, and wrote to {seen.tables}"] if seen.tables else []
    if (seen.done, seen.refused) != (0, 1 if status in (rules.SIGN_IN, rules.FORBIDDEN) else 0):
        found.append(f"{status}, and {seen.refused} events tell of the refusal")
    return found


def ask(base: str, route: str, method: str, asked: tuple[Room, Caller, str]) -> tuple[Any, Seen]:
    """Ask, and take back what it did."""
    path = asked_of_api.address(base, route, asked)
    with undone() as seen:
        answer = asked[1].ask(method, path, **asked_of_api.request(route, method, asked))
        if answer.streaming:
            b"".join(answer.streaming_content)
    return answer, seen
