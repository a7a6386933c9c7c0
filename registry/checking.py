"""Checking: automated verdicts on a release, gathered in the worker, written while others still run."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Prefetch
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts import auditing, signatures
from accounts.actors import Actor
from accounts.models import Project
from registry import approving, ecosystems, grants, storage, tasks, withholding
from registry.ecosystems.confusables import one_edit_away, skeleton
from registry.errors import Refused, RegistryError, Unavailable
from registry.models import Artifact, Check, Job, Package, Release

logger = logging.getLogger(__name__)
PATIENCE = 6
QUICK = frozenset({"archive", "manifest", "integrity", "signature", "name", "license", "age"})
SHARED_FOR = 0.2  # seconds for which quick checks may wait to be committed with others
AWAY = (Unavailable, OperationalError, InterfaceError)
NEEDS_FILE = ("archive", "integrity", "signature")
UNREAD = "A build artifact: its own project answers for it, and nothing here reads it."


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found: a status of `Check.Status`, one sentence, and facts for machines."""

    status: str
    summary: str
    details: dict[str, Any] = field(default_factory=dict)


def open_checks(release: Release) -> None:
    """Write a waiting row per check that has none and the job that runs them; inside the caller's transaction."""
    rows = (
        Check(release=release, name=name, position=position) for position, name in enumerate(settings.REGISTRY_CHECKS)
    )
    Check.objects.bulk_create(rows, ignore_conflicts=True)
    tasks.enqueue("check", release.pk)


def skip_checks(release: Release) -> None:
    """Write a row per check that says why none was made; inside the caller's transaction."""
    now = timezone.now()
    Check.objects.bulk_create(
        Check(
            release=release,
            name=name,
            position=position,
            status=Check.Status.SKIPPED,
            summary=UNREAD,
            started_at=now,
            finished_at=now,
            duration_ms=0,
        )
        for position, name in enumerate(settings.REGISTRY_CHECKS)
    )


def reopen(release: Release) -> None:
    """Have every check look anew, since there are other files to look at; inside the caller's transaction.

    What a check finds that runs meanwhile is not taken: it has not seen all of them.
    """
    never: dict[str, Any] = dict.fromkeys(("started_at", "finished_at", "duration_ms"))
    release.checks.update(status=Check.Status.PENDING, summary="", details={}, **never)
    open_checks(release)


def rescan(release: Release, actor: Actor, names: list[str] | None = None) -> Release:
    """Open the checks again (all, or those named) and queue them. Needs the scope review."""
    actor.need("review", release.package.project_id)
    with transaction.atomic():
        again = release.checks.filter(name__in=names) if names else release.checks.all()
        again.update(status=Check.Status.PENDING, summary="", started_at=None, finished_at=None, duration_ms=None)
        open_checks(release)
        auditing.record("release.recheck", str(release), actor, details={"checks": names or "all"})
    return release


@tasks.handles("check")
def run_checks(job: Job) -> None:
    """Run every check of the release that is still open, one after the other, then let the policy look at them.

    What was asked for by name alone waits for its file first: whoever handles `fetch` queues this job again.
    A check that a dead worker left `running` is open again: checks have no side effects, so running twice is harmless.
    """
    files = Prefetch("artifacts", Artifact.objects.select_related("blob"))
    found = Release.objects.select_related("package__project", "project", "manifest", "submitted_by")
    release = found.prefetch_related(files).get(pk=job.ref)
    if lacks_file(release) and release.checks.filter(name="archive", status__in=Check.OPEN).exists():
        tasks.enqueue("fetch", release.pk, payload={"since": timezone.now().timestamp()})
        return
    _run_open(release, patient=job.attempts < PATIENCE)
    approving.reconsider(release, has_news=True)


def lacks_file(release: Release) -> bool:
    """Whether it was asked for by name alone, and its file may still come."""
    return (
        release.origin == Release.Origin.SUBMITTED
        and not release.sha256
        and release.status == Release.Status.PENDING
        and not release.is_unlisted
    )


@dataclass(frozen=True, slots=True)
class _Ended:
    """A check that has ended and is to be written down."""

    check: Check
    result: Result
    finished_at: datetime
    seconds: float


def _run_open(release: Release, *, patient: bool) -> None:
    """Mark what is open as running, ask one after the other; what ends quickly is written with what follows."""
    round_at = timezone.now()
    release.checks.filter(status__in=Check.OPEN).update(status=Check.Status.RUNNING, started_at=round_at)
    ended: list[_Ended] = []
    written = time.monotonic()
    try:
        for check in release.checks.filter(status=Check.Status.RUNNING, started_at=round_at):
            began = time.monotonic()
            if check.name not in QUICK or began - written > SHARED_FOR:
                _write(release, round_at, ended)
                written, ended = began, []
            result = _ask(check.name, release, patient=patient)
            ended.append(_Ended(check, result, timezone.now(), time.monotonic() - began))
    finally:
        _write(release, round_at, ended)


def _write(release: Release, round_at: datetime, ended: Sequence[_Ended]) -> None:
    """Write what these checks have found, unless they have been opened again since the round began."""
    if not ended:
        return
    with transaction.atomic():
        for one in ended:
            running = Check.objects.filter(pk=one.check.pk, status=Check.Status.RUNNING, started_at=round_at)
            is_taken = running.update(
                status=one.result.status,
                summary=one.result.summary,
                details=one.result.details,
                started_at=one.finished_at - timedelta(seconds=one.seconds),
                finished_at=one.finished_at,
                duration_ms=round(one.seconds * 1000),
            )
            if is_taken and one.check.name == "license" and (expression := one.result.details.get("expression")):
                Release.objects.filter(pk=release.pk).update(license=expression[:255])


def _ask(name: str, release: Release, *, patient: bool) -> Result:
    """The check's answer; one that breaks is `errored`, which never counts as passed.

    While we are patient, a storage or database that does not answer makes the job come back instead.
    """
    if grants.find_product(release.package) is not None:
        return Result("skipped", UNREAD)
    primary = next(iter(release.artifacts.all()), None)
    if name in NEEDS_FILE and (primary is None or primary.blob is None):
        return Result("skipped", "There is no file here to look at.")
    try:
        check: Callable[[Release], Result] = import_string(settings.REGISTRY_CHECKS[name])
        result = check(release)
        if result.status == Check.Status.FAILED and name in NEEDS_FILE:
            _refuse_damage(release)
        return result
    except Exception as problem:
        if patient and isinstance(problem, AWAY):
            raise
        if isinstance(problem, Unavailable):
            return Result("errored", f"The file could not be read. {problem.message}")
        logger.exception("The check %s of %s broke", name, release)
        return Result("errored", f"The check could not be carried out ({type(problem).__name__}). Run it again.")


def _refuse_damage(release: Release) -> None:
    """Raise Damaged where it is our copy that is rotten: that says nothing against the version, and is mended."""
    for blob in (one.blob for one in release.artifacts.all() if one.blob is not None):
        if damage := storage.damage_of(blob):
            withholding.hold_back(blob, damage)
            raise storage.Damaged(blob, damage)


# --- the checks that need nothing but the package itself -----------------------------------------------------------
def check_archive(release: Release) -> Result:
    """Read the stored bytes of every file strictly once more, as if they had just arrived."""
    read = []
    for artifact in release.artifacts.all():
        assert artifact.blob is not None
        with storage.as_file(artifact.blob) as path:
            try:
                read.append(ecosystems.read_package(path, artifact.filename))
            except Refused as refusal:
                return Result("failed", refusal.message, dict(refusal.details))
    count = sum(len(package.entries) for package in read)
    kinds = " and ".join(dict.fromkeys(package.kind for package in read))
    details = {"entries": count, "unpacked_size": sum(package.unpacked_size for package in read), "kind": kinds}
    return Result("passed", f"A well-formed {kinds} of {count} files.", details)


def check_manifest(release: Release) -> Result:
    """What the manifest leaves out, and what it would run at installation."""
    manifest = release.manifest
    if manifest.install_scripts:
        names = ", ".join(sorted(manifest.install_scripts))
        return Result(
            "warned", f"It runs code when it is installed: {names}.", {"install_scripts": manifest.install_scripts}
        )
    missing = [name for name in ("description", "readme") if not getattr(manifest, name)]
    if release.origin == Release.Origin.PUBLISHED and missing:
        return Result("warned", f"The manifest has no {' and no '.join(missing)}.", {"missing": missing})
    return Result("passed", "Name, version and dependencies are well formed.")


def check_integrity(release: Release) -> Result:
    """Hash the stored bytes and compare with what was recorded when they arrived."""
    for artifact in release.artifacts.all():
        assert artifact.blob is not None
        found = storage.digests(artifact.blob)
        if (found.sha256, found.sha512, found.size) != (artifact.sha256, artifact.sha512, artifact.size):
            return Result("failed", f"{artifact.filename} is not what was uploaded.", {"sha256": found.sha256})
    return Result("passed", "The stored bytes are those that were uploaded.", {"sha256": release.sha256})


def check_signature(release: Release) -> Result:
    """Verify the stored signatures over the stored bytes, offline; every file has one, or it is not signed."""
    artifacts = list(release.artifacts.all())
    for artifact in (one for one in artifacts if one.signature):
        try:
            signatures.verify(
                artifact.signature, sha512=bytes.fromhex(artifact.sha512), sha256=bytes.fromhex(artifact.sha256)
            )
        except RegistryError as refusal:
            return Result("failed", refusal.message)
    if unsigned := [one.filename for one in artifacts if not one.signature]:
        return _unsigned(release, "It" if len(unsigned) == len(artifacts) else ", ".join(unsigned))
    primary = artifacts[0]
    text = f"Signed by {primary.signer} with {primary.signature_fingerprint}."
    return Result("passed", text, {"fingerprint": primary.signature_fingerprint})


def _unsigned(release: Release, what: str) -> Result:
    """No signature is no fault where none is asked for, nor where none was when the version was approved."""
    if release.origin != Release.Origin.PUBLISHED:
        return Result("skipped", "Third-party packages are not signed by us.")
    if release.project.signature_policy == Project.SignaturePolicy.OPTIONAL:
        text = f"{what} is not signed, and the project {release.project.slug} does not ask for signatures."
        return Result("skipped", text, {"signature_policy": "optional"})
    if release.status == Release.Status.APPROVED:
        return Result("warned", f"{what} is not signed; it was approved before its project asked for signatures.")
    return Result("failed", f"{what} is not signed.")


def check_name(release: Release) -> Result:
    """Whether people could mistake the name for that of another package here."""
    package = release.package
    others = Package.objects.filter(ecosystem=package.ecosystem).exclude(pk=package.pk)
    older = others.filter(created_at__lte=package.created_at)
    mine = skeleton(package.name)
    if twin := older.filter(skeleton=mine).values_list("name", flat=True).first():
        same_kind = bool(package.scope) == twin.startswith("@")
        text = f"The name can be mistaken for {twin}, which is another package."
        return Result("failed" if same_kind else "warned", text, {"confusable_with": twin})
    near = older.filter(skeleton__in=list(one_edit_away(mine))).values_list("name", flat=True).first()
    if near:
        return Result("warned", f"The name is one typing slip away from {near}.", {"confusable_with": near})
    return Result("passed", "No other package has a name like this.")
