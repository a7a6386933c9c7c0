"""Comparing a region with the rows: every file read back and hashed, documents, names, and what stands there besides.

A comparison goes piece by piece, between what else there is to do; how far it is stands in the region's row. What it
finds it mends at once. Objects that are not ours by the form of their key are left alone.
"""

import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.errors import RegistryError
from registry import documents, ecosystems, tasks
from registry.mirrors import layout, owing, replicating
from registry.mirrors.models import Debt, Mirror, Replica
from registry.mirrors.replicating import Destination
from registry.mirrors.stores import Mismatch
from registry.models import Artifact, Blob, Change, Job, Package

FOUND = ("missing", "corrupt", "extra", "mended", "checked")
AT_ONCE = 100
FILES, PACKAGES, BESIDES = "files", "packages", "besides"
THEN = {FILES: PACKAGES, PACKAGES: BESIDES, BESIDES: ""}
FILE = re.compile(r"files/sha256/([0-9a-f]{2})/([0-9a-f]{2})/(\1\2[0-9a-f]{60})")
NAME = re.compile(
    r"packages/(?P<ecosystem>[a-z]+)/(?P<scope>[^/]+)/(?P<name>[^/]+)/"
    r"(?:package\.json|versions/[^/]+/(?:download|files/[^/]+))"
    r"|names/(?P<where>[a-z]+)/(?P<under>[^/]+)/(?P<called>[^/]+)"
)


# --- being asked ---------------------------------------------------------------------------------------------------
@tasks.periodically("daily")
def compare_all() -> None:
    """Every region that is followed, once a day."""
    for mirror in Mirror.objects.filter(enabled=True, paused_at=None):
        with transaction.atomic():
            ask_for(mirror)


def ask_for(mirror: Mirror) -> None:
    """Begin a comparison, in the caller's transaction; one that is under way goes on from its start."""
    Mirror.objects.filter(pk=mirror.pk).update(comparing=_fresh())
    tasks.enqueue("replicate", mirror.pk)


def _fresh() -> dict[str, Any]:
    return {"part": FILES, "after": "", "found": dict.fromkeys(FOUND, 0), "since": timezone.now().isoformat()}


@tasks.handles("compare")
@tasks.handles("rebuild")
def compare(job: Job) -> None:
    """A job of either kind asks for a comparison; what a rebuild has forgotten is copied again before."""
    with transaction.atomic():
        ask_for(Mirror.objects.get(pk=job.ref))


# --- going on ------------------------------------------------------------------------------------------------------
def go_on(to: Destination, until: float) -> bool:
    """Do the next piece of the comparison that is under way, until that moment at most; False where none is."""
    state = Mirror.objects.values_list("comparing", flat=True).get(pk=to.mirror.pk)
    if not state:
        return False
    if state["part"] == FILES and not state["after"]:
        to.store.probe()  # a region that was emptied is filled again; one that is away has not lost anything
    found = Counter(state["found"])
    after, is_over = PARTS[state["part"]](to, found, state["after"], until)
    part = THEN[state["part"]] if is_over else state["part"]
    state |= {"found": {name: found[name] for name in FOUND}, "part": part, "after": "" if is_over else after}
    _keep(to, state)
    return True


def _keep(to: Destination, state: dict[str, Any]) -> None:
    """Unless it was begun anew meanwhile."""
    mine = Mirror.objects.filter(pk=to.mirror.pk, comparing__since=state["since"])
    if state["part"]:
        mine.update(comparing=state)
    else:
        to.store.clean()
        mine.update(comparing={}, compared_at=timezone.now(), drift=state["found"])


def _unsettled(mirror: Mirror, packages: set[int]) -> set[int]:
    """Those that are to be brought in line anyway: what they lack is no drift."""
    ahead = Change.objects.filter(seq__gt=mirror.applied_seq, package__in=packages)
    owed = Debt.objects.filter(mirror=mirror, package__in=packages)
    return set(ahead.values_list("package_id", flat=True)) | set(owed.values_list("package_id", flat=True))


# --- files ---------------------------------------------------------------------------------------------------------
def _files(to: Destination, found: Counter[str], after: str, until: float) -> tuple[str, bool]:
    """The next digests in their order: those that may stand, and those that do."""
    expected = _expected(after)
    last = max(expected) if len(expected) == AT_ONCE else ""
    there = _there(to, after, last)
    extra = sorted(there - expected.keys())
    replicating.doubt(to.mirror, extra)
    _take_away(to, found, [layout.file_of(digest) for digest in extra])
    packages = {one.release.package_id for one in expected.values()}
    settled = packages - _unsettled(to.mirror, packages)
    for digest, artifact in sorted(expected.items()):
        if digest in there or artifact.release.package_id in settled:
            _look_at(to, found, artifact)
        after = digest
        if time.monotonic() >= until:
            break
    return after, not last and after == max(expected, default=after)


def _expected(after: str) -> dict[str, Artifact]:
    """The next digests that may stand, each with a file that has it, and that can be read here where one can."""
    following = replicating.standing().filter(sha256__gt=after).order_by("sha256")
    digests = list(following.values_list("sha256", flat=True).distinct()[:AT_ONCE])
    files = replicating.standing().filter(sha256__in=digests).select_related("blob", "release__package")
    ranked = sorted(files, key=lambda one: one.blob is not None and one.blob.state == Blob.State.READY)
    return {one.sha256: one for one in ranked}


def _there(to: Destination, after: str, last: str) -> set[str]:
    """The digests whose files stand there, in a span of them."""
    digests: set[str] = set()
    key, end = (layout.file_of(digest) if digest else "" for digest in (after, last))
    while page := to.store.entries("files/", key):
        key = page[-1].key
        keys = [one.key for one in page if not end or one.key <= end]
        digests |= {match[3] for one in keys if (match := FILE.fullmatch(one))}
        if end and key > end:
            break
    return digests


def _take_away(to: Destination, found: Counter[str], keys: list[str]) -> None:
    """What stands there and may not; nobody else writes to the region, so it cannot have become wanted unseen."""
    for key in keys:
        to.hold.check()
        to.store.delete(key)
    found.update(extra=len(keys), mended=len(keys), checked=len(keys))


def _look_at(to: Destination, found: Counter[str], artifact: Artifact) -> None:
    """Read the file back; what is not as recorded is copied anew, and goes where that cannot be done."""
    key = layout.file_of(artifact.sha256)
    is_at = to.store.digest_of(key, artifact.size)
    found["checked"] += 1
    if is_at == (artifact.size, artifact.sha256):
        return
    found["missing" if is_at is None else "corrupt"] += 1
    try:
        replicating.place(to, artifact)
    except (RegistryError, Mismatch) as problem:
        to.store.delete(key)
        replicating.note(to.mirror, [artifact], Replica.State.FAILED)
        owing.owe(to.mirror, artifact.release.package, problem)
    else:
        found["mended"] += 1


# --- documents and names -------------------------------------------------------------------------------------------
def _packages(to: Destination, found: Counter[str], after: str, until: float) -> tuple[str, bool]:
    """The next packages in the order of their keys: what is said of them, and how their files are found."""
    following = Package.objects.filter(pk__gt=int(after or 0)).filter(Exists(_files_of_theirs())).order_by("pk")
    batch = list(following[:AT_ONCE])
    unsettled = _unsettled(to.mirror, {one.pk for one in batch})
    for package in batch:
        if package.pk not in unsettled:
            _look_at_names(to, found, package)
        after = str(package.pk)
        if time.monotonic() >= until:
            return after, False
    return after, len(batch) < AT_ONCE


def _files_of_theirs() -> "QuerySet[Artifact]":
    return replicating.standing().filter(release__package=OuterRef("pk"))


def _look_at_names(to: Destination, found: Counter[str], package: Package) -> None:
    files = list(replicating.of(replicating.standing(), package))
    document, links = _said_of(package, files)
    state = Counter({"checked": 1 + len(links)})
    is_at = to.store.read(layout.document_of(package))
    if is_at != document:
        state["missing" if is_at is None else "corrupt"] += 1
    for name, target in links.items():
        leads = to.store.target_of(name)
        if (leads or "") != target:
            state["missing" if leads is None else "corrupt"] += 1
    if state["missing"] or state["corrupt"]:
        replicating.link(to, package, files)
        replicating.describe(to, package, files)
        state["mended"] = state["missing"] + state["corrupt"]
    found.update(state)


def _said_of(package: Package, files: list[Artifact]) -> tuple[bytes | None, dict[str, str]]:
    """The document and every link that a region is to hold of a package."""
    document = replicating.document(package, files)
    links = replicating.names_of(package, document is not None)
    for artifact in files:
        links |= replicating.links_of(package, artifact)
    return document, links


# --- what stands there besides -------------------------------------------------------------------------------------
def _besides(to: Destination, found: Counter[str], after: str, until: float) -> tuple[str, bool]:
    """Documents and names of what is not to be found there."""
    root = "packages/" if after.startswith("packages/") else "names/"
    page = [one.key for one in to.store.entries(root, after, AT_ONCE)]
    rightful = _rightful(to.mirror, page)
    _take_away(to, found, [key for key in page if key not in rightful])
    if len(page) == AT_ONCE:
        return page[-1], False
    return ("packages/", False) if root == "names/" else ("", True)


def _rightful(mirror: Mirror, keys: list[str]) -> set[str]:
    """Those keys that may stay: of no form of ours, asked for by a package, or of one that is yet to be done."""
    of_lookups: dict[str, set[str]] = defaultdict(set)
    rightful = set()
    for key in keys:
        lookups = _lookups(key)
        if not lookups:
            rightful.add(key)
        for lookup in lookups:
            of_lookups[lookup].add(key)
    packages = Package.objects.filter(documents__kind="detail", documents__lookup__in=of_lookups)
    unsettled = _unsettled(mirror, {package.pk for package in packages})
    for package in packages:
        if package.pk in unsettled:
            rightful |= of_lookups[f"{package.ecosystem}:{package.normalized}"]
            continue
        document, links = _said_of(package, list(replicating.of(replicating.standing(), package)))
        rightful |= {name for name, target in links.items() if target}
        rightful |= {layout.document_of(package)} if document else set()
    return rightful


def _lookups(key: str) -> list[str]:
    """The documents of the packages that the key may belong to; none where it is no key of ours."""
    match = NAME.fullmatch(key)
    if match is None:
        return []
    known = [one.slug for one in ecosystems.ALL]
    ecosystem = match["ecosystem"] or match["where"]
    scope, name = (match["scope"], match["name"]) if match["ecosystem"] else (match["under"], match["called"])
    full = name if scope == layout.NO_SCOPE else f"{scope}/{name}"
    asked = known if ecosystem == layout.ANY else [one for one in known if one == ecosystem]
    return [documents.lookup_key(one, full) for one in asked]


PARTS: dict[str, Callable[[Destination, Counter[str], str, float], tuple[str, bool]]] = {
    FILES: _files,
    PACKAGES: _packages,
    BESIDES: _besides,
}
