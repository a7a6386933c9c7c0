"""Who may do what with the simple index and its uploads, one line for each route below /pypi/ and method."""

from tests.authorization.rules import ANYONE, FORBIDDEN, PACKAGES, WHO_SEES, May, holders_of

FILE = "files/<str:name>/<str:version>/<str:filename>"
UPLOADS = holders_of("publish", targets=PACKAGES, foreign=FORBIDDEN, writes=True)

PYPI: dict[str, dict[str, May]] = {
    "simple/": {"GET": ANYONE},
    "simple": {"GET": ANYONE(done=301)},
    "simple/<str:name>/": {"GET": WHO_SEES},
    "simple/<str:name>": {"GET": ANYONE(done=301, targets=PACKAGES)},  # before anybody has looked for it
    FILE: {"GET": WHO_SEES},
    f"{FILE}.metadata": {"GET": WHO_SEES},
    f"{FILE}.provenance": {"GET": WHO_SEES},
    f"integrity{FILE[5:]}/provenance": {"GET": WHO_SEES},
    "legacy/": {"POST": UPLOADS},
    "legacy": {"POST": UPLOADS},
}
# What these open is shown in tests/protocols/test_trust.py.
ELSEWHERE = {"-/package/<str:name>/trust", "-/package/<str:name>/trust/<uuid:id>"}
