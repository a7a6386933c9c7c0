"""Attaching: a file that was read, and the rows that tell of it; also for a version that stood here without it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import auditing, signing_keys
from accounts.actors import SYSTEM
from accounts.models import SigningKey
from registry import checking, documents, ecosystems, storage
from registry.ecosystems.base import Manifest
from registry.ecosystems.base import Package as ReadPackage
from registry.errors import Conflict, RegistryError
from registry.models import Artifact, ArtifactContents, Blob, Dependency, Release, ReleaseManifest


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that was verified, and the key and person it belongs to."""

    armored: str
    key: SigningKey


@dataclass(frozen=True, slots=True)
class Upload:
    """Everything `publish` needs to know about one file: what was read from it, where it is, who signed it."""

    package: ReadPackage
    staged: storage.Staged
    signed: Signed | None = None
    also: "tuple[Upload, ...]" = ()  # further files of the same version
    attestations: tuple[Mapping[str, Any], ...] = ()  # of this file, in the shape of PEP 740


def write_manifest(release: Release, read: ReadPackage) -> None:
    """What the archive says of itself, and what it asks for."""
    manifest = read.manifest
    ReleaseManifest.objects.create(
        release=release,
        description=manifest.description,
        homepage=manifest.homepage,
        repository=manifest.repository,
        keywords=list(manifest.keywords),
        authors=list(manifest.authors),
        license_declared=manifest.license,
        license_classifiers=list(manifest.license_classifiers),
        license_texts=dict(read.license_texts),
        install_scripts=dict(manifest.install_scripts),
        requires=manifest.requires[:512],
        readme=manifest.readme,
        readme_format=manifest.readme_format,
        raw=dict(manifest.raw),
    )
    write_dependencies(release, manifest)


def write_dependencies(release: Release, manifest: Manifest, known: Iterable[Dependency] = ()) -> None:
    """A row for each thing that the manifest asks for and that is not known already."""
    rules = ecosystems.get(manifest.ecosystem)
    there = {(one.normalized, one.range, one.kind, one.marker) for one in known}
    needs = (
        Dependency(
            release=release,
            ecosystem=manifest.ecosystem,
            name=need.name,
            normalized=rules.normalize_name(need.name),
            range=need.range,
            kind=need.kind,
            marker=need.marker,
        )
        for need in manifest.dependencies
    )
    Dependency.objects.bulk_create(
        one for one in needs if (one.normalized, one.range, one.kind, one.marker) not in there
    )


def write_artifact(release: Release, upload: Upload, blob: Blob) -> Artifact:
    """The file's row, and the list of what is in it."""
    staged, package, signed = upload.staged, upload.package, upload.signed
    artifact = Artifact.objects.create(
        release=release,
        blob=blob,
        filename=package.filename,
        kind=package.kind,
        media_type=package.media_type,
        size=staged.size,
        sha256=staged.sha256,
        sha512=staged.sha512,
        sha1=staged.sha1,
        entry_count=len(package.entries),
        unpacked_size=package.unpacked_size,
        metadata_sha256=hashlib.sha256(package.metadata).hexdigest() if package.metadata else "",
        is_attested=bool(upload.attestations),
        signature=signed.armored if signed else "",
        signature_fingerprint=signed.key.fingerprint if signed else "",
        signature_public_key=signed.key.public_key if signed else "",
        signer=signed.key.user.username if signed else "",
    )
    entries = [[entry.path, entry.size, entry.sha256, entry.executable] for entry in package.entries]
    ArtifactContents.objects.create(
        artifact=artifact, entries=entries, metadata=package.metadata, attestations=list(upload.attestations)
    )
    if signed:
        signing_keys.note_use(signed.key)
    return artifact


@dataclass(frozen=True, slots=True)
class Word:
    """What an upstream says of a version, beside its files."""

    released_at: datetime | None = None
    deprecated: str = ""


def attach(release: Release, uploads: Sequence[Upload], word: Word, details: Mapping[str, Any]) -> None:
    """Give a version that was asked for by name its files, the first one primary, and have it checked.

    What the submitter claimed gives way to what the file says. `details` go into the audit event. Raises Conflict
    where the version has a file, or was decided or unlisted, meanwhile: nobody decides on bytes that come later.
    """
    kept = [(one, storage.keep(one.staged)) for one in uploads]
    try:
        with transaction.atomic():
            documents.hold(release.package_id)
            _take_primary(release, uploads[0], word)
            for one, blob in kept:
                write_artifact(release, one, blob)
                storage.confirm(blob)
            _note(release, details)
    except RegistryError:
        for _, blob in kept:
            storage.give_back(blob)
        raise


def _take_primary(release: Release, primary: Upload, word: Word) -> None:
    """The release and its manifest as the file has them, in one conditional update."""
    standing = Release.objects.filter(pk=release.pk, sha256="", status=Release.Status.PENDING, unlisted_at=None)
    fresh = {
        "sha256": primary.staged.sha256,
        "size": primary.staged.size,
        "license": primary.package.manifest.license[:255],
        "released_at": word.released_at,
        "deprecated": word.deprecated,
        "held_because": "Its checks have not ended yet.",
    }
    if not standing.update(**fresh):
        raise Conflict("This version was decided, or has got a file, meanwhile.", code="not_awaited")
    release.refresh_from_db()
    ReleaseManifest.objects.filter(release=release).delete()
    Dependency.objects.filter(release=release).delete()
    write_manifest(release, primary.package)


def _note(release: Release, details: Mapping[str, Any]) -> None:
    """Every check looks anew; the audit trail says where the bytes came from."""
    checking.reopen(release)
    package = release.package
    name = f"{package.ecosystem}:{package.name}@{release.version}"
    found = {"sha256": release.sha256, "size": release.size, **details}
    auditing.record("release.fetch", name, SYSTEM, details=found, project=release.project.slug)
    documents.rebuild(package, "fetched", release)
