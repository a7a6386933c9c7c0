"""Core metadata (PKG-INFO, METADATA) as a manifest: PEP 566, 621, 639 and 508."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from registry.ecosystems.base import Dependency, Manifest
from registry.ecosystems.manifests import person_name, refuse_manifest, web_address
from registry.ecosystems.naming import shorten

MAX_REQUIREMENTS = 5_000
MAX_FIELDS = 20_000
MAX_FIELD_NAMES = 200

_ONCE = ("name", "version", "metadata_version", "license", "license_expression", "requires_python")
_FORMATS = {"text/markdown": "markdown", "text/x-rst": "rst", "text/plain": "text", "": "rst"}
_REPOSITORY_LABELS = ("source", "source code", "repository", "code", "github", "gitlab", "sources")
_FIELD = re.compile(rb"^([^\s:]+):", re.MULTILINE)
_EXTRA = re.compile(r"\bextra\s*(?:==|in\b)|==\s*extra\b")


def manifest_of(raw_text: bytes, file: str) -> Manifest:
    """What the metadata says; raises Refused for a missing or ambiguous name or version, or a broken requirement."""
    _bound_headers(raw_text, file)
    raw, unparsed = parse_email(raw_text)
    data: dict[str, Any] = _clean({**raw})
    _refuse_ambiguous(data, unparsed, file)
    urls = {label.strip().lower(): url for label, url in (data.get("project_urls") or {}).items()}
    classifiers = [text for text in data.get("classifiers", []) if text.startswith("License ::")]
    return Manifest(
        ecosystem="pypi",
        name=data["name"],
        version=_version(data["version"], file),
        description=_told(data, "summary")[:2_000],
        homepage=web_address(_told(data, "home_page") or urls.get("homepage", "") or urls.get("home", "")),
        repository=web_address(next((urls[label] for label in _REPOSITORY_LABELS if label in urls), "")),
        license=(_told(data, "license_expression") or _told(data, "license"))[:1_000],
        license_classifiers=tuple(classifiers),
        keywords=_keywords(data.get("keywords")),
        authors=_authors(data),
        readme=data.pop("description", ""),
        readme_format=_FORMATS.get(
            (data.get("description_content_type") or "").partition(";")[0].strip().lower(), "text"
        ),
        dependencies=tuple(_dependencies(data.get("requires_dist", []), file)),
        requires=_told(data, "requires_python")[:256],
        raw=data,
    )


def _bound_headers(raw_text: bytes, file: str) -> None:
    """Raise Refused for so many fields that a parser, which looks each up in all, would take minutes."""
    head = re.split(rb"\r?\n\r?\n", raw_text, maxsplit=1)[0]
    names = [name.lower() for name in _FIELD.findall(head)]
    if b"content-type" in names:
        raise refuse_manifest(file, "has a Content-Type, which makes parsers read it as mail in several parts.")
    if len(names) > MAX_FIELDS or len(set(names)) > MAX_FIELD_NAMES:
        raise refuse_manifest(file, "has more fields than any real package.")


def _told(data: Mapping[str, Any], field: str) -> str:
    """The text of a field; old tools wrote UNKNOWN where they knew nothing."""
    text = (data.get(field) or "").strip()
    return "" if text == "UNKNOWN" else text


def _clean(value: Any) -> Any:
    """The same data without what no database takes: NUL and lone surrogates."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list | tuple) else value


def _refuse_ambiguous(data: Mapping[str, Any], unparsed: Mapping[str, Any], file: str) -> None:
    for field in _ONCE:
        if field.replace("_", "-") in unparsed or field in unparsed:
            raise refuse_manifest(file, f"gives the field “{field}” twice or in an unknown encoding.")
    for field in ("name", "version"):
        if not data.get(field):
            raise refuse_manifest(file, f"has no {field}.")


def _version(text: str, file: str) -> str:
    try:
        return str(Version(text)) if len(text) <= 256 else _no_version(text, file)
    except ValueError:
        return _no_version(text, file)


def _no_version(text: str, file: str) -> str:
    raise refuse_manifest(file, f"has the version “{shorten(text)}”, which is no version by PEP 440.")


def _keywords(words: list[str] | None) -> tuple[str, ...]:
    joined = ",".join(words or [])
    parts = joined.split(",") if "," in joined else joined.split()
    return tuple(dict.fromkeys(part.strip()[:100] for part in parts[:100] if part.strip()))


def _authors(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Names only; of `Name <address>` lists the addresses are left out."""
    fields = [_told(data, field) for field in ("author", "author_email", "maintainer", "maintainer_email")]
    names = [person_name(part) for field in fields for part in field.split(",")[:50]]
    return tuple(dict.fromkeys(name for name in names if name))


def _dependencies(lines: list[str], file: str) -> Iterator[Dependency]:
    if len(lines) > MAX_REQUIREMENTS:
        raise refuse_manifest(file, f"has more than {MAX_REQUIREMENTS:,} requirements.")
    for line in lines:
        try:
            wanted = Requirement(line) if len(line) <= 4_096 else None
        except (InvalidRequirement, ValueError, RecursionError) as error:
            raise refuse_manifest(
                file, f"has the requirement “{shorten(line)}”, which cannot be read (PEP 508)."
            ) from error
        if wanted is None:
            raise refuse_manifest(file, f"has a requirement longer than 4,096 characters: “{shorten(line)}”.")
        yield _dependency(wanted)


def _dependency(wanted: Requirement) -> Dependency:
    marker = str(wanted.marker or "")
    bounds = f"@ {wanted.url}" if wanted.url else str(wanted.specifier)
    return Dependency(wanted.name, bounds, "extra" if _EXTRA.search(marker) else "runtime", marker)
