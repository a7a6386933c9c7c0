"""What becomes of an offer, in rows: held, failed or refused; counted in the transaction that makes it so."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db import DataError, IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.actors import SYSTEM
from registry import ecosystems, publishing
from registry.errors import RegistryError, Unavailable
from registry.models import Artifact, Package, Release
from registry.upstreams import guarding, listing
from registry.upstreams.listing import CHANGED, Overtaken
from registry.upstreams.models import Offer, Pull, SyncRun
from registry.upstreams.sources.base import Busy, Vanished

if TYPE_CHECKING:
    from registry.upstreams.pulling import Problem, Taken

logger = logging.getLogger(__name__)
State = Offer.State
ATTEMPTS = 3
REMOVED = "This version was removed here; it is not taken again."
INCOMPLETE = "This version stands here without this file, and does not change any more."
WAITING = "Somebody has asked for this version here; its file is fetched with that request."
SEVERAL_FILES = frozenset({"pypi", "maven"})


# --- before anything is downloaded ---------------------------------------------------------------------------------
def is_settled(pull: Pull, offers: Sequence[Offer]) -> bool:
    """Whether nothing needs to be downloaded, since the version stands here already; written down then."""
    release = _standing(offers[0])
    if release is None:
        return False
    left = [offer for offer in offers if not _meet(pull, offer, release, sha256="")]
    return not left


def _standing(offer: Offer) -> Release | None:
    rules = ecosystems.get(offer.ecosystem)
    named = Release.objects.filter(package__ecosystem=offer.ecosystem, package__normalized=offer.normalized)
    return named.filter(canonical=rules.canonical_version(offer.version)).prefetch_related("artifacts").first()


def _meet(pull: Pull, offer: Offer, release: Release, sha256: str) -> bool:
    """Settle an offer whose version stands here; False if its bytes (`sha256`) are needed to tell."""
    artifacts = [one for one in release.artifacts.all() if _is_about(offer, one)]
    if release.unlisted_at is not None:
        _skip(pull, offer, State.REFUSED, release, error=REMOVED)
    elif not release.artifacts.all():
        fail(pull, offer, WAITING, State.FAILED)
    elif not artifacts:
        fail(pull, offer, INCOMPLETE, State.REFUSED)
    elif same := next((one for one in artifacts if _is_same(offer, one, sha256)), None):
        _skip(pull, offer, State.HELD, release, sha256=same.sha256)
    elif sha256 or any(listing.contradicts(_digests(one), one.size, listing.listing_of(offer)) for one in artifacts):
        refuse_change(pull, offer, artifacts[0].sha256)
    else:
        return False
    return True


def _is_about(offer: Offer, artifact: Artifact) -> bool:
    """Whether the artifact is what the offer would be kept as: by name, where a version has several files."""
    return offer.ecosystem not in SEVERAL_FILES or artifact.filename == offer.filename


def _is_same(offer: Offer, artifact: Artifact, sha256: str) -> bool:
    return artifact.sha256 == sha256 or listing.agrees(_digests(artifact), listing.listing_of(offer))


def _digests(artifact: Artifact) -> dict[str, str]:
    return {"sha512": artifact.sha512, "sha256": artifact.sha256, "sha1": artifact.sha1}


# --- once it is here -----------------------------------------------------------------------------------------------
def keep(pull: Pull, taken: "Sequence[Taken]", problems: "Sequence[Problem]") -> None:
    """Make a release of the files that are good, and name those that are not."""
    for problem in problems:
        _fail_for(pull, problem)
    good = []
    for one in taken:
        if one.offer.sha256 and one.offer.sha256 != one.staged.sha256:
            refuse_change(pull, one.offer, one.offer.sha256)
        else:
            good.append(one)
    if not good:
        return
    release = _standing(good[0].offer)
    if release is not None:
        for one in good:
            _meet(pull, one.offer, release, one.staged.sha256)
        return
    _publish(pull, sorted(good, key=lambda one: (one.package.kind != "wheel", one.offer.filename)))


def _publish(pull: Pull, files: "list[Taken]") -> None:
    """Through the house's own entrance: gates are asked, checks and scans follow by themselves."""
    first, *others = files
    if other := guarding.of_others(pull.upstream, first.offer.ecosystem, [first.offer.normalized]):
        for one in files:
            fail(pull, one.offer, listing.OTHERS.format(*other.values()), State.FAILED)
        return
    also = tuple(publishing.Upload(one.package, one.staged) for one in others)
    upload = publishing.Upload(first.package, first.staged, also=also)
    actor = replace(SYSTEM, project=pull.upstream.project)
    intent = publishing.Intent(
        origin=Release.Origin.SYNCED,
        access=_access(pull, first.offer),
        note=f"Pulled from {pull.upstream.name}.",
        released_at=min((one.offer.released_at for one in files if one.offer.released_at), default=None),
        with_it=lambda release: _hold(pull, files, release),
    )
    try:
        publishing.publish(upload, actor, intent)
    except (Overtaken, Unavailable):
        raise
    except (RegistryError, DataError, IntegrityError) as problem:
        why, state = _said(problem), State.REFUSED if isinstance(problem, RegistryError) else State.FAILED
        for one in files:
            fail(pull, one.offer, why, state, sha256=one.staged.sha256)


def _access(pull: Pull, offer: Offer) -> str:
    """The upstream's visibility; what is private here already may stay so."""
    private = Package.Visibility.PRIVATE
    held = Package.objects.filter(ecosystem=offer.ecosystem, normalized=offer.normalized, visibility=private)
    return "" if pull.upstream.visibility != private and held.exists() else pull.upstream.visibility


def _hold(pull: Pull, files: "Sequence[Taken]", release: Release) -> None:
    """Note in the publishing transaction that the offers are held, so that a crash cannot tell otherwise."""
    _count(pull, added=len(files))
    for one in files:
        _write(one.offer, State.HELD, sha256=one.staged.sha256, release=release)
    release.deprecated = next((one.offer.deprecated for one in files if one.offer.deprecated), "")
    if release.deprecated:
        release.save(update_fields=["deprecated"])


# --- what is not kept ----------------------------------------------------------------------------------------------
def _fail_for(pull: Pull, problem: "Problem") -> None:
    offer, error = problem.offer, problem.error
    if isinstance(error, Vanished) and not offer.sha256:
        with transaction.atomic():
            _tell(pull, offer, error.message)
            offer.delete()  # if it is ever listed again, it is as new
        return
    final = problem.sha256 and isinstance(error, RegistryError)  # the bytes are as promised, and not fit to be kept
    fail(pull, offer, _said(error), State.REFUSED if final else State.FAILED, sha256=problem.sha256)


def set_back(pull: Pull, offers: Sequence[Offer], problems: "Sequence[Problem]", setback: Unavailable) -> int:
    """Leave the version for another try; its files that were tried often enough fail. Returns the tries in a row."""
    if not isinstance(setback, Busy):
        stumbled = [one.offer for one in problems if isinstance(one.error, Unavailable)]
        for offer in stumbled:
            offer.attempts += 1
            Offer.objects.filter(pk=offer.pk).update(attempts=F("attempts") + 1)
            if offer.attempts >= ATTEMPTS:
                fail(pull, offer, setback.message, State.FAILED)
    Pull.objects.filter(pk=pull.pk).update(setbacks=F("setbacks") + 1)
    return pull.setbacks + 1


def fail(pull: Pull, offer: Offer, why: str, state: str, sha256: str = "") -> None:
    """Name it and go on."""
    with transaction.atomic():
        _tell(pull, offer, why)
        _write(offer, state, error=why, **({"sha256": sha256} if sha256 else {}))


def refuse_change(pull: Pull, offer: Offer, sha256: str) -> None:
    """Other bytes than before: the version that stands is not touched, and the audit trail has it."""
    with transaction.atomic():
        _tell(pull, offer, CHANGED)
        _write(offer, State.REFUSED, error=CHANGED, sha256=sha256)
        offer.sha256 = sha256
        listing.audit_change(pull.upstream, offer)


def _tell(pull: Pull, offer: Offer, why: str) -> None:
    _count(pull, failed=1)
    listing.note(pull, [(f"{offer.name} {offer.version}", why)])


def _skip(pull: Pull, offer: Offer, state: str, release: Release, **fields: Any) -> None:
    with transaction.atomic():
        _count(pull, skipped=1)
        _write(offer, state, release=release, **fields)


def _count(pull: Pull, **outcome: int) -> None:
    """Raises Overtaken where the pull is over: nothing counts for it any more."""
    more = {name: F(name) + count for name, count in outcome.items()}
    standing = Pull.objects.filter(pk=pull.pk, state=SyncRun.State.RUNNING)
    if not standing.update(done=F("done") + sum(outcome.values()), setbacks=0, **more):
        raise Overtaken("The pull is over.")
    pull.setbacks = 0


def _write(offer: Offer, state: str, **fields: Any) -> None:
    """Raises Overtaken where somebody else has settled the offer meanwhile."""
    fields = {"error": "", **fields, "state": state, "seen_at": timezone.now()}
    if not Offer.objects.filter(pk=offer.pk, state=State.WANTED).update(**fields):
        raise Overtaken("Another worker has settled this.")


def _said(problem: Exception) -> str:
    if isinstance(problem, RegistryError):
        return problem.message
    logger.error("A package could not be taken in", exc_info=problem)
    return f"It could not be taken in ({type(problem).__name__})."
