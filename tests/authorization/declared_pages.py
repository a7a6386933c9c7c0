"""Who may open which page and send which form: contract sections 3 and 5. A page that wants a sign-in leads to it."""

from tests.authorization.rules import (
    ANYONE,
    FORBIDDEN,
    HIDDEN,
    OWN_OR_FOREIGN,
    PACKAGES,
    SIGN_IN,
    SIGNED_IN,
    WHO_SEES,
    May,
    holders_of,
)  # fmt: skip

PAGE = "packages/<slug:ecosystem>/<path:name>"
# The profile is for people at the portal: a token is sent to the sign-in page as nobody is.
PERSONAL = SIGNED_IN(tokens=SIGN_IN)
SENT = PERSONAL(done=302)
OWN_THINGS = SENT(targets=OWN_OR_FOREIGN, foreign=HIDDEN, admins_too=True)
BY_OWNERS = OWN_THINGS(owner=True)

PAGES: dict[str, dict[str, May]] = {
    # the catalogue
    "": {"GET": ANYONE},
    "packages": {"GET": ANYONE},
    PAGE: {"GET": WHO_SEES},
    f"{PAGE}/versions/<str:version>": {"GET": WHO_SEES},
    "submit": {"GET": ANYONE, "POST": holders_of("publish", 302, targets=PACKAGES, foreign=FORBIDDEN)},
    "profile": {"GET": SIGNED_IN},
    # sign-in and profile
    "sign-in": {"GET": ANYONE(sessions=302), "POST": ANYONE(done=302, sessions=302)},
    "sign-out": {"POST": ANYONE(done=302)},
    "profile/password": {"GET": PERSONAL, "POST": SENT},
    "profile/tokens": {"GET": PERSONAL, "POST": PERSONAL},
    "profile/tokens/<uuid:token_id>/revoke": {"POST": OWN_THINGS},
    "profile/keys": {"GET": PERSONAL, "POST": SENT},
    "profile/keys/<int:key_id>/remove": {"POST": OWN_THINGS},
    "profile/privacy": {"GET": PERSONAL},
    "profile/privacy/download": {"POST": PERSONAL},
    # asked with a wrong password, so that the one admin of the room need not go
    "profile/privacy/delete": {"POST": PERSONAL(done=400)},
    "profile/projects": {"GET": PERSONAL, "POST": SENT},
    "profile/projects/<slug:slug>/default": {"POST": OWN_THINGS},
    "profile/projects/<slug:slug>/settings": {"POST": BY_OWNERS},
    "profile/projects/<slug:slug>/members": {"POST": BY_OWNERS},
    "profile/projects/<slug:slug>/members/<int:user_id>/remove": {"POST": BY_OWNERS},
    # what the portal says of itself
    "api/schema": {"GET": ANYONE},
    "api/docs": {"GET": ANYONE},
    "health": {"GET": ANYONE},
}
# No event: sending the sign-in form of someone signed in, ending a session, choosing what one sees first.
UNNOTED = {"sign-out", "profile/projects/<slug:slug>/default"}
