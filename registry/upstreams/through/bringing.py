"""Bringing: the job of an errand takes the files, keeps them through the house's entrance, and has them checked."""

import logging
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.actors import SYSTEM
from registry import publishing, tasks
from registry.errors import Conflict, RegistryError, Unavailable
from registry.models import Job, Package, Release
from registry.outgoing import NotAllowed
from registry.upstreams import connecting, fetching, guarding, listing, verifying
from registry.upstreams.models import Errand, Offer, Shelf, Upstream
from registry.upstreams.sources.base import Busy, Denied, IndexSource, Lying, Vanished
from registry.upstreams.through import errands, offering, shelves

if TYPE_CHECKING:
    from registry.storage import Staged

logger = logging.getLogger(__name__)
AFTER_FAULT, AFTER_LIE = timedelta(seconds=30), timedelta(minutes=10)
Taken = tuple[listing.Listing, publishing.Upload]


class Failed(Exception):
    """The version does not come: a code for programs, a sentence, and how long that is the answer."""

    def __init__(self, code: str, sentence: str, pause: timedelta) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.pause = code, sentence, pause


@tasks.handles(errands.KIND)
def bring(job: Job) -> None:
    """Make the release that the errand is for, and judge it; or write down why not. Idempotent."""
    errand = Errand.objects.select_related("upstream__project").filter(pk=job.ref, state=Errand.State.OPEN).first()
    if errand is None:
        return
    try:
        package = publishing.find_named(errand.ecosystem, errand.name)
        release = _standing(errand, package) or _taken(errand, package)
    except Failed as failure:
        _end(
            errand,
            Errand.State.FAILED,
            code=failure.code,
            error=failure.sentence,
            again_at=timezone.now() + failure.pause,
        )
    except Exception as problem:
        logger.exception("%s could not be brought", errand)
        said = f"{errand.name} {errand.version} could not be taken in ({type(problem).__name__})."
        _end(errand, Errand.State.FAILED, code=errands.DOWN, error=said, again_at=timezone.now() + AFTER_FAULT)
    else:
        _judge(release)


def _end(errand: Errand, state: str, **fields: object) -> None:
    Errand.objects.filter(pk=errand.pk, state=Errand.State.OPEN).update(state=state, **fields)


def _judge(release: Release) -> None:
    """Run its checks here and now, unless another worker has begun: somebody waits for them."""
    queued = Job.objects.filter(dedupe_key=f"check:{release.pk}", state=Job.State.OPEN).values_list("pk", flat=True)
    if (pk := queued.first()) is not None and (claimed := tasks.claim(pk)) is not None:
        tasks.execute(claimed)


def _standing(errand: Errand, package: Package | None) -> Release | None:
    """The version where it stands here already, submitted by somebody or pulled by a run: then the errand is done."""
    found = package.releases.filter(canonical=errand.canonical).first() if package is not None else None
    if found is not None:
        _end(errand, Errand.State.DONE, release=found)
    return found


# --- taking it -------------------------------------------------------------------------------------------------------
def _taken(errand: Errand, package: Package | None) -> Release:
    """Every file of it, compared with what the upstream said first. Its faults are told by its name."""
    upstream, claims = errand.upstream, guarding.claims_on(errand.ecosystem, errand.name)
    if claims.is_ours or not (upstream.enabled and upstream.pulls_through):
        raise Failed("internal_name", f"{errand.name} is not taken from {upstream.name}.", AFTER_FAULT)
    try:
        with ExitStack() as stack:
            return _publish(errand, package, _files(errand, stack))
    except Busy as busy:
        pause = max(timedelta(seconds=busy.seconds), AFTER_FAULT)
        raise Failed(errands.DOWN, f"{upstream.name} asks for patience.", pause) from busy
    except Vanished as problem:
        raise Failed(
            errands.ABSENT, f"{upstream.name} lists the file, and does not have it.", AFTER_FAULT
        ) from problem
    except Denied as problem:
        said = f"{upstream.name} does not let this portal in: an admin has to look at it."
        raise Failed(errands.DOWN, said, AFTER_FAULT) from problem
    except Unavailable as problem:
        logger.warning("%s could not be had: %s", errand, problem)
        raise Failed(errands.DOWN, f"{upstream.name} does not answer as it should.", AFTER_FAULT) from problem
    except NotAllowed as problem:
        said = f"What {upstream.name} offers is refused: it leads to an address that nobody may visit."
        raise Failed(errands.LIES, said, AFTER_LIE) from problem
    except RegistryError as problem:
        since = publishing.find_named(errand.ecosystem, errand.name) if isinstance(problem, Conflict) else None
        if (standing := _standing(errand, since)) is not None:
            return standing  # somebody else has brought it meanwhile
        said = f"What {upstream.name} offers as {errand.name} {errand.version} is refused. {problem.message}"
        raise Failed(errands.LIES if isinstance(problem, Lying) else problem.code, said, AFTER_LIE) from problem


def _files(errand: Errand, stack: ExitStack) -> list[Taken]:
    shelf = Shelf.objects.filter(
        upstream=errand.upstream, ecosystem=errand.ecosystem, normalized=errand.normalized
    ).first()
    goods = shelves.find_goods(shelf, errand.version) if shelf is not None else None
    chosen = offering.files_of(goods) if goods is not None else ()
    if goods is None or not chosen:
        raise Vanished(f"{errand.upstream.name} lists no file that could be compared with anything.")
    if goods.is_changed:
        raise Lying(listing.CHANGED)
    source, _ = connecting.index_of(errand.upstream, errand.ecosystem)
    known = _known(errand.upstream, chosen)
    taken = []
    for one, staged in zip(chosen, _side_by_side(source, chosen, stack), strict=True):
        _compare(errand, known.get(listing.key_of(one)), staged.sha256)
        taken.append((one, publishing.Upload(verifying.read(one, staged), staged)))
    return sorted(taken, key=lambda pair: pair[1].package.kind != "wheel")


def _side_by_side(source: IndexSource, files: Sequence[listing.Listing], stack: ExitStack) -> "list[Staged]":
    """The files, several on their way at once, here until the stack is closed; none where one of them fails."""
    if len(files) == 1:  # as all npm has
        return [stack.enter_context(verifying.taken(source, files[0]))]
    with ThreadPoolExecutor(min(settings.SYNC_PARALLEL, len(files)), thread_name_prefix="bring") as pool:
        going = [pool.submit(_staged, source, one) for one in files]
        wait(going, return_when=FIRST_EXCEPTION)
        pool.shutdown(cancel_futures=True)
    ended = [one for one in going if not one.cancelled()]
    for one in ended:
        if one.exception() is None:
            stack.enter_context(one.result()[0])
    return [one.result()[1] for one in ended]


def _staged(source: IndexSource, file: listing.Listing) -> "tuple[ExitStack, Staged]":
    with ExitStack() as stack:
        staged = stack.enter_context(verifying.taken(source, file))
        return stack.pop_all(), staged


def _known(upstream: Upstream, files: Sequence[listing.Listing]) -> dict[str, Offer]:
    """By their keys, those of the files that were taken from the upstream before."""
    offers = Offer.objects.filter(upstream=upstream, key__in=[listing.key_of(one) for one in files])
    return {one.key: one for one in offers.exclude(sha256="")}


def _compare(errand: Errand, known: Offer | None, sha256: str) -> None:
    """Raise Lying where a pull, or an errand before, has seen other bytes under this name and version."""
    if known is not None and known.sha256 != sha256:
        with transaction.atomic():
            listing.audit_change(errand.upstream, known)
        raise Lying(listing.CHANGED)


# --- keeping it ------------------------------------------------------------------------------------------------------
def _publish(errand: Errand, package: Package | None, taken: Sequence[Taken]) -> Release:
    """Through the house's own entrance: gates are asked, checks and scans follow."""
    (_, first), *others = taken
    upload = replace(first, also=tuple(one for _, one in others))
    intent = publishing.Intent(
        origin=Release.Origin.SYNCED,
        access=errand.upstream.visibility if package is None else "",  # what stands here already keeps its own
        note=f"A client asked for it, and {errand.upstream.name} has it.",
        released_at=fetching.released([one for one, _ in taken]),
        with_it=lambda release: _note(errand, taken, release),
    )
    return publishing.publish(upload, replace(SYSTEM, project=errand.upstream.project), intent)


def _note(errand: Errand, taken: Sequence[Taken], release: Release) -> None:
    """In the publishing transaction: the errand is done, and each file a held offer, its digest known for good."""
    _end(errand, Errand.State.DONE, release=release)
    listing.hold(errand.upstream, [(one, upload.staged.sha256) for one, upload in taken], release)
    release.deprecated = next((one.deprecated for one, _ in taken if one.deprecated), "")
    if release.deprecated:
        release.save(update_fields=["deprecated"])
