"""Joining: a version gains its files one by one, as Python's clients send them.

One rule keeps what nobody has judged from leaving: a file that joins sends the whole version back to its checks, and
decisions bind to the digest of all its files. So nothing new can be served by a decision that was made before it came.
A version takes files while it waits, and, where policy alone approved it, for RELEASE_TAKES_FILES_DAYS after it came;
what a person has decided stays as that person saw it.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import auditing, tokens
from accounts.actors import SYSTEM, Actor
from accounts.models import Project
from registry import checking, documents, ecosystems, publishing, signals, storage
from registry.attaching import Upload, write_artifact, write_dependencies
from registry.ecosystems import attestations
from registry.ecosystems.base import Manifest
from registry.ecosystems.base import Package as ReadPackage
from registry.errors import Conflict, Forbidden, InvalidInput, Refused, RegistryError
from registry.models import Artifact, Release
from registry.webhooks import announcing

STATUS = Release.Status
MOST_FILES = 200
MOST_LICENSE_TEXTS = 50
BLOCK = 1 << 20
DIGESTS: Mapping[str, Callable[[], Any]] = {
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "blake2_256": lambda: hashlib.blake2b(digest_size=32),
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as its sender describes it: all of that is compared with the file, none of it believed.

    `digests` are hexadecimal, under the names in DIGESTS; `attestations` is a JSON array (PEP 740).
    """

    ecosystem: str
    filename: str
    name: str = ""
    version: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    attestations: str = ""


def add_file(staged: storage.Staged, sent: Sent, actor: Actor) -> Artifact:
    """Publish an unsigned file as a new version, or as a further file of one that is still open.

    Raises Unauthenticated, Forbidden (not yours, or the version is closed), InvalidInput (a digest or name is not the
    file's), Refused (a signature is asked for, a hostile archive, it contradicts the version's other files), Conflict
    (a file of that name is there).
    """
    with publishing.refusals_audited("release.publish", "upload", actor):
        actor.need("publish", narrow=True)
        project = publishing.project_of(actor)
        _compare_digests(staged, sent.digests)
        read = ecosystems.read_package(staged.path, sent.filename)
        _compare_claims(read.manifest, sent)
        attested = attestations.read(sent.attestations, read.filename, staged.sha256)
        upload = Upload(read, staged, attestations=attested)
        if _find(read.manifest) is None and (made := _begin(upload, project, actor)) is not None:
            return made.artifacts.get(filename=upload.package.filename)
        release = _find(read.manifest)
        assert release is not None  # a name and version that was taken stays
        return _join(release, upload, project, actor)


def _find(manifest: Manifest) -> Release | None:
    package = publishing.find_named(manifest.ecosystem, manifest.name)
    if package is None:
        return None
    canonical = ecosystems.get(manifest.ecosystem).canonical_version(manifest.version)
    return package.releases.select_related("package__project", "project").filter(canonical=canonical).first()


def _begin(upload: Upload, project: Project, actor: Actor) -> Release | None:
    """The new version with this file as its first; None where another file has just begun it."""
    manifest = upload.package.manifest
    existing = publishing.find_named(manifest.ecosystem, manifest.name)
    _refuse_where_signed(project, *([existing.project] if existing else []))
    try:
        return publishing.publish(upload, actor, publishing.Intent())
    except Conflict:
        if _find(manifest) is None:
            raise
        return None


# --- what the sender says of the file --------------------------------------------------------------------------------
def _compare_digests(staged: storage.Staged, given: Mapping[str, str]) -> None:
    """Every digest that was sent must be the file's; which of them are sent is the client's choice."""
    wanted = {name: text.strip().lower() for name, text in given.items() if text.strip()}
    found = {"sha256": staged.sha256} if wanted.keys() <= {"sha256"} else _digests(staged, wanted)
    for name, text in wanted.items():
        if text != found[name]:
            raise InvalidInput(
                f"The {name} digest sent along is not that of the file that arrived. Send it again.",
                code="digest_mismatch",
                details={f"{name}_digest": ["not the file's"]},
            )


def _digests(staged: storage.Staged, names: Mapping[str, str]) -> dict[str, str]:
    digests = {name: DIGESTS[name]() for name in names}
    with staged.path.open("rb") as file:
        while chunk := file.read(BLOCK):
            for digest in digests.values():
                digest.update(chunk)
    return {name: digest.hexdigest() for name, digest in digests.items()}


def _compare_claims(manifest: Manifest, sent: Sent) -> None:
    if manifest.ecosystem != sent.ecosystem:
        message = (
            f"This address takes {ecosystems.get(sent.ecosystem).label} files; the file is of {manifest.ecosystem}."
        )
        raise Refused(message, code="other_ecosystem")
    rules = ecosystems.get(sent.ecosystem)
    same_name = not sent.name or rules.normalize_name(sent.name) == rules.normalize_name(manifest.name)
    canonical = rules.canonical_version
    same_version = not sent.version or canonical(sent.version) == canonical(manifest.version)
    if not (same_name and same_version):
        said = f"{sent.name} {sent.version}"[:200]
        raise InvalidInput(
            f"The file is {manifest.name} {manifest.version}, and the fields sent along say {said}.",
            code="other_package",
        )


# --- what may join ---------------------------------------------------------------------------------------------------
def _join(release: Release, upload: Upload, project: Project, actor: Actor) -> Artifact:
    """Add the file and send the version back to its checks, in one transaction."""
    read, package = upload.package, release.package
    publishing.ask_to_publish(read.manifest, package, Release.Origin.PUBLISHED, project, actor)
    _refuse(release, read)
    _refuse_where_signed(project, package.project)
    blob = storage.keep(upload.staged)
    try:
        with transaction.atomic():
            documents.hold(package.pk)
            release.refresh_from_db()
            _refuse(release, read)
            tokens.spend(actor, f"{package.ecosystem}:{package.normalized}@{release.version}")
            artifact = write_artifact(release, upload, blob)
            storage.confirm(blob)
            _merge(release, read)
            _go_back(release, artifact, actor)
    except (IntegrityError, RegistryError) as problem:
        storage.give_back(blob)
        if isinstance(problem, IntegrityError):
            raise _known(read.filename) from problem
        raise
    return artifact


def _refuse(release: Release, read: ReadPackage) -> None:
    """Raise for a file that is there, a version that takes none, a file that says other things than the others."""
    names = set(release.artifacts.values_list("filename", flat=True))
    if read.filename in names:
        raise _known(read.filename)
    if len(names) >= MOST_FILES:
        raise Refused(f"A version has at most {MOST_FILES} files.", code="too_many_files")
    if why := _closed(release):
        message = f"{release.package.name} {release.version} takes no further files: {why}. Raise the version number."
        raise Forbidden(message, code="version_closed")
    _refuse_contradiction(release, read)


def _known(filename: str) -> Conflict:
    """In the words that twine's --skip-existing looks for."""
    return Conflict(f"The file {filename} already exists here. Files are immutable.", code="file_exists")


def _closed(release: Release) -> str:
    """Why no file may join the version, in the middle of a sentence; "" where one may."""
    days = settings.RELEASE_TAKES_FILES_DAYS
    if release.origin != Release.Origin.PUBLISHED:
        return "its project does not publish it itself"
    if release.is_unlisted:
        return "it is unlisted"
    if release.submitted_at < timezone.now() - timedelta(days=days):
        return f"it came more than {days} days ago"
    if release.status == STATUS.PENDING:
        return ""
    if release.status != STATUS.APPROVED:
        return f"it is {release.status}"
    decision = release.decisions.filter(answer=STATUS.APPROVED).first()
    by_policy = decision is not None and decision.pseudonym == SYSTEM.pseudonym
    return "" if by_policy else "a maintainer has approved it with the files that it had"


def _refuse_contradiction(release: Release, read: ReadPackage) -> None:
    """All files of a version are one thing: its license and what it asks of the interpreter are judged once."""
    said, known = read.manifest, release.manifest
    if said.version != release.version:
        message = f"This version is spelled {release.version} here, and {said.version} in the file."
        raise Refused(message, code="other_spelling")
    claims = {
        "license": (said.license, known.license_declared),
        "Requires-Python": (said.requires[:512], known.requires),
    }
    for what, (here, there) in claims.items():
        if here and there and here.strip() != there.strip():
            message = f"The file has the {what} “{here[:80]}”, the others of this version have “{there[:80]}”."
            raise Refused(message, code="contradicts_version", details={what: [here[:200], there[:200]]})
    if len({*known.license_texts.values(), *read.license_texts.values()}) > MOST_LICENSE_TEXTS:
        raise Refused("The files of this version hold too many license texts.", code="too_many_licenses")


def _refuse_where_signed(*owners: Project) -> None:
    """Clients of package indexes cannot sign; where signatures are asked for, there is another way in."""
    for project in owners:
        if project.signature_policy != Project.SignaturePolicy.OPTIONAL:
            raise Refused(
                f"The project {project.slug} takes signed archives only, and this client does not sign. Publish with "
                "“codesync publish” or by POST /api/v1/packages/publish with X-Signature, or have an owner of the "
                "project make signatures optional.",
                code="unsigned",
                details={"signature": ["missing"]},
            )


# --- the rows --------------------------------------------------------------------------------------------------------
def _merge(release: Release, read: ReadPackage) -> None:
    """What the file brings beyond the others is judged as well: dependencies, license texts, code that runs."""
    manifest, said = release.manifest, read.manifest
    texts = {path: text for path, text in read.license_texts.items() if text not in manifest.license_texts.values()}
    manifest.license_texts = {**texts, **manifest.license_texts}
    manifest.license_classifiers = list(dict.fromkeys([*manifest.license_classifiers, *said.license_classifiers]))
    manifest.install_scripts = {**said.install_scripts, **manifest.install_scripts}
    manifest.license_declared = manifest.license_declared or said.license
    manifest.requires = manifest.requires or said.requires[:512]
    if not manifest.readme:
        manifest.readme, manifest.readme_format = said.readme, said.readme_format
    manifest.save()
    write_dependencies(release, said, known=release.dependencies.all())


def _go_back(release: Release, artifact: Artifact, actor: Actor) -> None:
    """The version waits again, for its checks and a decision over all that it holds now."""
    before = release.status
    release.files_sha256 = list_digest(release)
    release.status, release.stands_until = STATUS.PENDING, None
    release.held_because = f"{artifact.filename} has joined it, and its checks have not ended yet."
    release.save(update_fields=["files_sha256", "status", "stands_until", "held_because"])
    checking.reopen(release)
    if before == STATUS.APPROVED:
        announcing.announce_arrival(release)
    name = f"{release.package.ecosystem}:{release.package.name}@{release.version}"
    details = {"file": artifact.filename, "sha256": artifact.sha256, "files_sha256": release.files_sha256}
    auditing.record("release.join", name, actor, details={**details, "before": before}, project=release.project.slug)
    documents.rebuild(release.package, "changed" if before == STATUS.APPROVED else "published", release)
    if before == STATUS.APPROVED:
        signals.announce(signals.release_retired, release)


def list_digest(release: Release) -> str:
    """What decisions over several files bind to: the SHA-256 of what `sha256sum` prints of them, sorted by name."""
    files = sorted(release.artifacts.values_list("filename", "sha256"))
    return hashlib.sha256("".join(f"{sha256}  {name}\n" for name, sha256 in files).encode()).hexdigest()
