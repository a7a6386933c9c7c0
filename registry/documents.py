"""The documents of a package: built when something changes, kept as bytes, read with one indexed query."""

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson
from django.db import connection, transaction
from django.db.models import Prefetch
from django.utils import timezone

from accounts import auditing
from registry import ecosystems, indexing, search_index, signals, signing
from registry.ecosystems.indexes import IndexDocument
from registry.models import Artifact, Change, Check, Decision, Dependency, Document, Package, Release, ReleaseManifest

API_BASE = "/api/v1"
INSTALLED = ("runtime", "optional", "peer")
NEEDED = ("name", "range", "kind")
BYTES = """SELECT body, etag, private, project_id, content_type, notice FROM registry_document
           WHERE kind = %s AND lookup IN ({}) ORDER BY package_id LIMIT 1"""


class Stored(NamedTuple):
    """What a reader of a document needs."""

    body: bytes
    etag: str
    private: bool
    project_id: int
    content_type: str
    notice: str


def lookup_key(ecosystem: str, name: str) -> str:
    """How documents are found: the ecosystem and the name in its normal form."""
    name = name.replace("\x00", "\ufffd")  # which PostgreSQL would not even look for
    return f"{ecosystem}:{ecosystems.get(ecosystem).normalize_name(name)}"


def read(name: str, ecosystem: str = "", kind: str = "detail") -> Document | None:
    """The stored document; without an ecosystem the earliest registered package of that name answers."""
    keys = [lookup_key(ecosystem, name)] if ecosystem else [lookup_key(one.slug, name) for one in ecosystems.ALL]
    return Document.objects.filter(lookup__in=keys, kind=kind).order_by("package_id").first()


def read_bytes(name: str, ecosystem: str = "", kind: str = "detail") -> Stored | None:
    """The same for the hot paths: Django's cursor without its object mapper."""
    keys = [lookup_key(ecosystem, name)] if ecosystem else [lookup_key(one.slug, name) for one in ecosystems.ALL]
    with connection.cursor() as cursor:
        cursor.execute(BYTES.format(", ".join(["%s"] * len(keys))), [kind, *keys])
        row = cursor.fetchone()
    return None if row is None else Stored(bytes(row[0]), row[1], bool(row[2]), *row[3:])


def build_etag(body: bytes) -> str:
    """A strong entity tag of the bytes, quotes included."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def mask_email(address: str) -> str:
    """What everybody may see of an e-mail address: u***@example.com."""
    name, at, host = address.partition("@")
    return f"{name[:1]}***@{host}" if at else address


def package_url(package: Package) -> str:
    """The API path of the package."""
    return f"{API_BASE}/packages/{quote(package.name, safe='@/')}"


def version_url(package: Package, version: str) -> str:
    """The API path of one of its versions."""
    name = package.name
    if not name.startswith("@") and "/" in name and name.rpartition("/")[2] in {"versions", "resolve", "owners"}:
        name = quote(name, safe="@")
        return f"{API_BASE}/packages/{name}/versions/{quote(version, safe='+')}"
    return f"{package_url(package)}/versions/{quote(version, safe='+')}"


# --- reading what a package holds ----------------------------------------------------------------------------------
def releases_of(package: Package) -> list[Release]:
    """Every release that is not removed, with what the documents say of it, in four queries, newest first.

    Of its dependencies those that an installer brings along.
    """
    releases = (
        package.releases.filter(purged_at__isnull=True)
        .select_related("submitted_by")
        .prefetch_related(
            Prefetch("dependencies", Dependency.objects.filter(kind__in=INSTALLED).only("release", *NEEDED)),
            Prefetch("artifacts", Artifact.objects.order_by("id")),
            Prefetch("checks", Check.objects.filter(name="vulnerabilities"), to_attr="scan_checks"),
        )
    )
    return newest_first(package.ecosystem, releases)


def newest_first(ecosystem: str, releases: Iterable[Release]) -> list[Release]:
    """Sorted by the ecosystem's own order of versions."""
    order = ecosystems.get(ecosystem)
    return sorted(releases, key=lambda release: order.sort_key(release.version), reverse=True)


def latest_of(ecosystem: str, releases: Iterable[Release]) -> Release | None:
    """The highest approved release (pre-releases only if nothing else), else the newest of any status."""
    listed = [release for release in releases if not release.is_unlisted]
    approved = [release for release in listed if release.status == Release.Status.APPROVED]
    if approved:
        rules = ecosystems.get(ecosystem)
        stable = [release for release in approved if not rules.is_prerelease(release.version)]
        return max(stable or approved, key=lambda release: rules.sort_key(release.version))
    return max(listed, key=lambda release: release.submitted_at, default=None)


# --- shapes --------------------------------------------------------------------------------------------------------
def summary_row(package: Package) -> dict[str, Any]:
    """The row of a list (contract section 3)."""
    return {
        "name": package.name,
        "version": package.latest_version,
        "ecosystem": package.ecosystem,
        "status": package.latest_status,
        "license": package.license,
        "description": package.description,
        "category": package.category,
        "keywords": package.keywords,
        "downloads": package.downloads,
        "updated_at": package.updated_at,
    }


def version_row(package: Package, release: Release) -> dict[str, Any]:
    """One version in the detail of its package."""
    artifact = next(iter(release.artifacts.all()), None)
    return {
        "version": release.version,
        "status": release.status,
        "origin": release.origin,
        "published_at": release.submitted_at,
        "license": release.license,
        "size": artifact.size if artifact else None,
        "integrity": artifact.integrity if artifact else None,
        "sha256": artifact.sha256 if artifact else None,
        "shasum": artifact.sha1 if artifact else None,
        "dependencies": direct_dependencies(release),
        "unlisted": release.is_unlisted,
        "purge_at": release.purge_at,
        "deprecated": release.deprecated or None,
        "signature": signature_row(artifact),
        "scan": scan_row(release),
        "download_url": f"{version_url(package, release.version)}/download" if artifact else None,
    }


def direct_dependencies(release: Release) -> dict[str, str]:
    """Name to range of what an installer must bring along."""
    return {need.name: need.range for need in release.dependencies.all() if need.kind in INSTALLED}


def signature_row(artifact: Artifact | None) -> dict[str, str] | None:
    """Who signed the file, or None."""
    if artifact is None or not artifact.signature:
        return None
    return {"format": "sshsig", "fingerprint": artifact.signature_fingerprint, "signer": artifact.signer}


def scan_row(release: Release) -> dict[str, Any]:
    """The state of the vulnerability check and its counts."""
    check = next(iter(getattr(release, "scan_checks", ())), None)
    details = check.details if check else {}
    severities = ("critical", "high", "medium", "low", "unknown")
    return {"status": check.status if check else "pending"} | {name: details.get(name, 0) for name in severities}


def _email(address: str, reveal: bool) -> str | None:
    return (address if reveal else mask_email(address)) or None


def people_of(package: Package) -> list[str]:
    """The names of those to ask about the package."""
    return list(package.maintainers.order_by("id").values_list("user__username", flat=True))


def detail(package: Package, *, reveal: bool = False, releases: list[Release] | None = None) -> dict[str, Any]:
    """The whole package (contract section 3). `reveal` shows e-mail addresses in full."""
    releases = releases_of(package) if releases is None else releases
    latest = latest_of(package.ecosystem, releases)
    return summary_row(package) | {
        "scope": package.scope or None,
        "homepage": package.homepage or None,
        "repository": package.repository or None,
        "visibility": package.visibility,
        "project": package.project.slug,
        "maintainers": [{"username": one} for one in people_of(package)],
        **_history(latest, reveal),
        "dist_tags": dist_tags(package, releases, latest),
        "versions": [version_row(package, release) for release in releases],
        "dependencies": direct_dependencies(latest) if latest else {},
        "also_in": also_in(package),
    }


def _history(latest: Release | None, reveal: bool) -> dict[str, Any]:
    """Who asked for the latest version and who approved it."""
    if latest is None:
        return dict.fromkeys(("submitted_by", "submitted_at", "approved_by", "approved_at"))
    asked = latest.submitted_for or (latest.submitted_by.email if latest.submitted_by else "")
    decision = None
    if latest.status == Release.Status.APPROVED:
        decision = latest.decisions.filter(answer="approved").select_related("by").order_by("-at").first()
    return {
        "submitted_by": _email(asked, reveal),
        "submitted_at": latest.submitted_at,
        "approved_by": _decider(decision, reveal),
        "approved_at": decision.at if decision else None,
    }


def _decider(decision: Decision | None, reveal: bool) -> str | None:
    if decision is None:
        return None
    return (_email(decision.by.email, reveal) if decision.by else None) or decision.by_name


def dist_tags(package: Package, releases: list[Release], latest: Release | None) -> dict[str, str]:
    """Tags that point at versions which may be served; `latest` is always among them."""
    served = {one.pk for one in releases if one.is_served and not one.is_unlisted}
    tags = {
        one.tag: one.release.version for one in package.dist_tags.select_related("release") if one.release_id in served
    }
    if latest is not None and latest.pk in served:
        tags.setdefault("latest", latest.version)
    return tags


def also_in(package: Package) -> list[str]:
    """The other ecosystems in which a public package has this name."""
    keys = [lookup_key(one.slug, package.name) for one in ecosystems.ALL if one.slug != package.ecosystem]
    others = Document.objects.filter(lookup__in=keys, kind="detail", private=False).order_by("package_id")
    return [key.partition(":")[0] for key in others.values_list("lookup", flat=True)]


# --- building ------------------------------------------------------------------------------------------------------
def hold(package_id: int) -> None:
    """Make other writers of the package wait; first in every transaction that ends in `rebuild`.

    One order of locks for all (the package, then the head of the audit trail), so that no two wait for each other.
    """
    Package.objects.select_for_update().only("pk").get(pk=package_id)


@transaction.atomic(savepoint=False)
def rebuild(package: Package, change: str = "changed", release: Release | None = None) -> None:
    """Bring the package's columns, its stored documents and the search index in line; in the caller's transaction."""
    _refresh(package)
    stored = dict(package.documents.values_list("kind", "private"))
    fresh, was_unknown = "detail" not in stored, stored.get("detail") is not False
    releases = releases_of(package)
    _refresh_columns(package, latest_of(package.ecosystem, releases), fresh)
    said = detail(package, releases=releases)
    signed = signing.sign_missing(package, releases)
    people = [one["username"] for one in said["maintainers"]]
    written = [_detail_document(said), *indexing.documents_of(package, releases, said["dist_tags"], people, signed)]
    _store(package, written)
    if silent := stored.keys() - {one.kind for one in written}:
        package.documents.filter(kind__in=silent).delete()
    search_index.write(package)
    append(package, change, release)
    if package.is_private != was_unknown:
        _tell_namesakes(package, said["also_in"])


def _refresh(package: Package) -> None:
    """Take over what others may have changed since the caller read its copy; a project that is the same stays read."""
    columns = ("project_id", "category", "visibility", "downloads")
    for name, value in zip(columns, Package.objects.values_list(*columns).get(pk=package.pk), strict=True):
        setattr(package, name, value)


def append(package: Package, kind: str, release: Release | None = None) -> None:
    """Put a change at the end of the feed, in the caller's transaction.

    Numbers are given out before they are committed. The head of the audit trail is held until then, so that they are
    committed in their order, and whoever has read the feed up to one of them has missed nothing before it.
    """
    auditing.hold()
    Change.objects.create(package=package, release=release, kind=kind)
    signals.announce_change(kind)


def last_change() -> int:
    """The number of the newest change in the feed; 0 before the first."""
    return Change.objects.order_by("-seq").values_list("seq", flat=True).first() or 0


def _refresh_columns(package: Package, latest: Release | None, fresh: bool) -> None:
    """The latest version speaks for the package: what nobody has approved yet does not describe what somebody did."""
    columns: dict[str, Any] = {
        "latest_version": latest.version if latest else "",
        "latest_status": latest.status if latest else "",
        "license": latest.license if latest else "",
        "updated_at": timezone.now(),
    }
    described = ("description", "homepage", "repository", "keywords")
    columns |= ReleaseManifest.objects.filter(release=latest).order_by().values(*described).first() or {}
    if fresh:  # set under the lock of the audit trail, so that names are as old as their commits
        columns["created_at"] = columns["updated_at"]
    for name, value in columns.items():
        setattr(package, name, value)
    package.save(update_fields=list(columns))


def _detail_document(said: dict[str, Any]) -> IndexDocument:
    return IndexDocument("detail", "application/json", orjson.dumps(said, option=orjson.OPT_UTC_Z))


def _store(package: Package, written: Iterable[IndexDocument]) -> None:
    """Write the documents, new or over the old ones, in one query."""
    now = timezone.now()
    rows = [
        Document(
            lookup=f"{package.ecosystem}:{package.normalized}",
            kind=one.kind,
            package=package,
            private=package.is_private,
            project_id=package.project_id,
            body=one.body,
            content_type=one.content_type,
            etag=build_etag(one.body),
            notice=one.notice,
            built_at=now,
        )
        for one in written
    ]
    changing = ["package", "private", "project", "body", "content_type", "etag", "notice", "built_at"]
    Document.objects.bulk_create(rows, update_conflicts=True, unique_fields=["lookup", "kind"], update_fields=changing)


def _tell_namesakes(package: Package, also: list[str]) -> None:
    """Public packages of the same name elsewhere must name this one in `also_in`, or name it no more."""
    for slug in also:
        key = lookup_key(slug, package.name)
        other = Package.objects.select_related("project").get(documents__lookup=key, documents__kind="detail")
        _store(other, [_detail_document(detail(other))])
        append(other, "namesake")
