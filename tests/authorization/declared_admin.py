"""Who may do what in the admin: it opens for maintainers and admins; each table says who writes what."""

from tests.authorization.rules import ANYONE, FORBIDDEN, May, holders_of

# Tokens do not open the admin: it is for people.
LOOKS = holders_of("review", tokens=401)
WRITES = holders_of("admin", tokens=401)
NOBODY = LOOKS(done=FORBIDDEN)
HISTORY = {"add": NOBODY, "change": NOBODY, "delete": NOBODY}
KEPT = {"add": WRITES, "change": WRITES, "delete": NOBODY}

# What maintainers and admins may write; everybody in the admin may read every table.
TABLES: dict[str, dict[str, May]] = {
    # people and credentials
    "accounts/user": KEPT,
    "accounts/project": KEPT,
    "accounts/membership": KEPT | {"delete": WRITES},
    "accounts/apitoken": HISTORY,
    "accounts/signingkey": HISTORY,
    "accounts/auditevent": HISTORY,
    "auth/group": HISTORY,
    # packages
    "registry/package": KEPT | {"add": NOBODY},
    "registry/product": KEPT | {"add": NOBODY},
    "registry/release": HISTORY,
    "registry/artifact": HISTORY,
    "registry/blob": HISTORY,
    "registry/check": HISTORY,
    "registry/decision": HISTORY,
    "registry/document": HISTORY,
    "registry/change": HISTORY,
    "registry/downloadcount": HISTORY,
    "registry/downloadrecord": HISTORY,
    "registry/job": HISTORY,
    "registry/registrykey": HISTORY,
    "registry/trustedpublisher": HISTORY,
    "mirrors/mirror": KEPT,
    "mirrors/debt": HISTORY,
    "mirrors/replica": HISTORY,
    "upstreams/upstream": KEPT,
    "upstreams/syncrun": HISTORY,
    "upstreams/offer": HISTORY,
    "upstreams/errand": HISTORY,
    "upstreams/shelf": HISTORY,
    "webhooks/webhook": KEPT | {"delete": WRITES},
    "webhooks/delivery": HISTORY,
    # policy
    "licensing/licensekey": HISTORY,
    "licensing/licensepolicy": KEPT | {"delete": WRITES},
    "scanning/advisory": HISTORY,
    "scanning/advisorysource": KEPT | {"delete": WRITES},
    "scanning/finding": HISTORY,
    "scanning/scan": HISTORY,
    "scanning/scanpolicy": KEPT,  # the instance's row stays; a project's may go
    "scanning/waiver": KEPT | {"add": LOOKS, "change": NOBODY},
}

# Being led on within the admin counts as done; being led to its sign-in does not.
VIEWS: dict[str, dict[str, May]] = {
    "": {"GET": LOOKS},
    "tables/": {"GET": LOOKS},
    "security/": {"GET": LOOKS},
    "queue/decide/": {"POST": LOOKS},
    "review/<int:release_id>/": {"GET": LOOKS},
    "review/<int:release_id>/file/": {"GET": LOOKS},
    "review/<int:release_id>/archive/": {"GET": LOOKS},
    "review/<int:release_id>/decide/": {"POST": LOOKS},
    "login/": {"GET": LOOKS(signed_in=False, tokens=200), "POST": LOOKS(signed_in=False, tokens=200)},
    "logout/": {"POST": ANYONE},
    "password_change/": {"GET": LOOKS},
    "password_change/done/": {"GET": LOOKS},
    "autocomplete/": {"GET": LOOKS},
    "jsi18n/": {"GET": LOOKS},
    "r/<path:content_type_id>/<path:object_id>/": {"GET": LOOKS(done=404)},
    "mirrors/mirror/<path:object_id>/do/<slug:verb>/": {"POST": WRITES},
    "upstreams/upstream/<path:object_id>/sync/": {"POST": WRITES},
    "upstreams/syncrun/<path:object_id>/cancel/": {"POST": WRITES},
    "accounts/user/<id>/password/": {"GET": WRITES, "POST": WRITES},
    "scanning/advisory/<path:object_id>/recall/": {"GET": LOOKS, "POST": LOOKS},
    "^(?P<app_label>accounts|auth|registry|mirrors|upstreams|webhooks|licensing|scanning)/$": {"GET": LOOKS},
    "(?P<url>.*)$": {"GET": LOOKS(done=404)},
}


def admin_routes() -> dict[str, dict[str, May]]:
    """The views, and for each table its list, its forms and its history."""
    found = dict(VIEWS)
    for table, verbs in TABLES.items():
        row = f"{table}/<path:object_id>/"
        found |= {
            f"{table}/": {"GET": LOOKS},
            row: {"GET": LOOKS},
            f"{row}history/": {"GET": LOOKS},
            f"{table}/add/": {"GET": verbs["add"], "POST": verbs["add"]},
            f"{row}change/": {"GET": LOOKS, "POST": verbs["change"]},
            f"{row}delete/": {"GET": verbs["delete"], "POST": verbs["delete"]},
        }
    return found
