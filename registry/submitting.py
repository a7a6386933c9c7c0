"""Submitting: a developer asks for a third-party package; machines check it, a maintainer decides."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from accounts.actors import Actor
from accounts.models import Project
from registry import ecosystems, publishing
from registry.ecosystems.base import Manifest
from registry.ecosystems.base import Package as ReadPackage
from registry.errors import InvalidInput, Refused
from registry.models import Release

if TYPE_CHECKING:
    from registry import storage

LIMITS = {"license": 255, "description": 10_000, "homepage": 2_000, "repository": 2_000, "note": 4_000}
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")


@dataclass(frozen=True, slots=True)
class Submission:
    """What is asked for. Only ecosystem, name and version are needed; a file, if sent along, speaks for itself."""

    ecosystem: str
    name: str
    version: str
    license: str = ""
    description: str = ""
    homepage: str = ""
    repository: str = ""
    category: str = ""
    keywords: tuple[str, ...] = field(default=())
    submitted_by: str = ""
    note: str = ""


def submit(submission: Submission, actor: Actor, upload: "storage.Staged | None" = None) -> Release:
    """Put a third-party version into the review queue. Needs the scope publish.

    Raises InvalidInput (name, version, field), Conflict (known already), Forbidden (an internal name), Refused
    (the file sent along is hostile, or is another package).
    """
    what = f"{submission.ecosystem}:{submission.name}@{submission.version}"
    with publishing.refusals_audited("release.submit", what, actor):
        actor.need("publish")
        manifest = _manifest_of(submission)
        intent = _intent_of(submission, actor)
        if upload is not None:
            read = _read_upload(upload, manifest)
            return publishing.publish(publishing.Upload(read, upload), actor, intent)
        return _without_file(manifest, actor, intent)


def _without_file(manifest: Manifest, actor: Actor, intent: publishing.Intent) -> Release:
    project = publishing.project_of(actor)
    existing = publishing.find_named(manifest.ecosystem, manifest.name)
    publishing.ask_to_publish(manifest, existing, intent.origin, project, actor)
    publishing.refuse_known(existing, manifest)
    try:
        with transaction.atomic():
            return _write_rows(manifest, actor, intent, project)
    except IntegrityError as problem:
        raise publishing.already_exists(manifest) from problem


def _write_rows(manifest: Manifest, actor: Actor, intent: publishing.Intent, project: Project) -> Release:
    package = publishing.take_name(manifest, actor, intent, project)
    release = publishing.write_release(package, manifest, actor, intent)
    publishing.write_manifest(release, ReadPackage(manifest, "none", "", "", (), 0))
    publishing.finish(release, actor, "release.submit")
    return release


def _manifest_of(submission: Submission) -> Manifest:
    """The submission as a manifest, its fields checked. What the client claims is only used where no file speaks."""
    rules = ecosystems.get(submission.ecosystem)
    rules.check_name(submission.name)
    rules.canonical_version(submission.version)
    for name, limit in LIMITS.items():
        if len(getattr(submission, name)) > limit:
            raise InvalidInput(f"Keep {name} under {limit} characters.", details={name: ["too long"]})
    return Manifest(
        ecosystem=submission.ecosystem,
        name=submission.name,
        version=submission.version,
        description=submission.description,
        homepage=_link("homepage", submission.homepage),
        repository=_link("repository", submission.repository),
        license=submission.license,
        keywords=tuple(submission.keywords)[:50],
    )


def _link(field_name: str, text: str) -> str:
    if text and not re.match(r"(https?|git\+https|git|ssh)://[^\s<>\"']+$", text):
        raise InvalidInput(f"Give {field_name} as an http(s) address.", details={field_name: ["not an address"]})
    return text


def _intent_of(submission: Submission, actor: Actor) -> publishing.Intent:
    given = submission.submitted_by
    if given and (len(given) > 254 or not EMAIL.fullmatch(given)):
        raise InvalidInput("Give submitted_by as an e-mail address.", details={"submitted_by": ["not an address"]})
    return publishing.Intent(
        origin=Release.Origin.SUBMITTED,
        access="",
        category=publishing.check_category(submission.category),
        submitted_for=given or (actor.user.email if actor.user else ""),
        note=submission.note,
    )


def _read_upload(upload: "storage.Staged", asked: Manifest) -> ReadPackage:
    """Read the file strictly; it must be what was asked for."""
    read = ecosystems.read_package(upload.path)
    found = read.manifest
    if _identity(found) != _identity(asked):
        raise Refused(
            f"The file is {found.ecosystem} {found.name} {found.version}, not {asked.name} {asked.version}.",
            code="other_package",
        )
    return read


def _identity(manifest: Manifest) -> tuple[str, str, str]:
    rules = ecosystems.get(manifest.ecosystem)
    name, version = rules.normalize_name(manifest.name), rules.canonical_version(manifest.version)
    return manifest.ecosystem, name, version
