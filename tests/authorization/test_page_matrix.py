"""Every (route, method, role, credential, own or foreign) cell of the pages answers as the table declares."""

from typing import Any

from tests.authorization import asked_of_pages, routes, rules
from tests.authorization.callers import PLAIN, Caller
from tests.authorization.declared_pages import NOTED_FOR_SESSIONS, PAGES, UNNOTED
from tests.authorization.rooms import Room
from tests.authorization.rules import May
from tests.authorization.watching import Seen, undone

SIGN_IN_PAGES = ("/sign-in?", "/admin/login/?")


def test_every_page_is_declared():
    assert sorted(routes.pages()) == sorted(PAGES)


def test_every_declared_cell_answers_as_declared(room: Room):
    """HEAD answers as GET does, to those whom a page could tell something."""
    wrong, asked = [], 0
    for route, methods in PAGES.items():
        for method, may in [*methods.items(), *(("HEAD", may) for name, may in methods.items() if name == "GET")]:
            for target in may.targets:
                for caller in some_of(room, method):
                    asked += 1
                    wrong += complaints(route, method, may, (room, caller, target))
    assert wrong == [], "\n".join(wrong)
    assert asked > 400


def test_other_methods_leave_nothing(room: Room):
    wrong = []
    for route, methods in PAGES.items():
        for method in set(routes.METHODS) - {*methods, "HEAD" if "GET" in methods else "", "OPTIONS"}:
            for name in ("anonymous", "developer:session", "admin:session"):
                target = next(iter(methods.values())).targets[-1]
                with undone() as seen:
                    path = asked_of_pages.address(route, (room, room.callers[name], target))
                    status = room.callers[name].ask(method, path).status_code
                led_on = methods.get("GET", rules.ANYONE).sessions == status
                if (status not in (405, rules.SIGN_IN) and not led_on) or seen.tables or seen.done:
                    wrong.append(f"{method} {route} {name}: {status} {seen.tables}")
    assert wrong == [], "\n".join(wrong)


def some_of(room: Room, method: str) -> list[Caller]:
    """Everybody for forms; for reading nobody, the sessions, and a token that sees and one that does not."""
    everybody = [room.callers[name] for name in (*PLAIN, "reader:session")]
    tokens = ("developer:read", "developer:publish")
    return everybody if method == "POST" else [one for one in everybody if not one.is_token or one.name in tokens]


def complaints(route: str, method: str, may: May, asked: tuple[Room, Caller, str]) -> list[str]:
    """What is wrong with the answer to one cell."""
    _, caller, target = asked
    path = asked_of_pages.address(route, asked)
    with undone() as seen:
        answer = caller.ask(method, path, **asked_of_pages.request(route, method, asked))
    status = status_of(answer, seen)
    declared = rules.foretell(may, caller, target)
    where = f"{method} /{route} {caller.name} {target}: "
    if status != declared:
        return [f"{where}{status}, declared {declared}"]
    if method != "POST":
        return [where + one for one in _about_reading(seen)]
    silent = route in UNNOTED or (may.sessions and caller.is_session)
    silent = silent or (route in NOTED_FOR_SESSIONS and not caller.is_session)
    return [where + one for one in _about_traces(status, seen, 0 if silent else 1)]


def status_of(answer: Any, seen: Seen) -> int:
    """What the answer means: being led to the sign-in page is a 401; a redirect that tells of a refusal is a 403."""
    if answer.status_code == 302 and answer["Location"].startswith(SIGN_IN_PAGES):
        return rules.SIGN_IN
    if answer.status_code == 302 and seen.refused:
        return rules.FORBIDDEN
    return int(answer.status_code)


def _about_reading(seen: Seen) -> list[str]:
    return [f"reading wrote to {seen.tables}"] if seen.tables or seen.done or seen.refused else []


def _about_traces(status: int, seen: Seen, wanted: int) -> list[str]:
    """Every write and every forbidden one leaves one event; what is refused leaves nothing else."""
    if status < 400:
        return [] if (seen.done, seen.refused) == (wanted, 0) else [f"done, and {seen.done} events tell of it"]
    found = [f"refused, and wrote to {seen.tables}"] if seen.tables else []
    if status == rules.FORBIDDEN and (seen.done, seen.refused) != (0, 1):
        found.append(f"refused, and {seen.refused} events tell of it")
    return found
