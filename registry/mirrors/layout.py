"""Where everything stands on a region, so that a plain web server can answer from it under the paths of the API.

    files/sha256/ab/cd/<digest>                                     the bytes, once
    packages/<ecosystem>/<scope or ->/<name>/package.json           the document, by the normal form of the name
    packages/<ecosystem>/<scope or ->/<name>/versions/<version>/download            link to the bytes
    packages/<ecosystem>/<scope or ->/<name>/versions/<version>/files/<filename>    link to the bytes
    names/<ecosystem or any>/<scope or ->/<name>                    link to the folder of the package that is meant

Scope and name are two segments, always, so that package `a` and package `a/b` never want the same place. A link is a
relative symbolic link in a directory, and in a bucket an empty object whose metadata `location` is the target's name
from the region's root. `docs/mirror-nginx.conf` reads it; nothing private has a name here.
"""

from registry import documents, ecosystems
from registry.models import Artifact, Document, Package

NO_SCOPE = "-"  # which no ecosystem takes for a scope
ANY = "any"  # asked for without an ecosystem
DOCUMENT = "package.json"


def file_of(sha256: str) -> str:
    """Where bytes stand, by their digest."""
    return f"files/sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def home_of(ecosystem: str, normalized: str) -> str:
    """The folder of a package."""
    return f"packages/{ecosystem}/{_two_segments(normalized)}"


def document_of(package: Package) -> str:
    """Where the document of the package stands."""
    return f"{home_of(package.ecosystem, package.normalized)}/{DOCUMENT}"


def links_of(package: Package, artifact: Artifact, *, is_first: bool) -> dict[str, str]:
    """The names of a file and where they lead; the first file of a version is what its `download` gives."""
    version = f"{home_of(package.ecosystem, package.normalized)}/versions/{artifact.release.version}"
    target = file_of(artifact.sha256)
    named = {f"{version}/files/{artifact.filename}": target}
    return {f"{version}/download": target, **named} if is_first else named


def names_of(package: Package) -> dict[str, str]:
    """The links by which the package is found, and where they must lead now: "" where they must not stand.

    Its own name and the normal form of it, in its ecosystem; and either of them without an ecosystem, which means
    the earliest registered public package of that name and so may lead to another one. One query for each spelling.
    """
    home = "" if package.is_private else home_of(package.ecosystem, package.normalized)
    found = {}
    for name in {package.name, package.normalized}:
        found[f"names/{package.ecosystem}/{_two_segments(name)}"] = home
        found[f"names/{ANY}/{_two_segments(name)}"] = _meant_by(name)
    return found


def _meant_by(name: str) -> str:
    """The folder of the package that the name means without an ecosystem, or ""."""
    keys = [documents.lookup_key(one.slug, name) for one in ecosystems.ALL]
    public = Document.objects.filter(lookup__in=keys, kind="detail", private=False)
    lookup = public.order_by("package_id").values_list("lookup", flat=True).first()
    if lookup is None:
        return ""
    ecosystem, _colon, normalized = lookup.partition(":")
    return home_of(ecosystem, normalized)


def _two_segments(name: str) -> str:
    scope, _slash, rest = name.rpartition("/")
    return f"{scope or NO_SCOPE}/{rest}"
