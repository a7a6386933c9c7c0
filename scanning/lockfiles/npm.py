"""package-lock.json and npm-shrinkwrap.json, versions 1 to 3, as the npm client writes them."""

from typing import Any

from scanning.lockfiles.base import Lockfile, Pin, fault, license_text, shown, text_of
from scanning.lockfiles.structures import json_object

FOLDER = "node_modules/"
ALIAS = "npm:"
ELSEWHERE = ("git+", "git:", "git@", "github:", "gitlab:", "bitbucket:", "gist:", "ssh:", "file:")
OWN = "A folder of this project; it came from no registry."
LINKED = "A link to a folder; what lies there came from no registry."
FROM_ELSEWHERE = "It comes from a repository or a file, and advisories speak of what registries publish."


def looks_alike(document: dict[str, Any]) -> bool:
    """Whether the JSON document is one."""
    return "lockfileVersion" in document


def read(text: str) -> Lockfile:
    """The packages below node_modules, aliases by their real names. Raises InvalidInput."""
    document, found = json_object(text), Lockfile()
    if isinstance(document.get("packages"), dict):
        _read_paths(document["packages"], found)
    elif isinstance(document.get("dependencies"), dict):
        _read_tree(document["dependencies"], found)
    elif not looks_alike(document):
        raise fault("It has neither “packages” nor “dependencies”, as a package-lock.json has.")
    return found


def _read_paths(packages: dict[str, Any], found: Lockfile) -> None:
    """Versions 2 and 3: every installed folder with what lies in it. The empty path is the project itself."""
    for path, entry in packages.items():
        where = f"packages[“{shown(path)}”]"
        if not isinstance(entry, dict):
            raise fault("The entry is no object.", where)
        if not path:
            found.license = _license(entry.get("license"))
            continue
        if entry.get("link"):
            if text_of(entry, "resolved", where) not in packages:
                found.leave(path, LINKED)
        elif FOLDER not in path:
            found.leave(path, OWN)
        else:
            name = text_of(entry, "name", where) or path.rpartition(FOLDER)[2]
            _add(name, text_of(entry, "version", where), text_of(entry, "resolved", where), where, found)


def _license(value: object) -> str:
    """The text, or the type of the object that old manifests have."""
    return license_text(value.get("type") if isinstance(value, dict) else value)


def _read_tree(dependencies: dict[str, Any], found: Lockfile) -> None:
    """Version 1: dependencies inside dependencies."""
    waiting = [(name, entry, "dependencies") for name, entry in dependencies.items()]
    while waiting:
        name, entry, above = waiting.pop()
        where = f"{above}[“{shown(name)}”]"
        if not isinstance(entry, dict):
            raise fault("The entry is no object.", where)
        _add(name, text_of(entry, "version", where), text_of(entry, "resolved", where), where, found)
        below = entry.get("dependencies", {})
        if not isinstance(below, dict):
            raise fault("“dependencies” is no object.", where)
        waiting += [(each, one, "dependencies") for each, one in below.items()]


def _add(name: str, version: str, resolved: str, where: str, found: Lockfile) -> None:
    """A version may be an alias (npm:name@version) or an address instead."""
    if version.startswith(ALIAS):
        name, _, version = version.removeprefix(ALIAS).rpartition("@")
    is_address = "://" in version or version.startswith(ELSEWHERE)
    is_elsewhere = is_address or resolved.startswith(ELSEWHERE)
    doubt = FROM_ELSEWHERE if is_elsewhere else ""
    found.add(Pin("npm", name, "" if is_address else version, doubt), where)
