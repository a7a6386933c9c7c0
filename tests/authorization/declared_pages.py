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
# Without credentials of the portal's own at GitHub these are not there; with them, see tests/accounts/test_github.py.
NOT_CONFIGURED = ANYONE(done=HIDDEN)
BY_OWNERS = OWN_THINGS(owner=True)
KEYS_OF_OWNERS = BY_OWNERS(admins_too=False)
LOOKED_AT_BY_OWNERS = BY_OWNERS(done=200)
MAINTAINS = holders_of("review", 302, targets=PACKAGES, sees=True)
RETIRES = holders_of("admin", 302, targets=PACKAGES, sees=True)

PAGES: dict[str, dict[str, May]] = {
    # the catalogue
    "": {"GET": ANYONE},
    "packages": {"GET": ANYONE},
    PAGE: {"GET": WHO_SEES},
    f"{PAGE}/versions/<str:version>": {"GET": WHO_SEES},
    # the address alone does not say which finding is meant
    f"{PAGE}/versions/<str:version>/waive": {"GET": MAINTAINS(done=HIDDEN), "POST": MAINTAINS},
    f"{PAGE}/versions/<str:version>/scan": {"POST": MAINTAINS},
    f"{PAGE}/versions/<str:version>/unlist": {"POST": RETIRES},
    f"{PAGE}/versions/<str:version>/restore": {"POST": RETIRES},
    "waivers/<int:waiver_id>/end": {"POST": holders_of("review", 302, targets=OWN_OR_FOREIGN, sees=True)},
    "submit": {"GET": ANYONE, "POST": holders_of("publish", 302, targets=PACKAGES, foreign=FORBIDDEN, writes=True)},
    "status": {"GET": ANYONE},
    "audit": {"GET": ANYONE, "POST": ANYONE},
    "profile": {"GET": SIGNED_IN},
    # sign-in and profile
    "sign-in": {"GET": ANYONE(sessions=302), "POST": ANYONE(done=302, sessions=302)},
    "sign-in/code": {"GET": ANYONE(done=302), "POST": ANYONE(done=302)},  # nobody here is half signed in
    "sign-in/terminal/<uuid:login_id>": {"GET": PERSONAL, "POST": PERSONAL},
    "sign-in/github": {"POST": NOT_CONFIGURED},
    "sign-in/github/callback": {"GET": NOT_CONFIGURED},
    "sign-out": {"POST": ANYONE(done=302)},
    "profile/password": {"GET": PERSONAL, "POST": SENT},
    "profile/security": {"GET": PERSONAL},
    "profile/security/github": {"POST": NOT_CONFIGURED},
    "profile/security/github/disconnect": {"POST": SENT},
    # asked with a code that no app shows
    "profile/security/second-factor": {"GET": PERSONAL, "POST": PERSONAL(done=400)},
    "profile/security/second-factor/codes": {"POST": PERSONAL(done=400)},
    "profile/security/second-factor/off": {"POST": PERSONAL(done=400)},
    "profile/tokens": {"GET": PERSONAL, "POST": PERSONAL},
    "profile/tokens/<uuid:token_id>/revoke": {"POST": OWN_THINGS},
    "profile/keys": {"GET": PERSONAL, "POST": SENT},
    "profile/keys/<int:key_id>/remove": {"POST": OWN_THINGS},
    "profile/notices": {"GET": PERSONAL},
    "profile/privacy": {"GET": PERSONAL},
    "profile/privacy/download": {"POST": PERSONAL},
    # asked with a wrong password, so that the one admin of the room need not go
    "profile/privacy/delete": {"POST": PERSONAL(done=400)},
    "profile/projects": {"GET": PERSONAL, "POST": SENT},
    "profile/projects/<slug:slug>/default": {"POST": OWN_THINGS},
    "profile/projects/<slug:slug>/settings": {"POST": BY_OWNERS},
    "profile/projects/<slug:slug>/members": {"POST": BY_OWNERS},
    "profile/projects/<slug:slug>/members/<int:user_id>/remove": {"POST": BY_OWNERS},
    # whom packages trust: members see it through the API
    "profile/projects/<slug:slug>/pipelines": {"GET": LOOKED_AT_BY_OWNERS, "POST": BY_OWNERS},
    "profile/projects/<slug:slug>/pipelines/<uuid:trust_id>/remove": {"POST": BY_OWNERS},
    # webhooks: members may not even look, since addresses and answers are the receiver's business
    "profile/projects/<slug:slug>/webhooks": {"GET": LOOKED_AT_BY_OWNERS, "POST": BY_OWNERS(done=200)},
    "profile/webhooks/<int:webhook_id>": {"GET": LOOKED_AT_BY_OWNERS, "POST": BY_OWNERS},
    "profile/webhooks/<int:webhook_id>/secret": {"POST": BY_OWNERS(done=200)},
    "profile/webhooks/<int:webhook_id>/remove": {"POST": BY_OWNERS},
    "profile/webhooks/<int:webhook_id>/test": {"POST": BY_OWNERS},
    "profile/webhooks/<int:webhook_id>/deliveries/<int:delivery_id>": {"POST": BY_OWNERS},
    # sold keys: what they are worth is their seller's business; admins issue them for any project
    "profile/projects/<slug:slug>/license-keys": {"GET": KEYS_OF_OWNERS(done=200), "POST": KEYS_OF_OWNERS},
    "profile/projects/<slug:slug>/license-keys/list": {"POST": KEYS_OF_OWNERS},
    # the address alone does not say which keys are meant
    "profile/projects/<slug:slug>/license-keys/csv": {"GET": KEYS_OF_OWNERS(done=HIDDEN)},
    "profile/license-keys/<uuid:id>": {"GET": KEYS_OF_OWNERS(done=200)},
    "profile/license-keys/<uuid:id>/suspend": {"POST": KEYS_OF_OWNERS},
    "profile/license-keys/<uuid:id>/resume": {"POST": KEYS_OF_OWNERS},
    "profile/license-keys/<uuid:id>/remove": {"POST": KEYS_OF_OWNERS},
    # what the portal says of itself
    "api/schema": {"GET": ANYONE},
    "api/docs": {"GET": ANYONE},
    "health": {"GET": ANYONE(done=503)},  # no worker runs beside these tests
    "admin": {"GET": ANYONE(done=302)},
}
# No event: sending the sign-in form of someone signed in, a code nobody asked for, disconnecting what is not there.
UNNOTED = {
    "audit",  # which only asks
    "sign-in/code",
    "profile/security/github/disconnect",
    "profile/license-keys/<uuid:id>/resume",  # of one that was never suspended
}
# Only who was signed in signs out.
NOTED_FOR_SESSIONS = {"sign-out"}
