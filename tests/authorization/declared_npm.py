"""Who may do what over npm's protocol, one line for each route below /npm/ and method."""

from tests.authorization.rules import (
    ANYONE,
    CREDENTIALS,
    FORBIDDEN,
    HIDDEN,
    PACKAGES,
    SIGNED_IN,
    WHO_SEES,
    May,
    holders_of,
)  # fmt: skip

NAME = "<npm-name:name>"
FILE = f"{NAME}/-/<tarball:filename>"
PUBLISHES = holders_of("publish", 201, targets=PACKAGES, foreign=FORBIDDEN, writes=True)
CHANGES = PUBLISHES(sees=True)
RETIRES = holders_of("admin", targets=PACKAGES, sees=True)
# One's own, by whichever of one's credentials; others' do not exist.
REVOKES = SIGNED_IN(targets=CREDENTIALS, foreign=HIDDEN, admins_too=True)

NPM: dict[str, dict[str, May]] = {
    "-/ping": {"GET": ANYONE},
    "-/whoami": {"GET": SIGNED_IN},
    # signing in: whoever asks is nobody yet
    "-/v1/login": {"POST": ANYONE},
    "-/v1/done/<str:secret>": {"GET": ANYONE(done=202)},  # nobody has confirmed
    "-/user/org.couchdb.user:<str:username>": {"PUT": ANYONE(done=201)},
    "-/user/token/<str:token>": {"DELETE": REVOKES},
    "-/npm/v1/tokens": {"GET": SIGNED_IN, "POST": SIGNED_IN(done=201)},
    "-/npm/v1/tokens/token/<str:key>": {"DELETE": REVOKES(done=204)},
    "-/npm/v1/user": {"GET": SIGNED_IN},
    # packages
    "-/v1/search": {"GET": ANYONE},
    f"-/package/{NAME}/dist-tags": {"GET": WHO_SEES},
    f"-/package/{NAME}/dist-tags/<str:tag>": {"PUT": CHANGES, "DELETE": CHANGES(done=200)},
    FILE: {"GET": WHO_SEES},
    f"{FILE}/-rev/<str:rev>": {"DELETE": RETIRES},
    f"{NAME}/-rev/<str:rev>": {"PUT": RETIRES, "DELETE": RETIRES},
    f"{NAME}/<npm-version:version>": {"GET": WHO_SEES},
    "<npm-scoped:name>/<npm-tag:version>": {"GET": WHO_SEES},
    NAME: {"GET": WHO_SEES, "PUT": PUBLISHES},
    f"npm/{FILE}/-rev/<str:rev>": {"DELETE": RETIRES},  # as npm unpublish writes it
}
# What these open is shown in tests/protocols: test_security.py, test_staging.py, test_trusting.py.
ELSEWHERE = {
    "-/npm/v1/keys",
    "-/npm/v1/security/advisories/bulk",
    "-/npm/v1/security/audits",
    "-/npm/v1/security/audits/quick",
    f"-/npm/v1/oidc/token/exchange/package/{NAME}",
    "-/stage",
    f"-/stage/package/{NAME}",
    "-/stage/<uuid:id>",
    "-/stage/<uuid:id>/tarball",
    "-/stage/<uuid:id>/approve",
    f"-/package/{NAME}/trust",
    f"-/package/{NAME}/trust/<uuid:id>",
}
# Below a project's base alone: the same doors.
OF_PROJECT = {f"npm/<slug:doubled>/{FILE}/-rev/<str:rev>", f"{NAME}/<npm-tag:version>"}
# A terminal that asks is no event; that a person lets it in is one.
UNNOTED = {"-/v1/login"}
