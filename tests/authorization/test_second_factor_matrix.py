"""Where the roles need a second factor, no cell that only they open opens for their sessions without one."""

import pytest

from tests.authorization import rules
from tests.authorization.declared_admin import admin_routes
from tests.authorization.declared_api import API
from tests.authorization.rooms import Room
from tests.authorization.test_admin_matrix import SESSION_ROUTES, address, forms, posted, status_of, tables
from tests.authorization.test_api_matrix import ask
from tests.authorization.watching import undone

__all__ = ["tables"]
pytestmark = pytest.mark.once
SESSIONS = ("maintainer:session", "admin:session")


def test_the_api_refuses_every_cell_of_these_roles_and_says_why(room: Room, settings):
    settings.MFA_REQUIRED_ROLES = ["maintainer", "admin"]
    wrong, asked = [], 0
    for route, methods in API.items():
        for method, may in methods.items():
            if may.scope not in ("review", "admin"):
                continue
            for caller in (room.callers[name] for name in SESSIONS):
                asked += 1
                answer, seen = ask("v1/", route, method, (room, caller, may.targets[-1]))
                if answer.status_code != 403 or b"only with a second factor" not in answer.content or seen.done:
                    wrong.append(f"{method} {route} {caller.name}: {answer.status_code} {answer.content[:120]!r}")
    assert wrong == [], "\n".join(wrong)
    assert asked >= 12


def test_the_admin_opens_no_door(tables: Room, settings):
    settings.MFA_REQUIRED_ROLES = ["maintainer", "admin"]
    caller = tables.callers["admin:session"]
    wrong, asked = [], 0
    for route, methods in admin_routes().items():
        for method in methods:
            if route in SESSION_ROUTES:
                continue
            form = forms(route, tables) if method == "POST" else None
            asked += 1
            with undone() as seen:
                path = f"/admin/{address(route, tables)}"
                answer = caller.ask(method, path, **(posted(form) if form is not None else {}))
            if status_of(answer, caller) != rules.FORBIDDEN or seen.tables or seen.done:
                wrong.append(f"{method} {route}: {answer.status_code} {seen.tables}")
    assert wrong == [], "\n".join(wrong)
    assert asked > 100
