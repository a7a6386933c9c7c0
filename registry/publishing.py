"""Publishing: `receive` takes bytes that mean nothing yet, `publish` makes a release of them."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import auditing, projects, signatures, signing_keys, tokens
from accounts.actors import Actor
from accounts.models import Membership, Project
from registry import approving, checking, documents, ecosystems, gates, signals, storage
from registry.attaching import Signed, Upload, write_artifact, write_manifest
from registry.ecosystems.base import Manifest
from registry.ecosystems.confusables import skeleton
from registry.errors import Conflict, Forbidden, InvalidInput, Refused, RegistryError
from registry.models import (
    Blob,
    Package,
    PackageMaintainer,
    Release,
)
from registry.models.packages import CATEGORIES
from registry.webhooks import announcing

HOW_TO_SIGN = (
    "The archive is not signed. Sign it with `ssh-keygen -Y sign -n codesync -f KEY FILE`, with a key that is "
    "registered on your profile page, and send the signature as the header X-Signature (base64), as the part "
    "“signature”, or appended to the archive."
)

LONGEST_TAG = 64
ACTIONS = {"published": "release.publish", "submitted": "release.submit", "synced": "release.sync"}


@dataclass(frozen=True, slots=True)
class Intent:
    """What the client may choose: everything else is read from the archive.

    `with_it` writes the caller's own rows in the same transaction.
    """

    origin: str = Release.Origin.PUBLISHED
    tag: str = "latest"
    access: str = ""
    category: str = ""
    submitted_for: str = ""
    note: str = ""
    released_at: datetime | None = None
    with_it: Callable[[Release], object] | None = None
    is_staged: bool = False  # a person decides, whatever the policy
    is_product: bool = False  # a build artifact: unsigned, unread, approved at once


def receive(stream: storage.Readable, limit: int | None = None) -> AbstractContextManager[storage.Staged]:
    """Stream the body to a staged file that is gone when the block ends. `limit` in bytes; raises TooLarge."""
    return storage.stage(stream, limit)


def publish_upload(
    staged: storage.Staged,
    actor: Actor,
    *,
    signature: str | None = None,
    tag: str = "latest",
    access: str = "",
    category: str = "",
    filename: str = "",
    agrees: Callable[[Manifest], None] | None = None,
    is_staged: bool = False,
) -> Release:
    """Publish a signed archive: verify, read strictly, ask the gates, keep the bytes, make the release.

    Unsigned ones pass where the project's signature policy is optional; a signature that is there must be good.
    One that `is_staged` waits for a person, whatever the project's policy.
    `agrees` raises where what was read from the archive is not what its sender told.
    Raises Unauthenticated, Forbidden, InvalidInput, Refused (unsigned, bad signature, hostile archive), Conflict
    (the version exists). A refusal leaves one audit event and nothing else.
    """
    with refusals_audited("release.publish", "upload", actor):
        actor.need("publish", narrow=True)
        intent = Intent(
            tag=tag,
            access=_check_access(access),
            category=check_category(category),
            is_staged=is_staged,
        )
        staged, armored = _take_signature(staged, signature)
        if armored is None:
            _refuse_unsigned(actor.project)
        signed = _verify(armored, staged, actor) if armored is not None else None
        package = ecosystems.read_package(staged.path, filename)
        check_tag(tag, package.manifest.ecosystem)
        if agrees is not None:
            agrees(package.manifest)
        return publish(Upload(package, staged, signed), actor, intent)


def publish(upload: Upload, actor: Actor, intent: Intent) -> Release:
    """Make a release of a file that was read: bytes before rows, rows before the answer, the broker only a hint."""
    manifest = upload.package.manifest
    existing = find_named(manifest.ecosystem, manifest.name)
    project = existing.project if existing is not None and intent.is_product else project_of(actor)
    ask_to_publish(manifest, existing, intent.origin, project, actor, is_staged=intent.is_staged)
    refuse_known(existing, manifest)
    _refuse_other_access(existing, intent.access)
    is_ours = intent.origin == Release.Origin.PUBLISHED and not intent.is_product
    if existing is not None and upload.signed is None and is_ours:
        _refuse_unsigned(existing.project)
    kept = [(one, storage.keep(one.staged)) for one in (upload, *upload.also)]
    try:
        with transaction.atomic():
            release = _write_rows(kept, actor, intent, project, is_new=existing is None)
            for _, blob in kept:
                storage.confirm(blob)
    except (IntegrityError, RegistryError) as problem:
        for _, blob in kept:
            storage.give_back(blob)
        if isinstance(problem, IntegrityError):
            raise already_exists(manifest) from problem
        raise
    return release


# --- before anything is kept ---------------------------------------------------------------------------------------
@contextmanager
def refusals_audited(action: str, what: str, actor: Actor) -> Iterator[None]:
    """Leave one audit event when the block refuses, and hand the refusal on."""
    try:
        yield
    except RegistryError as refusal:
        details = {"code": refusal.code, "reason": refusal.message[:500]}
        with transaction.atomic():
            auditing.record(action, what[:200], actor, outcome="refused", details=details)
        refusal.is_noted = True
        raise


def _take_signature(staged: storage.Staged, given: str | None) -> tuple[storage.Staged, str | None]:
    """The archive alone and its signature; one that is appended is cut off the staged file."""
    length, appended = signatures.split_appended(staged.path)
    if appended is None:
        return staged, given
    if given is not None:
        raise Refused("Two signatures came with the archive. Send one.", code="signature_twice")
    os.truncate(staged.path, length)
    return staged.digests_of_prefix(length), appended


def _refuse_unsigned(project: Project | None) -> None:
    """Both the project that one publishes for and the one that owns the package must accept unsigned archives."""
    if project is None or project.signature_policy != Project.SignaturePolicy.OPTIONAL:
        raise Refused(HOW_TO_SIGN, code="unsigned", details={"signature": ["missing"]})


def _verify(armored: str, staged: storage.Staged, actor: Actor) -> Signed:
    found = signatures.verify(armored, sha512=bytes.fromhex(staged.sha512), sha256=bytes.fromhex(staged.sha256))
    key = signing_keys.find_live(found.fingerprint)
    if key is None or actor.user is None or key.user_id != actor.user.pk:
        raise Refused(
            f"The archive is signed by {found.fingerprint}, which is not a signing key of yours. "
            "Add the key on your profile page, or sign with a registered one.",
            code="unknown_key",
            details={"signature": [found.fingerprint]},
        )
    return Signed(armored, key)


def project_of(actor: Actor) -> Project:
    """The tenant a publish lands in. Raises InvalidInput without one, Forbidden for readers of it."""
    project = actor.project
    if project is None:
        raise InvalidInput("Say which project this is for: send X-Project-ID, or set a default project.")
    if actor.is_system or actor.is_admin:
        return project
    role = Membership.objects.filter(project=project, user=actor.user).values_list("role", flat=True).first()
    if role not in (Membership.Role.OWNER, Membership.Role.MEMBER):
        raise Forbidden(f"You may not publish for the project {project.slug}. Ask its owner to make you a member.")
    return project


def need_say(package: Package, actor: Actor) -> None:
    """Raise Unauthenticated or Forbidden unless the actor may publish versions of a package that is here already."""
    actor.need("publish", package.project_id)
    if actor.is_system or actor.is_admin:
        return
    is_seen = package.project_id in actor.project_ids
    if actor.user is None or not is_seen or not projects.may_publish(actor.user, package.project):
        raise Forbidden(
            f"{package.name} belongs to another project. Ask an owner of that project to make you a member."
        )


def find_named(ecosystem: str, name: str) -> Package | None:
    """The package of that name in its normal form, whoever owns it."""
    normalized = ecosystems.get(ecosystem).normalize_name(name)
    found = Package.objects.select_related("project").filter(ecosystem=ecosystem, normalized=normalized)
    return found.first()


def ask_to_publish(
    manifest: Manifest,
    package: Package | None,
    origin: str,
    project: Project,
    actor: Actor,
    *,
    is_staged: bool = False,
) -> None:
    """Ask the publishing gates; raises Forbidden with their verdicts."""
    held = package.releases.values_list("origin", flat=True).distinct() if package else ()
    subject = gates.Publication(
        manifest.ecosystem, manifest.name, manifest.version, origin, package, frozenset(held), project.pk, is_staged
    )
    verdicts = gates.ask("publishing", subject, actor)
    if objection := gates.first_objection(verdicts):
        raise Forbidden(
            objection.reason, code=objection.code, details={"verdicts": [one.as_dict() for one in verdicts]}
        )


def refuse_known(package: Package | None, manifest: Manifest) -> None:
    """A name and version once used is never used again, not even after removal."""
    canonical = ecosystems.get(manifest.ecosystem).canonical_version(manifest.version)
    if package is not None and package.releases.filter(canonical=canonical).exists():
        raise already_exists(manifest)


def already_exists(manifest: Manifest) -> Conflict:
    """The refusal of a second publish."""
    return Conflict(
        f"{manifest.name} {manifest.version} exists already. Versions are immutable: raise the version number.",
        code="version_exists",
    )


def _check_access(access: str) -> str:
    if access not in ("", "public", "private"):
        raise InvalidInput("Give access as public or private.", details={"access": ["public or private"]})
    return access


def _refuse_other_access(package: Package | None, access: str) -> None:
    if package is not None and access and access != package.visibility:
        raise InvalidInput(
            f"{package.name} is {package.visibility}; publishing a version does not change that.",
            details={"access": [f"is {package.visibility}"]},
        )


def check_tag(tag: str, ecosystem: str) -> str:
    """A dist-tag: a short word that nobody can take for a version or a range; raises InvalidInput."""
    is_word = tag.replace("-", "").replace("_", "").replace(".", "").isalnum() and not tag[0].isdigit()
    if not is_word or len(tag) > LONGEST_TAG:
        raise InvalidInput("A tag is a word of at most 64 characters that is no version.", details={"tag": [tag[:80]]})
    try:
        ecosystems.get(ecosystem).parse_range(tag)
    except InvalidInput:
        return tag
    if tag == "latest":
        return tag
    raise InvalidInput(
        f"A tag must not read as a range of versions, as {tag} does.", details={"tag": ["reads as a range"]}
    )


def check_category(category: str) -> str:
    """One of the known categories, or none."""
    known = [key for key, _ in CATEGORIES]
    if category and category not in known:
        raise InvalidInput(
            f"Unknown category. Choose one of {', '.join(known)}.", details={"category": [category[:80]]}
        )
    return category


# --- the rows ------------------------------------------------------------------------------------------------------
def _write_rows(
    kept: list[tuple[Upload, Blob]], actor: Actor, intent: Intent, project: Project, *, is_new: bool
) -> Release:
    upload = kept[0][0]
    package = take_name(upload.package.manifest, actor, intent, project, is_new=is_new)
    release = write_release(package, upload.package.manifest, actor, intent, upload.staged)
    write_manifest(release, upload.package)
    for one, blob in kept:
        write_artifact(release, one, blob)
    if intent.with_it:
        intent.with_it(release)
    finish(release, actor, ACTIONS[intent.origin], is_checked=not intent.is_product)
    return approving.admit(release, "Its pipeline answers for it.") if intent.is_product else release


def take_name(manifest: Manifest, actor: Actor, intent: Intent, project: Project, *, is_new: bool = False) -> Package:
    """The package's row, made with this version if nobody holds the name; locked until the transaction ends.

    `is_new` where nobody held it a moment ago.
    """
    rules = ecosystems.get(manifest.ecosystem)
    named = {"ecosystem": manifest.ecosystem, "normalized": rules.normalize_name(manifest.name)}
    fresh = {
        "name": manifest.name,
        "scope": rules.scope_of(manifest.name),
        "skeleton": skeleton(manifest.name),
        "project": project,
        "visibility": intent.access or project.visibility,
        "category": intent.category,
    }
    package = None
    if is_new:
        with suppress(IntegrityError), transaction.atomic():
            package = Package.objects.create(**named, **fresh)
    made = package is not None
    if package is None:
        package, made = Package.objects.select_for_update(of=("self",)).get_or_create(**named, defaults=fresh)
    if made and actor.user:
        PackageMaintainer.objects.create(package=package, user=actor.user)
    if not made:  # somebody may have taken the name since the gates were asked
        ask_to_publish(manifest, package, intent.origin, project, actor, is_staged=intent.is_staged)
    return package


def write_release(
    package: Package, manifest: Manifest, actor: Actor, intent: Intent, file: storage.Staged | None = None
) -> Release:
    """The version's row, pending until it is decided; `file` is its primary one, if it has come."""
    _categorize(package, intent)
    tokens.spend(actor, f"{package.ecosystem}:{package.normalized}@{manifest.version}")
    return Release.objects.create(
        package=package,
        version=manifest.version,
        canonical=ecosystems.get(manifest.ecosystem).canonical_version(manifest.version),
        origin=intent.origin,
        project=package.project if intent.origin == Release.Origin.PUBLISHED else actor.project or package.project,
        submitted_by=actor.user,
        submitted_for=intent.submitted_for,
        request_note=intent.note,
        released_at=intent.released_at,
        license=manifest.license[:255],
        requested_tag=intent.tag,
        stage_id=uuid4() if intent.is_staged else None,
        held_because="Its checks have not ended yet.",
        sha256=file.sha256 if file else "",
        size=file.size if file else 0,
    )


def _categorize(package: Package, intent: Intent) -> None:
    """A category once chosen stays, unless the package's own people give another."""
    if intent.category and (not package.category or intent.origin == Release.Origin.PUBLISHED):
        package.category = intent.category
        package.save(update_fields=["category"])


def finish(release: Release, actor: Actor, action: str, *, is_checked: bool = True) -> None:
    """Open the checks, leave the audit event, rebuild the documents, tell whoever listens."""
    (checking.open_checks if is_checked else checking.skip_checks)(release)
    name = f"{release.package.ecosystem}:{release.package.name}@{release.version}"
    details = {"sha256": release.sha256, "size": release.size, "origin": release.origin}
    announcing.announce_arrival(release)
    auditing.record(action, name, actor, details=details, project=release.project.slug)
    documents.rebuild(release.package, "published", release)
    signals.announce(signals.release_published, release)


def upload_limit() -> int:
    """The largest upload, in bytes."""
    return settings.MAX_UPLOAD_MB * 1024 * 1024
