"""Where repositories without an index keep their packages: from the path of a file to its name and version.

The one place for such rules. Paths have no slash at their beginning.
"""

import re
from collections.abc import Callable

ARCHIVES = r"(?:tar\.(?:gz|bz2|xz|zst)|tgz|zip|whl|jar|exe|msi|deb|rpm|dmg|pkg|bin|iso|gz|xz)"
SDIST = re.compile(r"(?P<name>[A-Za-z0-9._-]+?)-(?P<version>[0-9][A-Za-z0-9.!+_]*)\.(?:tar\.gz|zip)", re.ASCII)
WHEEL = re.compile(r"(?P<name>[A-Za-z0-9._]+)-(?P<version>[^-]+)(?:-[0-9][^-]*)?-[^-]+-[^-]+-[^-]+\.whl", re.ASCII)
PLAIN = re.compile(rf"(?P<name>.+?)[-_]v?(?P<version>[0-9][A-Za-z0-9.+-]*?)\.{ARCHIVES}", re.ASCII)

Named = tuple[str, str]
Rule = Callable[[str], "Named | None"]


def npm(path: str) -> Named | None:
    """`NAME/-/NAME-1.0.0.tgz`; the file of a scoped package is with its scope or, in caches, without."""
    name, dash, file = path.partition("/-/")
    base = name.rpartition("/")[2] + "-"
    file = file.rpartition("/")[2]
    if not dash or not file.endswith(".tgz") or not file.startswith(base):
        return None
    return name, file[len(base) : -len(".tgz")]


def pypi(path: str) -> Named | None:
    """Wheels and sdists, by their own names (PEP 503); in `NAME/1.0/…` the folder tells the version."""
    *folders, file = path.split("/")
    told = _by_folder(folders[-1], file) if len(folders) > 1 else None
    if told is None and (found := WHEEL.fullmatch(file) or SDIST.fullmatch(file)):
        told = found["name"], found["version"]
    return (re.sub(r"[-_.]+", "-", told[0]).lower(), told[1]) if told else None


def _by_folder(version: str, file: str) -> Named | None:
    for ending in (".tar.gz", ".zip"):
        if file.endswith(f"-{version}{ending}"):
            return file[: -len(f"-{version}{ending}")], version
    return None


def generic(path: str) -> Named | None:
    """`NAME/1.0/FILE`, folders above the name joined with dots; else `NAME-1.0.tar.gz`."""
    *folders, file = path.split("/")
    if len(folders) > 1:
        return ".".join(folders[:-1]), folders[-1]
    found = PLAIN.fullmatch(file)
    return (found["name"], found["version"]) if found else None


RULES: dict[str, Rule] = {"npm": npm, "pypi": pypi, "generic": generic}
HIDDEN = (".npm/", ".pypi/", ".index/", ".jfrog/")  # where servers keep their own notes


def is_hidden(path: str) -> bool:
    """Whether the file is a server's own, and no package."""
    return path.startswith(HIDDEN)


def is_package_file(ecosystem: str, path: str) -> bool:
    """Whether the file claims, by its ending, to be a package; beside them lie indexes, signatures and notes."""
    endings = {"npm": (".tgz",), "pypi": (".whl", ".tar.gz", ".zip")}.get(ecosystem)
    return endings is None or path.endswith(endings)
