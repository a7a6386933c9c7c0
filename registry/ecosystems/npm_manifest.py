"""package.json, read as plain data and without tolerance: what npm and we would read differently is refused."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from registry.ecosystems.archives import Opened, Want, text_of
from registry.ecosystems.base import Dependency, Manifest, Package
from registry.ecosystems.manifests import (
    LICENSE,
    MANIFEST,
    README,
    is_license,
    is_readme,
    license_texts,
    person_name,
    readme_format,
    refuse_manifest,
    web_address,
)
from registry.ecosystems.manifests import refusing as refusing_in
from registry.ecosystems.naming import shorten
from registry.ecosystems.tar_reading import read_tar_gz

FILE = "package.json"
MAX_DEPTH = 64
MAX_DEPENDENCIES = 5_000

# possessive, and content with an unclosed string, so that no text is scanned twice
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_KINDS = {"dependencies": "runtime", "optionalDependencies": "optional", "peerDependencies": "peer"}
_KINDS |= {"devDependencies": "dev"}
_INSTALL_SCRIPTS = ("preinstall", "install", "postinstall")
_SHORTHAND = re.compile(r"(?:(github|gitlab|bitbucket):)?([\w.-]+/[\w.-]+)", re.ASCII)
_HOSTS = {"": "github.com", "github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}


@contextmanager
def refusing() -> Iterator[None]:
    """Turn a bad name or version inside package.json into its refusal."""
    with refusing_in(FILE):
        yield


def _wanted(path: str) -> Want | None:
    _, _, rest = path.partition("/")
    if rest == FILE:
        return MANIFEST
    if "/" in rest:
        return LICENSE if rest.lower().startswith("licenses/") else None
    return README if is_readme(rest) else LICENSE if is_license(rest) else None


def open_tarball(path: Path) -> tuple[Opened, str]:
    """The strictly read archive and its one top folder, which must hold package.json."""
    opened = read_tar_gz(path, _wanted)
    root = opened.one_root()
    if f"{root}/{FILE}" not in opened.kept:
        raise refuse_manifest(FILE, "is not in the top folder of the archive, so it is no npm package.")
    return opened, root


def load(raw: bytes) -> dict[str, Any]:
    """The JSON object, without duplicate keys, NaN, NUL, lone surrogates or deep nesting; raises Refused."""
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
        _check_depth(text)
        data = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        encoded = json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except UnicodeError as error:
        raise refuse_manifest(FILE, "is not UTF-8 text.") from error
    except ValueError as error:
        raise refuse_manifest(FILE, f"is not valid JSON: {error}.") from error
    if not isinstance(data, dict):
        raise refuse_manifest(FILE, "is not a JSON object.")
    if b"\\u0000" in encoded:
        raise refuse_manifest(FILE, "holds a NUL character.")
    return data


def _check_depth(text: str) -> None:
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[0][0] != '"':
            depth += 1 if token[0] in "[{" else -1
        if depth > MAX_DEPTH:
            raise refuse_manifest(FILE, f"is nested deeper than {MAX_DEPTH} levels.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key “{shorten(twice)}” stands twice in one object")
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def manifest_of(opened: Opened, root: str) -> Manifest:
    """What package.json says; name and version are still to be checked."""
    data = load(opened.kept[f"{root}/{FILE}"])
    name, version = data.get("name"), data.get("version")
    if not isinstance(name, str) or not isinstance(version, str):
        raise refuse_manifest(FILE, "needs a name and a version, both texts.")
    readme = _readme(opened, root)
    return Manifest(
        ecosystem="npm",
        name=name,
        version=version,
        description=_text(data.get("description")),
        homepage=web_address(_text(data.get("homepage"))),
        repository=_repository(data.get("repository")),
        license=_license(data),
        keywords=_keywords(data.get("keywords")),
        authors=_authors(data),
        readme=text_of(opened.kept[readme]) if readme else "",
        readme_format=readme_format(readme) if readme else "text",
        dependencies=tuple(_dependencies(data)),
        install_scripts=_install_scripts(data, opened, root),
        requires=_engines(data.get("engines")),
        raw=data,
    )


def package_of(opened: Opened, root: str, manifest: Manifest, version: str) -> Package:
    """The package under its canonical version and file name."""
    return Package(
        manifest=replace(manifest, version=version),
        kind="tarball",
        filename=f"{manifest.name.rpartition('/')[2]}-{version}.tgz",
        media_type="application/octet-stream",
        entries=opened.entries,
        unpacked_size=opened.unpacked_size,
        license_texts=license_texts(opened.kept),
    )


def _text(value: Any, limit: int = 2_000) -> str:
    return value.strip()[:limit] if isinstance(value, str) else ""


def _readme(opened: Opened, root: str) -> str:
    """The README that npm would show: Markdown before any other."""
    found = [path for path in opened.kept if path.count("/") == 1 and is_readme(path.rpartition("/")[2])]
    return min(found, key=lambda path: (not path.lower().endswith(".md"), path), default="")


def _repository(value: Any) -> str:
    address = _text(value.get("url") if isinstance(value, dict) else value)
    if match := _SHORTHAND.fullmatch(address):
        return f"https://{_HOSTS[match[1] or '']}/{match[2].removesuffix('.git')}"
    address = address.removeprefix("git+")
    for scheme in ("git://", "ssh://git@", "git@"):
        if address.startswith(scheme):
            rest = address.removeprefix(scheme)
            address = "https://" + (rest.replace(":", "/", 1) if scheme == "git@" else rest)
    return web_address(address.removesuffix(".git"))


def _license(data: dict[str, Any]) -> str:
    """The `license` text or object; else the old `licenses` list, which means a choice."""
    value = data.get("license")
    if value is None:
        value = data.get("licenses")
    if isinstance(value, dict):
        value = value.get("type") or value.get("name")
    if isinstance(value, list):
        names = [
            _text(item.get("type") or item.get("name") if isinstance(item, dict) else item, 200) for item in value
        ]
        names = [name for name in names if name]
        return f"({' OR '.join(names)})" if len(names) > 1 else "".join(names)
    return _text(value, 1_000)


def _keywords(value: Any) -> tuple[str, ...]:
    words = value if isinstance(value, list) else re.split(r"[,\s]+", value) if isinstance(value, str) else []
    return tuple(dict.fromkeys(word for item in words[:100] if (word := _text(item, 100))))


def _authors(data: dict[str, Any]) -> tuple[str, ...]:
    contributors = data.get("contributors")
    people = [data.get("author"), *(contributors if isinstance(contributors, list) else [])[:50]]
    names = [person_name(_text(one.get("name") if isinstance(one, dict) else one)) for one in people]
    return tuple(dict.fromkeys(name for name in names if name))


def _dependencies(data: dict[str, Any]) -> Iterator[Dependency]:
    """Every edge once per kind; an optional dependency overrides the runtime one of its name, as in npm."""
    optional = data.get("optionalDependencies")
    for key, kind in _KINDS.items():
        edges = data.get(key)
        if edges is None or edges == []:
            continue
        if not isinstance(edges, dict) or not all(isinstance(wanted, str) for wanted in edges.values()):
            raise refuse_manifest(FILE, f"has “{key}” that do not map names to version ranges.")
        if len(edges) > MAX_DEPENDENCIES:
            raise refuse_manifest(FILE, f"has more than {MAX_DEPENDENCIES:,} “{key}”.")
        for name, wanted in edges.items():
            if not (kind == "runtime" and isinstance(optional, dict) and name in optional):
                yield Dependency(name[:300], wanted[:1_000], kind)


def _install_scripts(data: dict[str, Any], opened: Opened, root: str) -> dict[str, str]:
    """What npm runs at installation; binding.gyp alone makes it run node-gyp."""
    scripts = data.get("scripts")
    scripts = scripts if isinstance(scripts, dict) else {}
    found = {name: _text(scripts[name]) for name in _INSTALL_SCRIPTS if _text(scripts.get(name))}
    has_gyp = any(entry.path == f"{root}/binding.gyp" for entry in opened.entries)
    if has_gyp and data.get("gypfile") is not False and not found.keys() & {"preinstall", "install"}:
        found["install"] = "node-gyp rebuild"
    return found


def _engines(value: Any) -> str:
    return _text(value.get("node"), 256) if isinstance(value, dict) else ""
