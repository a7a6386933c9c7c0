"""Fetching: the file of a version that was asked for by name comes through the upstream of its ecosystem.

A job per version (`fetch`): it ends with a file, or with the reason why there is none, in the words of the archive
check; either way the checks run then. While an upstream is down it comes back by itself, and says so there.

Upstreams are asked in the order they were set up in, each only where the one before does not have the version; what
their patterns take in does not count, what they leave out does. Of a Python version come the wheels that run anywhere
and the sdist, and only where there are neither the wheels of single platforms, as many as fit into one upload.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, NoReturn

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from registry import approving, attaching, checking, ecosystems, tasks
from registry.errors import Conflict, RegistryError, Unavailable
from registry.models import Check, Job, Package, Release
from registry.outgoing import NotAllowed
from registry.upstreams import connecting, guarding, verifying
from registry.upstreams.models import Upstream
from registry.upstreams.sources.base import Busy, Denied, Listing, Lying, Source, Wanted

logger = logging.getLogger(__name__)
KIND = "fetch"
SHORTEST, LONGEST = 15.0, 3600.0
MOST_FILES = 40
ANYWHERE, SDIST = "-none-any.whl", ".tar.gz"
Parcel = tuple[list[attaching.Upload], attaching.Word, dict[str, Any]]
OURS = "It is a name of this portal’s own, so no upstream is asked for it: send the file along."


class NotThere(Exception):
    """The file does not come: the archive check ends as `status`, with the sentence."""

    def __init__(self, status: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


@tasks.handles(KIND)
def fetch(job: Job) -> None:
    """Bring the files of the release, or note why there are none, and have it checked; idempotent."""
    release = Release.objects.select_related("package__project", "project").get(pk=job.ref)
    if not checking.lacks_file(release):
        tasks.enqueue("check", release.pk)
        return
    try:
        _bring(release)
    except NotThere as reason:
        _settle(release, reason)
    except Conflict:  # decided meanwhile: nobody has looked at these bytes
        tasks.enqueue("check", release.pk)
    except Unavailable as problem:
        _wait(release, job, problem)


def upstreams_for(release: Release) -> list[Upstream]:
    """Those that may have it, in the order in which they are asked.

    What is pulled for the members of one project is asked for their private packages alone: else whoever knows a name
    could have it fetched for themselves.
    """
    package = release.package
    ours = Q(visibility=Package.Visibility.PUBLIC)
    if package.is_private:
        ours |= Q(project=package.project_id)
    mine = [
        one
        for one in Upstream.objects.filter(ours, enabled=True).order_by("pk")
        if connecting.ecosystem_of(one) in ("", package.ecosystem)
    ]
    return [one for one in mine if package.name in Wanted(exclude=tuple(one.exclude))]


def _bring(release: Release) -> None:
    package = release.package
    upstreams = upstreams_for(release)
    if not upstreams:
        raise NotThere(Check.Status.SKIPPED, "There is no file here to look at: no upstream is set up for it.")
    if guarding.internal_among(package.ecosystem, [package.name]):
        raise NotThere(Check.Status.SKIPPED, f"There is no file here to look at. {OURS}")
    for upstream in upstreams:
        with ExitStack() as stack:
            if parcel := _parcel_from(upstream, release, stack):
                attaching.attach(release, *parcel)
                return
    names = " and ".join(one.name for one in upstreams)
    has = "has" if len(upstreams) == 1 else "have"
    said = f"{package.name} {release.version} is not to be had: {names} {has} no such version."
    raise NotThere(Check.Status.FAILED, f"{said} Look at the spelling, or run the checks again once it is released.")


def _parcel_from(upstream: Upstream, release: Release, stack: ExitStack) -> Parcel | None:
    """What the upstream has of the version, here until the stack is closed. Its faults are told in its name."""
    package = release.package
    try:
        source, web = connecting.connected(upstream)
    except NotAllowed as problem:
        raise Unavailable(
            f"The address of {upstream.name} may not be visited: an admin has to look at it."
        ) from problem
    try:
        listings = chosen(source.find(package.ecosystem, package.name, release.version))
        return _parcel(source, listings, release, upstream, stack) if listings else None
    except Busy as busy:
        raise Busy(f"{upstream.name} asks for patience.", busy.seconds) from busy
    except Denied as problem:
        raise Unavailable(f"{upstream.name} does not let this portal in: an admin has to look at it.") from problem
    except Unavailable as problem:
        logger.warning("%s could not be asked for %s: %s", upstream.name, release, problem)
        raise Unavailable(f"{upstream.name} does not answer as it should.") from problem
    except NotAllowed as problem:
        logger.warning("%s leads astray with %s: %s", upstream.name, release, problem)
        sentence = f"What {upstream.name} offers is refused: it leads to an address that nobody may visit."
        raise NotThere(Check.Status.FAILED, sentence) from problem
    except RegistryError as problem:
        # by its name: where it is, inside some network perhaps, is not for everybody who reads this
        said = problem.message.replace(web.home.host, upstream.name)
        raise NotThere(Check.Status.FAILED, f"What {upstream.name} offers is refused. {said}") from problem


def chosen(listings: Sequence[Listing]) -> list[Listing]:
    """The files to hold, the one that speaks for the version first; all of them where it is no Python version."""
    if not listings or listings[0].ecosystem != "pypi":
        return list(listings)
    anywhere = [one for one in listings if one.filename.endswith(ANYWHERE)]
    if portable := anywhere + [one for one in listings if one.filename.endswith(SDIST)]:
        return portable[:MOST_FILES]
    return list(_fitting(listings))[:MOST_FILES]


def _fitting(listings: Sequence[Listing]) -> Iterator[Listing]:
    """The first of them, and those after it as long as all together are no larger than an upload may be."""
    left = settings.MAX_UPLOAD_MB * 2**20
    for position, one in enumerate(listings):
        left -= one.size or 0
        if position and left < 0:
            return
        yield one


def _parcel(
    source: Source, listings: Sequence[Listing], release: Release, upstream: Upstream, stack: ExitStack
) -> Parcel:
    """Every file, verified, read strictly, and of the package and version that were asked for."""
    uploads = []
    for listing in listings:
        _need_asked_for(listing, release)
        staged = stack.enter_context(verifying.taken(source, listing))
        uploads.append(attaching.Upload(verifying.read(listing, staged), staged))
    word = attaching.Word(released(listings), _said_of(listings))
    return uploads, word, {"upstream": upstream.name, "files": {one.filename: one.locator[:500] for one in listings}}


def _need_asked_for(listing: Listing, release: Release) -> None:
    rules = ecosystems.get(release.package.ecosystem)
    same_name = rules.normalize_name(listing.name) == release.package.normalized
    if not same_name or rules.canonical_version(listing.version) != release.canonical:
        said = f"{listing.name} {listing.version}"
        raise Lying(f"It answers with {said}, which is another package.")


def released(listings: Sequence[Listing]) -> datetime | None:
    """The newest of the dates: a file that was added later made the version what it is. Never in the future."""
    dates = [one.released_at for one in listings]
    known = [date for date in dates if date is not None]
    return min(max(known), timezone.now()) if known and len(known) == len(dates) else None


def _said_of(listings: Sequence[Listing]) -> str:
    """What the upstream says against using it."""
    yanked = next((one.yanked for one in listings if one.yanked), "")
    return f"Yanked upstream: {yanked}" if yanked else next((one.deprecated for one in listings if one.deprecated), "")


# --- where it does not come ------------------------------------------------------------------------------------------
def _settle(release: Release, reason: NotThere) -> None:
    """The archive check ends with the reason, and the others run on what is known by name."""
    with transaction.atomic():
        now = timezone.now()
        archive = release.checks.filter(name="archive")
        archive.update(status=reason.status, summary=reason.sentence, started_at=now, finished_at=now, duration_ms=0)
        tasks.enqueue("check", release.pk)


def _wait(release: Release, job: Job, problem: Unavailable) -> NoReturn:
    """Say what it waits for, and come back: after half as long again as it has waited, an hour at most."""
    sentence = f"It waits for its file. {problem.message} The portal asks again by itself."
    archive = release.checks.filter(name="archive", status__in=Check.OPEN)
    if archive.exclude(summary=sentence).update(status=Check.Status.PENDING, summary=sentence):
        approving.reconsider(release)
    waited = timezone.now().timestamp() - float(job.payload.get("since", 0))
    patience = problem.seconds if isinstance(problem, Busy) else 0
    raise tasks.Later(max(min(max(waited / 2, SHORTEST), LONGEST), patience))
