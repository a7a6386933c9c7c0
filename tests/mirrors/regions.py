"""Regions for tests: what is approved here, and what really stands there, told without the code under test."""

import hashlib
import io
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from django.db import transaction

from accounts.models import Project
from registry import documents, storage, tasks
from registry.mirrors import following, layout, stores
from registry.mirrors.models import Mirror
from registry.models import Artifact, Package, Release, ReleaseManifest
from tests import builders

NUMBERS = itertools.count()


def region(place: Path | str, slug: str = "frankfurt", **fields) -> Mirror:
    """A region in that directory or at that address, and nowhere else."""
    url = str(place) if str(place).startswith("s3:") else f"file:{place}"
    values = {"city": slug.title(), "country": "DE", "storage_url": url, **fields}
    return Mirror.objects.update_or_create(region=slug, defaults=values)[0]


def held(owner: Project, name: str, version: str = "1.0.0", body: bytes | None = None, **fields) -> Release:
    """An approved version whose bytes are stored, without the way that it came here."""
    body = f"{name} {version} {next(NUMBERS)}".encode() if body is None else body
    package = Package.objects.filter(name=name, ecosystem="npm").first() or builders.package(owner, name)
    release = builders.release(package, version, sha256=hashlib.sha256(body).hexdigest(), **fields)
    ReleaseManifest.objects.create(release=release)
    with storage.stage(io.BytesIO(body)) as staged:
        blob = storage.keep(staged)
        storage.confirm(blob)
        Artifact.objects.create(
            release=release, blob=blob, filename=f"{name.rpartition('/')[2]}-{version}.tgz", kind="npm",
            size=staged.size, sha256=staged.sha256, sha512=staged.sha512, sha1=staged.sha1,
        )  # fmt: skip
    with transaction.atomic():
        documents.rebuild(package, "approved", release)
    return release


def change(release: Release, kind: str, **fields) -> None:
    """Let something happen to the version, and say so in the feed."""
    Release.objects.filter(pk=release.pk).update(**fields)
    if kind == "purged":
        release.artifacts.update(blob=None)
    with transaction.atomic():
        documents.rebuild(release.package, kind, release)


def catch_up() -> None:
    """What the sweep does for the regions, until there is nothing left to do."""
    following.catch_up()
    tasks.drain()


def expected() -> dict[str, bytes]:
    """Every file that a region is to hold, by its key, and one document for each package."""
    found: dict[str, bytes] = {}
    standing = Artifact.objects.filter(release__status="approved", release__purged_at=None, blob__isnull=False)
    for one in standing.filter(release__package__visibility="public").select_related("release__package", "blob"):
        with storage.open_blob(one.blob) as file:
            found[layout.file_of(one.sha256)] = file.read()
        found[layout.document_of(one.release.package)] = b""
    return found


def differences(mirror: Mirror) -> list[str]:
    """What is missing, wrong, too much or named without being there, in a region in a directory."""
    root, wanted = stores.root_of(mirror), expected()
    there = {path.relative_to(root).as_posix(): path for path in files(root)}
    said = [f"missing {key}" for key in wanted.keys() - there.keys()]
    said += [f"extra {key}" for key in there.keys() - wanted.keys() if key.startswith(("files/", "packages/"))]
    for key in wanted.keys() & there.keys():
        body = there[key].read_bytes()
        if key.startswith("files/") and body != wanted[key]:
            said.append(f"corrupt {key}")
    links = [Path(folder, name) for folder, *names in os.walk(root) for name in itertools.chain(*names)]
    links = [link for link in links if link.is_symlink()]
    said += [f"dangling {link}" for link in links if not link.exists()]
    downloads = [link for link in links if link.name == "download"]
    versions = Release.objects.filter(artifacts__in=_first_files()).count()
    return said + ([f"{len(downloads)} downloads for {versions} versions"] if len(downloads) != versions else [])


def _first_files() -> list[int]:
    rows = Artifact.objects.filter(release__status="approved", release__purged_at=None, blob__isnull=False)
    rows = rows.filter(release__package__visibility="public").order_by("release_id", "pk")
    return list(dict(reversed(list(rows.values_list("release_id", "pk")))).values())


def files(root: Path) -> Iterator[Path]:
    """Every file below, hidden ones too, links not followed."""
    return (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
