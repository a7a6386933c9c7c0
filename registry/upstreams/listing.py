"""Writing down what an upstream offers, page by page, each together with the place where the next one begins."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import auditing
from accounts.actors import SYSTEM
from registry import documents, ecosystems
from registry.errors import Conflict, Refused, RegistryError
from registry.models import Release
from registry.upstreams import guarding
from registry.upstreams.models import Offer, Pull, SyncRun, Trouble, Upstream
from registry.upstreams.sources.base import Listing, Page

State = Offer.State
LONGEST = {"name": 214, "version": 128, "filename": 255, "locator": 2000, "mark": 200}
FACTS = ("deprecated", "yanked", "signature")
MOST_TROUBLES = 1000
MOST_PAGES = 20_000
CHANGED = (
    "The upstream offers other bytes than those that were taken first under this name and version. They stay out."
)

INTERNAL = "This is an internal name: it is never taken from an upstream."
OTHERS = "This name comes from the upstream {} and is taken from no other."


class Overtaken(Conflict):
    """Another worker has this pull now, or somebody cancelled it: what was about to be written is not."""

    code = "overtaken"


@dataclass
class Sorted:
    """What is to become of the listings of a page."""

    new: list[Offer] = field(default_factory=list)
    again: list[Offer] = field(default_factory=list)  # wanted again, in their changed form
    waiting: list[Offer] = field(default_factory=list)  # wanted already, in their changed form
    facts: list[Offer] = field(default_factory=list)  # the same bytes, other words about them
    changed: list[Offer] = field(default_factory=list)
    same: list[Offer] = field(default_factory=list)
    troubles: list[tuple[str, str]] = field(default_factory=list)


def adopt(pull: Pull) -> None:
    """Take over what earlier pulls of the upstream wanted and did not get."""
    left = Offer.objects.filter(upstream=pull.upstream_id, state__in=(State.WANTED, State.FAILED))
    count = left.exclude(pull=pull).update(pull=pull, state=State.WANTED, attempts=0)
    Pull.objects.filter(pk=pull.pk).update(total=F("total") + count)


def write(pull: Pull, page: Page) -> None:
    """Write the page. Raises Overtaken where another worker wrote it, or the pull is over."""
    if pull.pages >= MOST_PAGES:
        raise Refused(f"The listing has no end: more than {MOST_PAGES} pages. Narrow it down.")
    sorted_ = _sort(pull, page)
    refused = [(f"{one.name} {one.version}", CHANGED) for one in sorted_.changed]
    with transaction.atomic():
        _say_of_releases(sorted_.facts)
        _move_on(pull, page, sorted_)
        Offer.objects.bulk_create(sorted_.new, batch_size=500)
        rewritten = [*sorted_.again, *sorted_.waiting, *sorted_.facts, *sorted_.changed]
        Offer.objects.bulk_update(rewritten, REWRITTEN, batch_size=200)
        seen = [one.pk for one in sorted_.same]
        Offer.objects.filter(pk__in=seen).update(pull=pull, seen_at=timezone.now())
        note(pull, [*sorted_.troubles, *refused])
        for one in sorted_.changed:
            audit_change(pull.upstream, one)


def _say_of_releases(facts: Iterable[Offer]) -> None:
    """What the upstream says now of versions that stand here; packages are locked before all else, in one order."""
    said = {one.release_id: one.deprecated for one in facts if one.release_id}
    releases = Release.objects.filter(pk__in=said).select_related("package__project").order_by("package_id", "pk")
    for release in releases:
        if release.deprecated != said[release.pk]:
            documents.hold(release.package_id)
            Release.objects.filter(pk=release.pk).update(deprecated=said[release.pk])
            documents.rebuild(release.package, "changed", release)


REWRITTEN = ("claim", "locator", "size", "digests", "mark", "released_at", *FACTS, "state", "error", "pull", "seen_at")


def _move_on(pull: Pull, page: Page, found: Sorted) -> None:
    bad = len(found.troubles) + len(found.changed)
    finished = len(found.same) + len(found.facts) + bad
    standing = Pull.objects.filter(pk=pull.pk, pages=pull.pages, state=SyncRun.State.RUNNING)
    moved = standing.update(
        pages=F("pages") + 1,
        cursor={} if page.cursor is None else dict(page.cursor),
        is_listed=page.cursor is None,
        total=F("total") + len(found.new) + len(found.again) + finished,
        done=F("done") + finished,
        skipped=F("skipped") + len(found.same),
        updated=F("updated") + len(found.facts),
        failed=F("failed") + bad,
        setbacks=0,
    )
    if not moved:
        raise Overtaken("The pull is over, or another worker has it.")
    if page.cursor is None:
        Upstream.objects.filter(pk=pull.upstream_id).update(bookmark=dict(page.bookmark))


def note(pull: Pull, troubles: Iterable[tuple[str, str]]) -> None:
    """Keep what went wrong, package by package; beyond a thousand they are only counted."""
    rows = [Trouble(pull=pull, package=name[:400], error=error[:1000]) for name, error in troubles]
    room = MOST_TROUBLES - Trouble.objects.filter(pull=pull).count() if rows else 0
    Trouble.objects.bulk_create(rows[: max(room, 0)])


def audit_change(upstream: Upstream, offer: Offer) -> None:
    """An upstream that changes what it once gave was broken into, or does not keep its word: somebody must know."""
    details = {"upstream": upstream.name, "file": offer.filename, "sha256": offer.sha256}
    what = f"{offer.ecosystem}:{offer.name}@{offer.version}"
    auditing.record("upstream.changed_bytes", what, SYSTEM, outcome="refused", details=details)


# --- sorting -------------------------------------------------------------------------------------------------------
def _sort(pull: Pull, page: Page) -> Sorted:
    """Compare the page with what is known of the upstream; reads only."""
    found = Sorted(troubles=[(_clean(name), _clean(error)) for name, error in page.troubles])
    good = _readable(pull.upstream, page.listings, found)
    known = {one.key: one for one in Offer.objects.filter(upstream=pull.upstream_id, key__in=list(good))}
    for key, listing in good.items():
        _place(pull, key, listing, known.get(key), found)
    return found


def _readable(upstream: Upstream, listings: Iterable[Listing], found: Sorted) -> dict[str, Listing]:
    """Those that can be asked for, by their key, each once; the others become troubles."""
    good: dict[str, Listing] = {}
    for listing in listings:
        if why := _fault(listing):
            found.troubles.append((_clean(f"{listing.name} {listing.version}"), why))
            continue
        first = good.setdefault(key_of(listing), listing)
        if first is not listing and contradicts(first.digests, first.size, listing):
            found.troubles.append((f"{listing.name} {listing.version}", "It is listed twice, with different bytes."))
    for ecosystem in {one.ecosystem for one in good.values()}:
        of_it = {key: one.name for key, one in good.items() if one.ecosystem == ecosystem}
        refused = _refused_names(upstream, ecosystem, set(of_it.values()))
        for key in [key for key, name in of_it.items() if name in refused]:
            one = good.pop(key)
            found.troubles.append((f"{one.name} {one.version}", refused[one.name]))
    return good


def _refused_names(upstream: Upstream, ecosystem: str, names: set[str]) -> dict[str, str]:
    """The names that are not taken from this upstream, whatever the version, and why."""
    normal = {name: ecosystems.get(ecosystem).normalize_name(name) for name in names}
    others = guarding.of_others(upstream, ecosystem, normal.values())
    found = {name: OTHERS.format(others[form]) for name, form in normal.items() if form in others}
    return found | dict.fromkeys(guarding.internal_among(ecosystem, names), INTERNAL)


def _fault(listing: Listing) -> str:
    """Why the listing cannot be taken at its word, "" where it can."""
    for name, longest in LONGEST.items():
        text = getattr(listing, name)
        if len(text) > longest or _clean(text) != text:
            return f"Its {name} is too long, or holds characters that do not belong there."
    if "/" in listing.filename or not listing.filename:
        return "Its file has no name that could stand here."
    try:
        rules = ecosystems.get(listing.ecosystem)
        rules.check_name(listing.name)
        rules.canonical_version(listing.version)
    except RegistryError as refusal:
        return refusal.message
    return ""


def _place(pull: Pull, key: str, listing: Listing, known: Offer | None, found: Sorted) -> None:
    claim = _digest(_claim_of(listing))
    if known is None:
        found.new.append(_offer(pull, key, claim, listing))
    elif known.claim == claim and known.pull_id != pull.pk:
        found.same.append(known)
    elif known.claim == claim:
        pass  # on an earlier page already, or wanted since an earlier pull
    elif known.sha256 and contradicts({**known.digests, "sha256": known.sha256}, known.size, listing):
        known.claim, known.error = claim, CHANGED
        known.state, known.pull = State.REFUSED, pull
        found.changed.append(known)
    else:
        _rewrite(pull, known, claim, listing, found)


def _rewrite(pull: Pull, known: Offer, claim: str, listing: Listing, found: Sorted) -> None:
    """What is said of it is another than before, without a word about other bytes."""
    is_same_file = known.state == State.HELD and agrees({**known.digests, "sha256": known.sha256}, listing)
    known.claim, known.locator, known.released_at = claim, listing.locator, listing.released_at
    known.size, known.mark = listing.size, listing.mark
    known.digests = {**known.digests, **listing.digests} if is_same_file else dict(listing.digests)
    for fact in FACTS:
        setattr(known, fact, getattr(listing, fact))
    if is_same_file:
        known.pull, known.seen_at = pull, timezone.now()
        found.facts.append(known)
    else:
        is_waiting = known.state == State.WANTED and known.pull_id == pull.pk
        (found.waiting if is_waiting else found.again).append(known)
        known.state, known.pull, known.error, known.seen_at = State.WANTED, pull, "", timezone.now()


def _offer(pull: Pull, key: str, claim: str, listing: Listing) -> Offer:
    return Offer(upstream_id=pull.upstream_id, pull=pull, key=key, claim=claim, **_told(listing))


def _told(listing: Listing) -> dict[str, Any]:
    normalized = ecosystems.get(listing.ecosystem).normalize_name(listing.name)
    copied = {name: getattr(listing, name) for name in COPIED}
    return {**copied, "normalized": normalized, "digests": dict(listing.digests)}


def hold(upstream: Upstream, files: Iterable[tuple[Listing, str]], release: Release) -> None:
    """Note that files, each with its SHA-256, stand here, outside of any pull; in the transaction that makes it so."""
    held = {"state": State.HELD, "release": release, "error": "", "seen_at": timezone.now()}
    rows = {
        key_of(one): {"claim": _digest(_claim_of(one)), "sha256": sha256, **_told(one), **held}
        for one, sha256 in files
    }
    Offer.objects.bulk_create(
        [Offer(upstream=upstream, key=key, **facts) for key, facts in rows.items()],
        update_conflicts=True,
        unique_fields=["upstream", "key"],
        update_fields=[*next(iter(rows.values()), ())],
    )


COPIED = ("ecosystem", "name", "version", "filename", "locator", "size", "mark", "released_at", *FACTS)


def listing_of(offer: Offer) -> Listing:
    """The listing again that the offer was made from."""
    return Listing(**{name: getattr(offer, name) for name in COPIED}, digests=offer.digests)


def contradicts(digests: Mapping[str, str], size: int | None, listing: Listing) -> bool:
    """Whether the listing tells of other bytes than these."""
    told = listing.digests
    if any(told.get(name, digest) != digest for name, digest in digests.items() if digest):
        return True
    return None not in (size, listing.size) and size != listing.size


def agrees(digests: Mapping[str, str], listing: Listing) -> bool:
    """Whether the listing tells, by a digest that counts, of these very bytes."""
    return any(listing.digests.get(name) == digests.get(name, "") for name in ("sha512", "sha256", "sha1"))


def key_of(listing: Listing) -> str:
    """What a file is known by for good."""
    rules = ecosystems.get(listing.ecosystem)
    name, version = rules.normalize_name(listing.name), rules.canonical_version(listing.version)
    return _digest([listing.ecosystem, name, version, listing.filename])


def _claim_of(listing: Listing) -> list[object]:
    """Everything said of it, but where it lies: that may change with every answer."""
    facts = [getattr(listing, name) for name in FACTS]
    return [listing.size, sorted(listing.digests.items()), "" if listing.digests else listing.mark, *facts]


def _digest(facts: object) -> str:
    return hashlib.sha256(orjson.dumps(facts)).hexdigest()


def _clean(text: str) -> str:
    """Without what no database takes, or no terminal should."""
    return "".join(sign for sign in text if sign.isprintable())
