"""Wheels: a zip with exactly one .dist-info, whose RECORD accounts for every file (PEP 427, 491, 639)."""

import base64
import csv
import io
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from packaging.tags import parse_tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from registry.ecosystems.archives import MIB, Opened, Place, Want, refuse_whole, text_of
from registry.ecosystems.base import Entry, Manifest, Package
from registry.ecosystems.manifests import LICENSE, MANIFEST, is_license, license_texts, refuse_manifest
from registry.ecosystems.manifests import refusing as refusing_in
from registry.ecosystems.naming import shorten
from registry.ecosystems.pypi_metadata import manifest_of
from registry.ecosystems.zip_reading import peek_zip, read_zip

FILE = "METADATA"

_RECORD = Want(8 * MIB, whole=True)
_DIST_INFO = re.compile(r"([^/]+)\.dist-info/(.+)")
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_TAG = re.compile(r"[a-z0-9_.]+-[a-z0-9_.]+-[a-z0-9_.]+", re.ASCII | re.IGNORECASE)
_BUILD = re.compile(r"[0-9][a-z0-9_.]*", re.ASCII | re.IGNORECASE)
_MAX_TAGS = 200


@contextmanager
def refusing() -> Iterator[None]:
    """Turn a bad name or version inside METADATA into its refusal."""
    with refusing_in("The core metadata"):
        yield


def looks_like_wheel(head: bytes, path: Path) -> bool:
    """A zip that holds METADATA or WHEEL in a .dist-info folder; raises Refused for a hostile zip."""
    if not head.startswith(b"PK"):
        return False
    return any((match := _DIST_INFO.fullmatch(name)) and match[2] in (FILE, "WHEEL") for name in peek_zip(path))


def _wanted(path: str) -> Want | None:
    match = _DIST_INFO.fullmatch(path)
    if match is None:
        return Want(MIB // 8) if path.endswith(".pth") and "/" not in path else None
    if match[2] in (FILE, "WHEEL"):
        return MANIFEST
    if match[2] == "RECORD":
        return _RECORD
    return LICENSE if is_license(match[2].rpartition("/")[2]) or match[2].startswith("licenses/") else None


def read(path: Path, filename: str = "") -> Package:
    """Open the wheel strictly; raises Refused naming the entry, or the fault of METADATA, WHEEL or RECORD."""
    opened = read_zip(path, _wanted)
    folder = _dist_info(opened)
    for name in (FILE, "WHEEL", "RECORD"):
        if f"{folder}/{name}" not in opened.kept:
            raise refuse_manifest(name, "is missing, so this is no wheel.")
    manifest = manifest_of(opened.kept[f"{folder}/{FILE}"], FILE)
    _check_folder(folder, manifest)
    _verify_record(opened, folder)
    canonical = _filename(manifest, text_of(opened.kept[f"{folder}/WHEEL"]))
    _compare_filename(filename, canonical)
    return Package(
        manifest=replace(manifest, install_scripts=_startup_code(opened)),
        kind="wheel",
        filename=canonical,
        media_type="application/zip",
        entries=opened.entries,
        unpacked_size=opened.unpacked_size,
        license_texts=license_texts(opened.kept),
        metadata=opened.kept[f"{folder}/{FILE}"],
    )


def _dist_info(opened: Opened) -> str:
    paths = [entry.path for entry in opened.entries] + [f"{folder}/" for folder in opened.folders]
    folders = {top for path in paths if (top := path.partition("/")[0]).lower().endswith(".dist-info")}
    if len(folders) != 1:
        sentence = f"a wheel has exactly one .dist-info folder; this one has {len(folders)}."
        raise refuse_whole("wheel_layout", sentence, Place(max(folders, default="")))
    return folders.pop()


def _check_folder(folder: str, manifest: Manifest) -> None:
    name, _, version = folder.removesuffix(".dist-info").rpartition("-")
    try:
        same = canonicalize_name(name) == canonicalize_name(manifest.name) and Version(version) == Version(
            manifest.version
        )
    except ValueError:
        same = False
    if not same:
        raise refuse_manifest(
            FILE, f"says {manifest.name} {manifest.version}, but its folder is “{shorten(folder, 120)}”."
        )


def _verify_record(opened: Opened, folder: str) -> None:
    """Every file must be listed with its true SHA-256 (or stronger, unread) and size, and nothing else."""
    rows = _record_rows(opened.kept[f"{folder}/RECORD"])
    exempt = {f"{folder}/RECORD", *(f"{folder}/{name}" for name in _SIGNATURES)}
    entries = {entry.path: entry for entry in opened.entries}
    for path in rows.keys() - entries.keys():
        raise refuse_manifest("RECORD", f"lists “{shorten(path, 120)}”, which is not in the archive.")
    for path, entry in entries.items():
        if path in exempt:
            continue
        if path not in rows:
            raise refuse_manifest("RECORD", f"does not list “{shorten(path, 120)}”.")
        _verify_row(entry, *rows[path])


def _record_rows(raw: bytes) -> dict[str, tuple[str, str]]:
    rows: dict[str, tuple[str, str]] = {}
    try:
        for row in csv.reader(io.StringIO(raw.decode("utf-8"), newline=""), strict=True):
            if not row:
                continue
            path, digest, size = row
            if path in rows:
                raise refuse_manifest("RECORD", f"lists “{shorten(path, 120)}” twice.")
            rows[path] = (digest, size)
    except (ValueError, csv.Error) as error:
        raise refuse_manifest("RECORD", "is not a table of path, digest and size in UTF-8.") from error
    return rows


def _verify_row(entry: Entry, digest: str, size: str) -> None:
    algorithm, _, value = digest.partition("=")
    if algorithm != "sha256":
        raise refuse_manifest("RECORD", f"gives no sha256 digest for “{shorten(entry.path, 120)}”.")
    expected = base64.urlsafe_b64encode(bytes.fromhex(entry.sha256)).rstrip(b"=").decode()
    if value.rstrip("=") != expected:
        raise refuse_manifest("RECORD", f"has another digest than the file for “{shorten(entry.path, 120)}”.")
    if size and size != str(entry.size):
        raise refuse_manifest("RECORD", f"has another size than the file for “{shorten(entry.path, 120)}”.")


def _filename(manifest: Manifest, wheel: str) -> str:
    """The canonical file name, from METADATA and the tags of WHEEL, never from the client."""
    fields = [
        (key.strip().lower(), value.strip()) for key, _, value in (line.partition(":") for line in wheel.splitlines())
    ]
    tags = [value for key, value in fields if key == "tag"]
    builds = [value for key, value in fields if key == "build"]
    if not tags or len(tags) > _MAX_TAGS or not all(_TAG.fullmatch(tag) for tag in tags):
        raise refuse_manifest("WHEEL", "needs tags such as “py3-none-any”.")
    if len(builds) > 1 or not all(_BUILD.fullmatch(build) for build in builds):
        raise refuse_manifest("WHEEL", "has a build number that does not begin with a digit, or two.")
    name = canonicalize_name(manifest.name).replace("-", "_")
    return "-".join([name, manifest.version, *builds, _compressed(tags)]) + ".whl"


def _compressed(tags: list[str]) -> str:
    """The tag set as one file-name tag; raises Refused where no single one says the same."""
    columns = [
        list(dict.fromkeys(part for tag in column for part in tag.split(".")))
        for column in zip(*(tag.split("-") for tag in tags), strict=True)
    ]
    joined = "-".join(".".join(column) for column in columns)
    many = math.prod(len(column) for column in columns) > _MAX_TAGS
    if many or parse_tag(joined) != frozenset().union(*(parse_tag(tag) for tag in tags)):
        raise refuse_manifest("WHEEL", "has tags that no single file name can express.")
    return joined


def _compare_filename(given: str, canonical: str) -> None:
    """A client's name need not be canonical, but it must not claim another package."""
    try:
        claimed, truth = parse_wheel_filename(given), parse_wheel_filename(canonical)
    except (InvalidWheelFilename, ValueError):
        return
    if claimed[:2] != truth[:2]:
        raise refuse_manifest("METADATA", f"belongs to {canonical}, not to the file name “{shorten(given, 120)}”.")


def _startup_code(opened: Opened) -> dict[str, str]:
    """Lines of .pth files that Python runs whenever it starts."""
    found: dict[str, str] = {}
    for path, raw in opened.kept.items():
        if path.endswith(".pth") and "/" not in path:
            lines = [line for line in text_of(raw).splitlines() if line.startswith(("import ", "import\t"))]
            if lines:
                found[path] = "\n".join(lines)[:2_000]
    return found
