"""The index of a name as a client may see it: what is approved here, and what an upstream has that may still be had.

A version that stands here in any state is never taken from an upstream's words. Where a maintainer has to decide, a
name of which something is approved shows nothing else, so that whoever installs it gets what is approved; a name
without any shows what may be asked for, and asking makes the submission. Where machines decide, both stand side by
side. What is held never waits for an upstream.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.core.cache import cache
from django.utils import timezone

from accounts.actors import Actor
from registry import documents, ecosystems, indexing, publishing
from registry.ecosystems.indexes import File, Index, IndexDocument, Version
from registry.errors import Forbidden, InvalidInput
from registry.models import Package, Release
from registry.upstreams import fetching
from registry.upstreams.models import Shelf, Upstream
from registry.upstreams.sources.base import Assortment, Goods, Listing
from registry.upstreams.through import allowing, foreseeing, shelves

SECONDS = 60  # that a finished document is kept for: advisories, policies and ages change without telling it
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Offered:
    """An index document, and the upstream that some of it was heard from."""

    document: IndexDocument
    upstream: str


def document(ecosystem: str, name: str, kind: str, actor: Actor) -> Offered | None:
    """The index document of that kind with what an upstream adds; None where no upstream has anything to say.

    What stands here is answered for by the stored documents then. Where nothing does, it raises NotYet while the one
    that could say is down, and Forbidden where policy lets nothing in of what it has. Raises RateLimited.
    """
    if not allowing.for_actor(ecosystem, actor):
        return None
    package = publishing.find_named(ecosystem, name)
    if package is not None and not _may_gain(package, ecosystem, actor):
        return None
    is_held = package is not None and package.releases.approved().exists()
    for upstream in allowing.for_name(ecosystem, name, package, actor):
        if upstream.needs_review and is_held:
            return None
        found = shelves.glance(upstream, ecosystem, name) if is_held else shelves.of(upstream, ecosystem, name, actor)
        if found.state == Shelf.State.FOUND:
            return _kept(upstream, found, package, kind)
    return None


def _may_gain(package: Package, ecosystem: str, actor: Actor) -> bool:
    """Whether an upstream may add to a name that stands here; not where a sold key decides what is seen of it."""
    return package.is_visible_to(actor) and not (package.is_private and actor.entitlements)


def _kept(upstream: Upstream, shelf: Shelf, package: Package | None, kind: str) -> Offered | None:
    """Made anew when the shelf or the package changes, and every minute."""
    stands = f"{package.pk}-{package.updated_at.timestamp()}" if package is not None else "none"
    fetched = shelf.fetched_at.timestamp() if shelf.fetched_at else 0
    key = f"through:{upstream.pk}:{shelf.pk}:{fetched}:{stands}:{upstream.needs_review}:{kind}"
    made: IndexDocument | None = cache.get(key)
    if made is None:
        made = _made(upstream, shelf, package, kind)
        cache.set(key, made, SECONDS)
    return Offered(made, upstream.name) if made is not None else None


def _made(upstream: Upstream, shelf: Shelf, package: Package | None, kind: str) -> IndexDocument | None:
    index = index_of(upstream, shelf, package)
    if not index.versions:
        if package is None and index.notice:
            raise Forbidden(f"Nothing of it may be had now. {index.notice}", code="left_out")
        return None
    return next((one for one in ecosystems.get(shelf.ecosystem).index_documents(index) if one.kind == kind), None)


def index_of(upstream: Upstream, shelf: Shelf, package: Package | None) -> Index:
    """The facts: held versions as they stand here, and after them those that may still come."""
    found = shelves.assortment(shelf) or Assortment("", ())
    releases = documents.releases_of(package) if package is not None else []
    held = _held(package, releases)
    eligible = _eligible(shelf.ecosystem, found.goods, package, has_approved=held is not None)
    against = _unwelcome(upstream, shelf.ecosystem, found.name, eligible)
    shown = [one for one in eligible if one.version not in against and files_of(one)]
    rules = ecosystems.get(shelf.ecosystem)
    versions = [*(held.versions if held else ()), *(_version(upstream, one) for one in shown)]
    versions.sort(key=lambda one: rules.sort_key(one.version), reverse=True)
    base = held or Index(found.name, (), {}, EPOCH, shelf.fetched_at or timezone.now())
    updated = max(base.updated_at, shelf.fetched_at or base.updated_at)
    name = package.name if package is not None else found.name
    tags = _tags(shelf.ecosystem, versions, found.tags, base.tags, upstream.needs_review)
    notice = base.notice or _notice(upstream, found, against)
    return replace(base, name=name, versions=tuple(versions), tags=tags, updated_at=updated, notice=notice)


def _notice(upstream: Upstream, found: Assortment, against: Mapping[str, str]) -> str:
    """Why the newest version is not there, as one line of ASCII: else nobody would see that an older one is taken."""
    newest = found.tags.get("latest") or (found.goods[-1].version if found.goods else "")
    if newest not in against:
        return ""
    said = f"{found.name} {newest} of {upstream.name} was skipped: {against[newest]}"
    return " ".join(said.translate(indexing.PLAIN).split()).encode("ascii", "ignore").decode()[:400]


def _held(package: Package | None, releases: list[Release]) -> Index | None:
    if package is None:
        return None
    tags = documents.dist_tags(package, releases, documents.latest_of(package.ecosystem, releases))
    index = indexing.index_of(package, releases, tags)
    return index if index.versions else None


def _eligible(ecosystem: str, goods: Sequence[Goods], package: Package | None, *, has_approved: bool) -> list[Goods]:
    """What might be shown: not what stands here, nor what is told anew with other bytes.

    While nothing of the name is approved, what waits for a decision stays among them: its client is told so by the
    file's address, instead of being led to the next older version, which would be asked for in turn.
    """
    rules, standing = ecosystems.get(ecosystem), dict[str, Release]()
    if package is not None:
        standing = {one.canonical: one for one in package.releases.all()}
    found = []
    for one in goods:
        try:
            held = standing.get(rules.canonical_version(one.version))
        except InvalidInput:
            continue
        waits = held is not None and held.status == Release.Status.PENDING and not held.is_unlisted
        if not one.is_changed and (held is None or (waits and not has_approved)):
            found.append(one)
    return found


def _unwelcome(upstream: Upstream, ecosystem: str, name: str, goods: Sequence[Goods]) -> dict[str, str]:
    """Those that policy would turn away as soon as it sees them, and why."""
    prospects = [foreseeing.Prospect(one.version, released_at(one), one.license) for one in goods]
    return foreseeing.objections(foreseeing.Prospects(ecosystem, name, prospects), upstream.project_id)


def released_at(goods: Goods) -> datetime | None:
    """When the version became what it is: its newest file's date, None where one of them has none."""
    return fetching.released(goods.files)


def files_of(goods: Goods) -> Sequence[Listing]:
    """Those of its files that would come, were it asked for; each must be told with a digest that counts."""
    chosen = fetching.chosen(goods.files)
    return chosen if all(any(one.digests.get(kind) for kind in ("sha512", "sha256", "sha1")) for one in chosen) else ()


def _version(upstream: Upstream, goods: Goods) -> Version:
    at = released_at(goods) or EPOCH
    return Version(
        version=goods.version,
        raw={**goods.raw, **({"license": goods.license} if goods.license else {}), "_upstream": upstream.name},
        files=tuple(_file(one, at) for one in files_of(goods)),
        released_at=at,
        deprecated=next((one.deprecated for one in goods.files if one.deprecated), ""),
        yanked=next((one.yanked for one in goods.files if one.yanked), ""),
        install_scripts={"install": ""} if goods.runs_scripts else {},
    )


def _file(listing: Listing, at: datetime) -> File:
    digests = listing.digests
    best = next(((kind, digests[kind]) for kind in ("sha512", "sha256", "sha1") if digests.get(kind)), ("", ""))
    return File(
        filename=listing.filename,
        size=listing.size or 0,
        sha1=digests.get("sha1", ""),
        sha256=digests.get("sha256", ""),
        integrity=f"{best[0]}-{base64.b64encode(bytes.fromhex(best[1])).decode()}",
        uploaded_at=listing.released_at or at,
        requires=listing.requires,
    )


def _tags(
    ecosystem: str, versions: Sequence[Version], theirs: Mapping[str, str], ours: Mapping[str, str], needs_review: bool
) -> dict[str, str]:
    """Ours go first, but `latest`, where machines decide: that is the upstream's own, if it may be had."""
    listed = {one.version for one in versions}
    tags = {tag: version for tag, version in {**theirs, **ours}.items() if version in listed}
    if not needs_review and theirs.get("latest") in listed:
        tags["latest"] = theirs["latest"]
    if "latest" not in tags and versions:
        rules = ecosystems.get(ecosystem)
        stable = [one.version for one in versions if not rules.is_prerelease(one.version)]
        tags["latest"] = stable[0] if stable else versions[0].version
    return tags
