"""Who may do what over the API: contract sections 1, 3 to 5 and 7, one line for each route and method."""

from tests.authorization.rules import (
    A_PERSON,
    ANYONE,
    CREDENTIALS,
    FORBIDDEN,
    HIDDEN,
    OWN_OR_FOREIGN,
    PACKAGES,
    SIGNED_IN,
    WHO_SEES,
    May,
    holders_of,
)  # fmt: skip

PACKAGE = "packages/<package:name>"
VERSION = f"{PACKAGE}/versions/<version:version>"
DECIDES = holders_of("review", targets=PACKAGES, sees=True)
WAIVES = holders_of("review", targets=OWN_OR_FOREIGN, sees=True)
SELLS = holders_of("licenses", writes=True)
RETIRES = holders_of("admin", targets=PACKAGES, sees=True)
PUTS_INTO = holders_of("publish", 201, targets=PACKAGES, foreign=FORBIDDEN, writes=True)
# Not even an admin: whoever sees the successor of another's token acts as them.
ROTATES = SIGNED_IN(done=201, targets=CREDENTIALS, foreign=HIDDEN, itself=True, admins_too=True)

API: dict[str, dict[str, May]] = {
    # the catalogue
    "packages": {"GET": ANYONE, "POST": PUTS_INTO},
    "packages/publish": {"POST": PUTS_INTO},
    "packages/stats/categories": {"GET": ANYONE},
    "explain": {"GET": WHO_SEES},
    "registry/sync/status": {"GET": ANYONE},
    "sync": {"GET": holders_of("sync"), "POST": holders_of("sync", 202)},
    "sync/<uuid:id>": {"GET": holders_of("sync")},
    "sync/<uuid:id>/cancel": {"POST": holders_of("sync")},
    PACKAGE: {"GET": WHO_SEES},
    f"{PACKAGE}/resolve": {"GET": WHO_SEES},
    # versions
    VERSION: {"GET": WHO_SEES, "DELETE": RETIRES(done=202)},
    f"{VERSION}/download": {"GET": WHO_SEES},
    f"{VERSION}/files/<filename:filename>": {"GET": WHO_SEES},
    f"{VERSION}/sbom": {"GET": WHO_SEES},
    f"{VERSION}/signature": {"GET": WHO_SEES},
    f"{VERSION}/approve": {"POST": DECIDES},
    f"{VERSION}/reject": {"POST": DECIDES},
    f"{VERSION}/restore": {"POST": RETIRES},
    # credentials: a stolen token must not multiply, nor sign
    "me": {"GET": SIGNED_IN},
    "tokens": {"GET": SIGNED_IN, "POST": A_PERSON(done=201, or_admin_token=True, unbound=True)},
    "tokens/<uuid:id>": {"DELETE": SIGNED_IN(done=204, targets=CREDENTIALS, foreign=HIDDEN)},
    "tokens/<uuid:id>/rotate": {"POST": ROTATES},
    "signing-keys": {"GET": SIGNED_IN, "POST": A_PERSON(done=201)},
    "signing-keys/<int:id>": {
        "DELETE": A_PERSON(done=204, targets=OWN_OR_FOREIGN, foreign=HIDDEN, admins_too=True),
    },
    # licences and flaws
    "licenses": {"GET": SELLS, "POST": SELLS(done=201)},
    "licenses/validate": {"POST": ANYONE(only_asks=True)},
    "licenses/<key:id>": {
        "GET": SELLS(targets=OWN_OR_FOREIGN, tenant=True),
        "PUT": SELLS(targets=OWN_OR_FOREIGN, tenant=True),
        "DELETE": SELLS(done=204, targets=OWN_OR_FOREIGN, tenant=True),
    },
    "licenses/<path:spdx>": {"GET": ANYONE},
    "security/scans": {"POST": DECIDES(done=202)},
    "security/scans/<package:name>": {"GET": WHO_SEES},
    "security/scans/<str:scope>/<str:name>": {"GET": WHO_SEES},
    "security/waivers": {"GET": SIGNED_IN, "POST": WAIVES(done=201)},
    "security/waivers/<int:id>": {"GET": SIGNED_IN(targets=OWN_OR_FOREIGN, sees=True), "DELETE": WAIVES(done=204)},
    "audit": {"POST": ANYONE(only_asks=True)},
    "advisories": {"GET": ANYONE},
    "advisories/<str:id>": {"GET": ANYONE},
    "advisories/<str:id>/recall": {"GET": holders_of("review")},
}
