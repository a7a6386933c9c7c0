"""Every route by which clients might get at bytes or names, and how each is asked. A new route is declared here first.

`fill` takes {name}, {version}, {file}, {stage} and {word} of the package that must not be found. A route that can tell
nothing of any package says why in SILENT.
"""

from dataclasses import dataclass
from typing import Any

NPM_NAME = "<npm-name:name>"
NPM_FILE = f"{NPM_NAME}/-/<tarball:filename>"
PYPI_FILE = "files/<str:name>/<str:version>/<str:filename>"


@dataclass(frozen=True)
class Way:
    """Paths below the base that this route answers; `is_open` where everybody who sees the package gets something."""

    paths: tuple[str, ...]
    is_open: bool = True
    body: Any = None  # makes it a POST


NPM: dict[str, Way] = {
    NPM_NAME: Way(("{name}", "{slashed}", "{name}?write=true")),
    f"{NPM_NAME}/<npm-version:version>": Way(("{name}/{version}", "{slashed}/v{version}", "{slashed}/latest")),
    "<npm-scoped:name>/<npm-tag:version>": Way(("{slashed}/sneaky", "{name}/sneaky")),
    NPM_FILE: Way(("{slashed}/-/{file}", "{name}/-/{file}", "{slashed}/-/@acme/{file}")),
    f"-/package/{NPM_NAME}/dist-tags": Way(("-/package/{name}/dist-tags",)),
    "-/v1/search": Way(("-/v1/search?text={word}", "-/v1/search?text=scope:acme", "-/v1/search?size=250")),
    "-/npm/v1/security/advisories/bulk": Way(
        ("-/npm/v1/security/advisories/bulk",), is_open=False, body={"{plain}": ["{version}"]}
    ),
    "-/stage": Way(("-/stage", "-/stage?package={plain}"), is_open=False),
    "-/stage/<uuid:id>": Way(("-/stage/{stage}",), is_open=False),
    "-/stage/<uuid:id>/tarball": Way(("-/stage/{stage}/tarball",), is_open=False),
    f"-/package/{NPM_NAME}/trust": Way(("-/package/{name}/trust",), is_open=False),
}
PYPI: dict[str, Way] = {
    "simple/": Way(("simple/",)),
    "simple": Way(("simple",)),
    "simple/<str:name>/": Way(("simple/{name}/",)),
    "simple/<str:name>": Way(("simple/{name}",)),
    PYPI_FILE: Way(("files/{name}/{version}/{file}",)),
    f"{PYPI_FILE}.metadata": Way(("files/{name}/{version}/{file}.metadata",)),
    f"{PYPI_FILE}.provenance": Way(("files/{name}/{version}/{file}.provenance",), is_open=False),
    "integrity/<str:name>/<str:version>/<str:filename>/provenance": Way(
        ("integrity/{name}/{version}/{file}/provenance",), is_open=False
    ),
    "-/package/<str:name>/trust": Way(("-/package/{name}/trust",), is_open=False),
}
# The routes of the API that send files; that there are no others is shown in test_undecided_bytes.py.
VERSION = "packages/<package:name>/versions/<version:version>"
API: dict[str, Way] = {
    f"{VERSION}/download": Way(("packages/{slashed}/versions/{version}/download",)),
    f"{VERSION}/files/<filename:filename>": Way(("packages/{slashed}/versions/{version}/files/{file}",)),
}
SILENT = {
    "npm/": {
        "-/ping": "an empty object",
        "-/whoami": "of the caller alone",
        "-/v1/login": "of a terminal",
        "-/v1/done/<str:secret>": "of a terminal",
        "-/user/org.couchdb.user:<str:username>": "a token for a password",
        "-/user/token/<str:token>": "ends a token",
        "-/npm/v1/tokens": "of the caller alone",
        "-/npm/v1/tokens/token/<str:key>": "ends a token",
        "-/npm/v1/user": "of the caller alone",
        "-/npm/v1/keys": "the registry's own keys",
        "-/npm/v1/security/audits": "the same as bulk, in an older shape; a POST of what the caller names",
        "-/npm/v1/security/audits/quick": "likewise",
        f"-/npm/v1/oidc/token/exchange/package/{NPM_NAME}": "takes an ID token",
        f"-/stage/package/{NPM_NAME}": "takes a file",
        "-/stage/<uuid:id>/approve": "decides, and names what its caller may decide",
        f"-/package/{NPM_NAME}/trust/<uuid:id>": "changes whom a package trusts",
        f"-/package/{NPM_NAME}/dist-tags/<str:tag>": "moves a tag",
        f"{NPM_FILE}/-rev/<str:rev>": "takes a version away",
        f"npm/{NPM_FILE}/-rev/<str:rev>": "takes a version away",
        f"npm/<slug:doubled>/{NPM_FILE}/-rev/<str:rev>": "takes a version away",
        f"{NPM_NAME}/-rev/<str:rev>": "takes versions away",
        f"{NPM_NAME}/<npm-tag:version>": "the door of versions, below a project's base",
    },
    "pypi/": {
        "legacy/": "takes a file",
        "legacy": "takes a file",
        "-/package/<str:name>/trust/<uuid:id>": "changes whom a package trusts",
    },
}
