"""The index documents of a package: what package managers read of it, made of the versions that may be had."""

from collections.abc import Iterable, Sequence

from registry import ecosystems, signing
from registry.ecosystems.indexes import File, Index, IndexDocument, Version
from registry.models import Artifact, Package, Release, ReleaseManifest
from registry.signing import Signatures

PLAIN = str.maketrans("“”‘’…–—\u00a0", "\"\"''.-- ")
UNLISTED = "Unlisted here: it is about to be removed."


def documents_of(
    package: Package,
    releases: Sequence[Release],
    tags: dict[str, str],
    people: Sequence[str] | None = None,
    signed: Signatures | None = None,
) -> Iterable[IndexDocument]:
    """What the package's ecosystem has to say of these releases, their files prefetched, the newest first.

    Whoever asks for some caller gives the releases that this caller may know of; `people`, the names of those
    to ask about the package, and the registry's signatures are read where they are not given.
    """
    return ecosystems.get(package.ecosystem).index_documents(index_of(package, releases, tags, people, signed))


def index_of(
    package: Package,
    releases: Sequence[Release],
    tags: dict[str, str],
    people: Sequence[str] | None = None,
    signed: Signatures | None = None,
) -> Index:
    """The facts; what is not approved, or without a file, is no part of them, but for what was withdrawn."""
    here = [one for one in releases if any(file.blob_id for file in one.artifacts.all())]
    shown = [one for one in here if one.is_served or one.status == Release.Status.QUARANTINED]
    read = ReleaseManifest.objects.only("raw", "requires", "install_scripts").filter(release__in=shown)
    manifests = {one.release_id: one for one in read} if shown else {}
    had = [one for one in shown if one.is_served and one.pk in manifests]
    if signed is None:
        signed = signing.signatures_of(package, had)
    if people is None:
        people = list(package.maintainers.order_by("id").values_list("user__username", flat=True))
    spoken = next((one for one in had if one.version == tags.get("latest")), had[0] if had else None)
    return Index(
        name=package.name,
        versions=tuple(_version(one, manifests[one.pk], signed) for one in shown if had and one.pk in manifests),
        tags=tags,
        created_at=package.created_at,
        updated_at=package.updated_at,
        readme=manifests[spoken.pk].readme if spoken else "",
        maintainers=tuple(people),
        notice=_notice(package, releases, tags.get("latest", "")),
        **_standing(had, releases),
    )


def _notice(package: Package, releases: Sequence[Release], latest: str) -> str:
    """Why the newest version is not the one that clients choose, who would take an older one without a word."""
    newer = []
    for one in releases:
        if one.version == latest:
            break
        if not one.is_served and not one.is_unlisted:
            newer.append(one)
    if not newer:
        return ""
    said = f"{package.name} {newer[0].version} is {newer[0].status} here and was skipped: {newer[0].held_because}"
    return as_ascii(said)


def as_ascii(text: str) -> str:
    """One line for a header or a reason phrase: quotation marks made plain, what ASCII lacks left out."""
    plain = " ".join(text.translate(PLAIN).split())
    return plain.encode("ascii", "ignore").decode()[:400]


def _standing(had: Sequence[Release], releases: Sequence[Release]) -> dict[str, str]:
    """Where nothing may be had and something was withdrawn, the clients' users are told so."""
    withdrawn = [one for one in releases if one.status == Release.Status.QUARANTINED]
    if had or not withdrawn:
        return {}
    return {"status": "quarantined", "status_reason": withdrawn[0].held_because}


def _version(release: Release, manifest: ReleaseManifest, signed: Signatures) -> Version:
    return Version(
        version=release.version,
        raw=manifest.raw,
        files=tuple(_file(one, manifest, signed) for one in release.artifacts.all() if one.blob_id),
        released_at=release.age_counts_from,
        deprecated=release.deprecated,
        yanked=_why_yanked(release),
        install_scripts=manifest.install_scripts,
    )


def _why_yanked(release: Release) -> str:
    """Who asks for exactly a withdrawn version is to be told why it is refused, so it stands among the others."""
    if release.status == Release.Status.QUARANTINED:
        return f"Quarantined here: {release.held_because}"
    return UNLISTED if release.is_unlisted else ""


def _file(artifact: Artifact, manifest: ReleaseManifest, signed: Signatures) -> File:
    return File(
        filename=artifact.filename,
        size=artifact.size,
        sha1=artifact.sha1,
        sha256=artifact.sha256,
        integrity=artifact.integrity,
        uploaded_at=artifact.uploaded_at,
        unpacked_size=artifact.unpacked_size,
        entry_count=artifact.entry_count,
        requires=manifest.requires,
        metadata_sha256=artifact.metadata_sha256,
        signatures=signed.get(artifact.pk, ()),
        has_attestations=artifact.is_attested,
    )
