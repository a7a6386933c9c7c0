"""Describing one version, with its checks and decision."""

from typing import Any

from django.db.models import Prefetch, prefetch_related_objects

from accounts.actors import Actor
from registry import covering, documents, explaining
from registry.errors import Gone, NotFound
from registry.models import Artifact, Check, Package, Release


def version(release: Release, actor: Actor) -> dict[str, Any]:
    """One version with its checks, files and decision, in a fixed number of queries. Raises Gone when removed."""
    refuse_removed(release)
    prefetch_related_objects(
        [release], "dependencies", Prefetch("artifacts", Artifact.objects.order_by("id")), "checks"
    )
    release.scan_checks = [check for check in release.checks.all() if check.name == "vulnerabilities"]  # type: ignore[attr-defined]  # what documents.scan_row reads
    decision = explaining.Explanation("", (), explaining.standing_decision(release)).decision_row()
    asked = release.submitted_for or (release.submitted_by.email if release.submitted_by else "")
    return {
        "name": release.package.name,
        "ecosystem": release.package.ecosystem,
        **documents.version_row(release.package, release),
        "project": release.project.slug,
        "submitted_by": shown_email(asked, actor) or None,
        "submitted_at": release.submitted_at,
        "unlisted_at": release.unlisted_at,
        "held_because": release.held_because or None,
        "checks": [_check_row(check) for check in release.checks.all()],
        "artifacts": [_artifact_row(artifact) for artifact in release.artifacts.all()],
        "decision": decision,
    }


def package(of: Package, actor: Actor) -> dict[str, Any]:
    """The package built for this reader: maintainers see every e-mail address, others their own.

    The holder of a licence key sees the versions that it opens; raises NotCovered if there is none.
    """
    releases = covering.present_alone(of, actor) if covering.is_restricted(of, actor) else None
    detail = documents.detail(of, reveal=True, releases=releases)
    for field in ("submitted_by", "approved_by"):
        detail[field] = shown_email(detail[field] or "", actor) or None
    return detail


def shown_email(address: str, actor: Actor) -> str:
    """The address in full for maintainers and its owner, masked for everyone else."""
    own = actor.user is not None and actor.user.email.lower() == address.lower()
    return address if actor.is_maintainer or own else documents.mask_email(address)


def refuse_removed(release: Release) -> None:
    """Raise Gone, with what the tombstone keeps, for a version whose files were removed."""
    if release.is_gone:
        raise Gone(
            f"{release.package.name} {release.version} was removed. Its name and version are never used again.",
            details={"sha256": release.sha256, "purged_at": release.purged_at or release.purge_at},
        )


def signature(release: Release) -> Artifact:
    """The first file of the release that is signed. Raises Gone when removed, NotFound when unsigned."""
    refuse_removed(release)
    artifact = release.artifacts.exclude(signature="").first()
    if artifact is None:
        raise NotFound(f"{release.package.name} {release.version} carries no signature.")
    return artifact


def _check_row(check: Check) -> dict[str, Any]:
    fields = ("name", "status", "summary", "details", "started_at", "finished_at", "duration_ms")
    return {field: getattr(check, field) for field in fields}


def _artifact_row(artifact: Artifact) -> dict[str, Any]:
    fields = ("filename", "kind", "media_type", "size", "sha256", "sha512", "uploaded_at")
    return {field: getattr(artifact, field) for field in fields}
