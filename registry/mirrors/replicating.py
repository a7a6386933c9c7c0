"""Replicating one package: what may stand on a region is brought there, what may not is taken away.

In an order in which nothing is ever named that is not there: files, then the names of files, then the document; and
the other way round where something goes. Idempotent, so that a crash only repeats a step.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from registry import documents, storage
from registry.mirrors import holding, layout
from registry.mirrors.models import Mirror, Replica
from registry.mirrors.patience import Patient
from registry.models import Artifact, Document, Package, Release

STATE = Replica.State
AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Destination:
    """A region that is written to, and the right to do so."""

    mirror: Mirror
    store: Patient
    hold: holding.Hold


def standing() -> QuerySet[Artifact]:
    """Every file that may stand on a region: public, approved, not removed. One held back here may stand there."""
    return Artifact.objects.filter(
        Q(release__stands_until=None) | Q(release__stands_until__gt=timezone.now()),
        blob__isnull=False,
        release__status=Release.Status.APPROVED,
        release__purged_at=None,
        release__package__visibility=Package.Visibility.PUBLIC,
    )


def bring_in_line(to: Destination, package: Package, *, adding: bool) -> bool:
    """Let the region hold of this package what it should; without `adding`, only take away what it should not.

    Returns whether the region was asked at all: what never stood there is not even spoken of. Raises OSError where
    the region fails, and what the storage raises where a file cannot be read here.
    """
    wanted = {one.pk: one for one in of(standing(), package)}
    replicas = Replica.objects.filter(mirror=to.mirror, artifact__release__package=package)
    believed = dict(replicas.exclude(state=STATE.REMOVED).values_list("artifact_id", "state"))
    if not wanted and not believed:
        return False
    if adding:
        _copy(to, package, [one for pk, one in wanted.items() if believed.get(pk) != STATE.PRESENT])
        there = list(wanted.values())
    else:
        there = [one for pk, one in wanted.items() if _is_there(to, package, one, believed.get(pk))]
    describe(to, package, there)
    if gone := believed.keys() - wanted.keys():
        _withdraw(to, package, list(of(Artifact.objects.filter(pk__in=gone), package)))
    return True


def of(artifacts: QuerySet[Artifact], package: Package) -> QuerySet[Artifact]:
    """Those of the package, each knowing its release, its blob and the `first` file of its release."""
    first = Artifact.objects.filter(release=OuterRef("release")).order_by("pk").values("pk")[:1]
    found = artifacts.filter(release__package=package).select_related("release", "blob")
    return found.annotate(first=Subquery(first)).order_by("pk")


# --- coming --------------------------------------------------------------------------------------------------------
def _copy(to: Destination, package: Package, artifacts: list[Artifact]) -> None:
    """Noted before it is begun, so that what a crash leaves half-known is withdrawn like the rest."""
    for batch in (artifacts[at : at + AT_ONCE] for at in range(0, len(artifacts), AT_ONCE)):
        note(to.mirror, batch, STATE.PENDING)
        for artifact in batch:
            place(to, artifact)
        link(to, package, batch)
        note(to.mirror, batch, STATE.PRESENT)


def place(to: Destination, artifact: Artifact) -> None:
    """Copy one file from here, checked against its digest on the way."""
    assert artifact.blob is not None
    to.hold.check()
    with storage.as_file(artifact.blob) as path:
        to.store.put(layout.file_of(artifact.sha256), path, artifact.size, artifact.sha256)


def link(to: Destination, package: Package, artifacts: Iterable[Artifact]) -> None:
    """Give the files their names."""
    for artifact in artifacts:
        for name, target in links_of(package, artifact).items():
            to.store.link(name, target)


def links_of(package: Package, artifact: Any) -> dict[str, str]:
    """The names of a file that `of` has found."""
    return layout.links_of(package, artifact, is_first=artifact.pk == artifact.first)


def note(mirror: Mirror, artifacts: Sequence[Artifact], state: str) -> None:
    """What is believed of these files from now on."""
    at = timezone.now()
    rows = [Replica(mirror=mirror, artifact=one, state=state, written_at=at) for one in artifacts]
    Replica.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["mirror", "artifact"], update_fields=["state", "written_at"]
    )


def _is_there(to: Destination, package: Package, artifact: Artifact, state: str | None) -> bool:
    """Whether it was copied; of what is being copied, or was before a rebuild, its names say so: they come last."""
    if state != STATE.PENDING:
        return state == STATE.PRESENT
    return all(to.store.target_of(name) == target for name, target in links_of(package, artifact).items())


def doubt(mirror: Mirror, digests: Sequence[str]) -> None:
    """Files with these digests are there no more, whatever becomes of their versions."""
    known = Replica.objects.filter(mirror=mirror, artifact__sha256__in=digests).exclude(state=STATE.REMOVED)
    known.update(state=STATE.FAILED)


# --- being named ---------------------------------------------------------------------------------------------------
def describe(to: Destination, package: Package, there: Sequence[Artifact]) -> None:
    """Write the document and the names by which it is found; or take them away, names first, where nothing is left."""
    to.hold.check()
    key, body = layout.document_of(package), document(package, there)
    if body is not None:
        to.store.write(key, body)
    for name, target in names_of(package, body is not None).items():
        if target:
            to.store.link(name, target)
        else:
            to.store.delete(name)
    if body is None:
        to.store.delete(key)


def names_of(package: Package, is_there: bool) -> dict[str, str]:
    """The names of a package; one that has nothing there is not led to."""
    home = layout.home_of(package.ecosystem, package.normalized)
    named = layout.names_of(package)
    return {name: "" if target == home and not is_there else target for name, target in named.items()}


def document(package: Package, there: Iterable[Artifact]) -> bytes | None:
    """The package's document as far as the region holds its versions; None where it holds none of them."""
    held = {one.release_id: one.release for one in there}
    stored = Document.objects.filter(package=package, kind="detail", private=False).values_list("body", flat=True)
    body = stored.first() if held else None
    if body is None:
        return None
    shape = orjson.loads(bytes(body))
    versions = {one.version for one in held.values()}
    shape["versions"] = [one for one in shape["versions"] if one["version"] in versions]
    listed = {one["version"] for one in shape["versions"] if not one["unlisted"]}
    shape["dist_tags"] = {tag: version for tag, version in shape["dist_tags"].items() if version in listed}
    if shape["version"] not in listed:
        shape |= _latest(package, list(held.values()), shape)
    return orjson.dumps(shape)


def _latest(package: Package, held: list[Release], shape: dict[str, Any]) -> dict[str, Any]:
    """What the document says at its top, of the latest version that the region holds."""
    latest = documents.latest_of(package.ecosystem, held)
    if latest is None:  # all of them are unlisted
        return {"version": "", "status": "", "dependencies": {}}
    row = next(one for one in shape["versions"] if one["version"] == latest.version)
    tags = shape["dist_tags"] | {"latest": latest.version}
    top = {name: row[name] for name in ("version", "status", "license", "dependencies")}
    return top | {"dist_tags": tags}


# --- going ---------------------------------------------------------------------------------------------------------
def _withdraw(to: Destination, package: Package, artifacts: list[Artifact]) -> None:
    """Names first, then the bytes, unless another version still needs the same; then it is noted."""
    needed = set(standing().filter(sha256__in={one.sha256 for one in artifacts}).values_list("sha256", flat=True))
    for artifact in artifacts:
        to.hold.check()
        for name in links_of(package, artifact):
            to.store.delete(name)
        if artifact.sha256 not in needed:
            to.store.delete(layout.file_of(artifact.sha256))
    gone = Replica.objects.filter(mirror=to.mirror, artifact__in=artifacts)
    gone.update(state=STATE.REMOVED, written_at=timezone.now())
