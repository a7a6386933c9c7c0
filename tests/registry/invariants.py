"""What must hold after everything: after a refusal, a race, a crash, a purge. One place, used by all tests.

The numbers are those of the threat model: I1 what was acknowledged stands, I2 objects are those that rows name,
I3 nothing is left in staging, I4 every version has its jobs, I5 effects happened once, I6 the audit chain is whole and
has one event for each change, I7 nothing leaves that may not, I8 the change feed only grows.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from django.conf import settings
from django.utils import timezone

from accounts import auditing
from accounts.actors import ANONYMOUS
from accounts.errors import RegistryError
from accounts.models import AuditEvent, AuditHead
from registry import documents, downloading, grants, resolving, storage
from registry.models import (
    Artifact,
    Blob,
    Change,
    Check,
    Decision,
    Document,
    Job,
    Package,
    Release,
)

OWN_CHECKS = ("archive", "manifest", "integrity", "signature", "name")
COUNTED = (Package, Release, Artifact, Blob, Check, Decision, Document, Job, Change)


def objects() -> set[str]:
    """The keys of everything that lies in the store."""
    return set(storage.store().old_keys(time.time() + 10**9))


def staged() -> list[Path]:
    """The files that lie in staging."""
    folder = Path(settings.STAGING_DIR)
    return sorted(folder.iterdir()) if folder.is_dir() else []


def hold(*, settled: bool = True) -> None:
    """Assert every invariant. `settled` says that no job and no request is under way."""
    assert_bytes_are_those_that_rows_name(settled)
    assert_audit_is_whole()
    assert_feed_only_grows()
    for release in Release.objects.select_related("package__project", "project", "submitted_by"):
        assert_release_is_sound(release, settled)
    for package in Package.objects.select_related("project"):
        assert_documents_are_current(package)


def assert_bytes_are_those_that_rows_name(settled: bool) -> None:
    """I2, I3."""
    referenced = {one.blob.key for one in Artifact.objects.select_related("blob").filter(blob__isnull=False)}
    held = objects()
    assert referenced <= held, f"objects are missing: {referenced - held}"
    known = {blob.key for blob in Blob.objects.all()}
    assert held <= known, f"objects that no row names: {held - known}"
    if settled:
        assert held == referenced, f"objects that nothing refers to: {held - referenced}"
        assert staged() == []
    for blob in Blob.objects.filter(artifacts__isnull=False).distinct():
        assert blob.state == Blob.State.READY, blob
        found = storage.digests(blob)
        assert (found.sha256, found.size) == (blob.sha256, blob.size)


def assert_audit_is_whole() -> None:
    """I6: the chain verifies, and each change of state has exactly one event."""
    assert auditing.verify() == []
    assert (AuditHead.objects.filter(pk=1).values_list("seq", flat=True).first() or 0) == AuditEvent.objects.count()
    done = Counter(
        AuditEvent.objects.filter(action__startswith="release.", outcome="done").values_list("action", "object")
    )
    for release in Release.objects.select_related("package"):
        name = f"{release.package.ecosystem}:{release.package.name}@{release.version}"
        born = sum(done[action, name] for action in ("release.publish", "release.submit", "release.sync"))
        assert born == 1, f"{name} was born {born} times"
        answers = Counter(release.decisions.values_list("answer", flat=True))
        for answer in Decision.Answer.values:
            assert done[f"release.{answer}", name] == answers[answer], (name, answer)
        assert done["release.purged", name] == int(release.is_purged), name


def assert_feed_only_grows() -> None:
    """I8: numbers rise, and every release announced its birth once."""
    published = Counter(Change.objects.filter(kind="published").values_list("release_id", flat=True))
    assert published == Counter(Release.objects.values_list("pk", flat=True))


def assert_release_is_sound(release: Release, settled: bool) -> None:
    """I1, I4, I5, I7."""
    artifacts = list(release.artifacts.all())
    if release.origin == Release.Origin.PUBLISHED:
        assert len(artifacts) == 1
        assert artifacts[0].sha256 == release.sha256
        assert (artifacts[0].blob_id is None) == release.is_purged
    checks = list(release.checks.all())
    assert [check.name for check in checks] == list(settings.REGISTRY_CHECKS)
    is_read = grants.find_product(release.package) is None  # nothing reads the files of products
    assert Job.objects.filter(kind="check", ref=str(release.pk)).count() == int(is_read)
    if settled:
        assert not [check for check in checks if check.status in Check.OPEN], release
        overdue = Job.objects.filter(state=Job.State.OPEN, due_at__lte=timezone.now())
        assert not overdue.exists(), list(overdue.values())
    assert_status_is_decided(release)
    assert_only_the_approved_leaves(release)


def assert_status_is_decided(release: Release) -> None:
    """The status is that of the newest decision that sets one; nobody sets it otherwise."""
    setting = [one.answer for one in release.decisions.all() if one.answer in Release.Status.values]
    assert release.status == (setting[0] if setting else Release.Status.PENDING)
    for decision in release.decisions.all():
        assert decision.sha256 == release.sha256


def assert_only_the_approved_leaves(release: Release) -> None:
    """I7, for a caller without rights."""
    may_leave = release.status == Release.Status.APPROVED and not release.is_purged and not release.package.is_private
    if not may_leave:
        with pytest.raises(RegistryError):
            downloading.open_artifact(release, ANONYMOUS)
    elif release.artifacts.exists():
        download = downloading.open_artifact(release, ANONYMOUS)
        with download.open() as file:
            assert len(file.read()) == download.artifact.size


def assert_documents_are_current(package: Package) -> None:
    """What is served is what a rebuild would write now: nothing half-visible, nothing stale."""
    document = Document.objects.get(package=package, kind="detail")
    fresh = orjson.loads(orjson.dumps(documents.detail(package), option=orjson.OPT_UTC_Z))
    served = orjson.loads(bytes(document.body))
    for shape in (fresh, served):
        shape.pop("downloads")  # folded in by the minute, without a rebuild
    assert served == fresh
    assert document.etag == documents.build_etag(bytes(document.body))
    assert documents.read(package.name, package.ecosystem).pk == document.pk
    assert resolving.find_release(package, package.latest_version, ANONYMOUS) if package.latest_version else True


@contextmanager
def nothing_left(error: type[RegistryError], code: str = "", match: str = "") -> Iterator[pytest.ExceptionInfo]:
    """The block is refused with this error, and leaves one audit event, no row, no object, no staged file."""
    rows = {model: set(model.objects.values_list("pk", flat=True)) for model in COUNTED}
    before, events = objects(), AuditEvent.objects.count()
    with pytest.raises(error, match=match or None) as caught:
        yield caught
    if code:
        assert caught.value.code == code
    for model, known in rows.items():
        assert set(model.objects.values_list("pk", flat=True)) == known, model
    assert objects() == before
    assert staged() == []
    assert AuditEvent.objects.count() == events + 1
    last = AuditEvent.objects.order_by("-seq").first()
    assert last.outcome == "refused"
    assert last.details["code"] == caught.value.code
    assert auditing.verify() == []
