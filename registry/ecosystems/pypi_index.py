"""The simple repository API of one project: HTML (PEP 503) and JSON (PEP 691, 700, 714, 740, 792; version 1.4)."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote

from packaging.utils import canonicalize_name

from registry.ecosystems.indexes import ORIGIN, File, Index, IndexDocument, Version

JSON = "simple-json"
HTML = "simple-html"
JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPE = "application/vnd.pypi.simple.v1+html"
API_VERSION = "1.4"


def documents(index: Index) -> Iterable[IndexDocument]:
    """Both forms of the project's page. A yanked file is only taken by who asks for exactly its version (PEP 592)."""
    files = [(one, file) for one in index.versions for file in one.files]
    yield IndexDocument(JSON, JSON_TYPE, json.dumps(_as_json(index, files), separators=(",", ":")).encode())
    yield IndexDocument(HTML, HTML_TYPE, _as_html(index, files).encode())


def file_path(name: str, version: str, filename: str) -> str:
    """Where a file lies below the index's base; the client reads what it is from the end of the address."""
    return f"/files/{canonicalize_name(name)}/{quote(version, safe='+')}/{quote(filename, safe='+')}"


def _as_json(index: Index, files: list[tuple[Version, File]]) -> dict[str, Any]:
    status = {"status": index.status} | ({"reason": index.status_reason} if index.status_reason else {})
    return {
        "meta": {"api-version": API_VERSION},
        "name": canonicalize_name(index.name),
        "project-status": status,
        "versions": [one.version for one in index.versions],
        "files": [_file(index.name, version, file) for version, file in files],
    }


def _file(name: str, version: Version, file: File) -> dict[str, Any]:
    metadata = {"sha256": file.metadata_sha256} if file.metadata_sha256 else False
    address = ORIGIN + file_path(name, version.version, file.filename)
    said: dict[str, Any] = {
        "filename": file.filename,
        "url": address,
        "hashes": {"sha256": file.sha256},
        "size": file.size,
        "upload-time": _instant(file.uploaded_at),
        "yanked": version.yanked or False,
        "core-metadata": metadata,
        "data-dist-info-metadata": metadata,
        "provenance": f"{address}.provenance" if file.has_attestations else None,
    }
    return said | ({"requires-python": file.requires} if file.requires else {})


def _as_html(index: Index, files: list[tuple[Version, File]]) -> str:
    name = escape(index.name)
    reason = f'\n<meta name="pypi:project-status-reason" content="{escape(index.status_reason)}">'
    links = "\n".join(_link(index.name, version, file) for version, file in files)
    return (
        "<!DOCTYPE html>\n<html>\n<head>\n"
        f'<meta name="pypi:repository-version" content="{API_VERSION}">\n'
        f'<meta name="pypi:project-status" content="{escape(index.status)}">'
        f"{reason if index.status_reason else ''}\n"
        f"<title>Links for {name}</title>\n</head>\n<body>\n<h1>Links for {name}</h1>\n{links}\n</body>\n</html>\n"
    )


def _link(name: str, version: Version, file: File) -> str:
    address = ORIGIN + file_path(name, version.version, file.filename)
    said = {"href": f"{address}#sha256={file.sha256}"}
    if file.requires:
        said["data-requires-python"] = file.requires
    if version.yanked:
        said["data-yanked"] = version.yanked
    if file.metadata_sha256:
        said["data-core-metadata"] = said["data-dist-info-metadata"] = f"sha256={file.metadata_sha256}"
    if file.has_attestations:
        said["data-provenance"] = f"{address}.provenance"
    attributes = " ".join(f'{key}="{escape(value)}"' for key, value in said.items())
    return f"<a {attributes}>{escape(file.filename)}</a><br>"


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
