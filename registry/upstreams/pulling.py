"""From offers to releases: files come in side by side, releases are made one after the other."""

import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import QuerySet

from registry.ecosystems.base import Package as ReadPackage
from registry.errors import Unavailable
from registry.upstreams import keeping, listing, verifying
from registry.upstreams.models import Offer, Pull
from registry.upstreams.sources.base import Busy, Source

if TYPE_CHECKING:
    from registry.storage import Staged

BATCH = 32
PATIENCE = 4


class Pause(Exception):
    """The upstream is not to be had now: go on in so many seconds."""

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


@dataclass
class Version:
    """The files of one version that are to be taken, and what came of it."""

    offers: Sequence[Offer]
    stack: ExitStack = field(default_factory=ExitStack)
    taken: list["Taken"] = field(default_factory=list)
    problems: list["Problem"] = field(default_factory=list)

    def download(self, source: Source) -> "Version":
        """Take, compare and read every file; in a thread, without the database."""
        for offer in self.offers:
            problem = self._take(source, offer)
            if isinstance(problem, Busy):
                break
        return self

    def _take(self, source: Source, offer: Offer) -> Exception | None:
        claimed, sha256 = listing.listing_of(offer), ""
        try:
            staged = self.stack.enter_context(verifying.taken(source, claimed))
            sha256 = staged.sha256
            self.taken.append(Taken(offer, staged, verifying.read(claimed, staged)))
        except Exception as problem:
            self.problems.append(Problem(offer, problem, sha256))
            return problem
        return None

    @property
    def setback(self) -> Unavailable | None:
        """What may be better in a while, if anything went wrong in that way."""
        return next((one.error for one in self.problems if isinstance(one.error, Unavailable)), None)


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that is here, is what was said, and could be read."""

    offer: Offer
    staged: "Staged"
    package: ReadPackage


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not be had, or (with its digest) is not fit to be kept."""

    offer: Offer
    error: Exception
    sha256: str = ""


def pull_until(pull: Pull, source: Source, deadline: float) -> bool:
    """Take what is wanted until `deadline` (monotonic seconds); whether nothing is left.

    Raises Pause where the upstream asks for it or fails several times in a row, and Overtaken where the pull is over.
    """
    going: deque[Future[Version]] = deque()
    width = settings.SYNC_PARALLEL
    with ThreadPoolExecutor(width, thread_name_prefix="pull") as pool:
        try:
            for version in wanted(pull):
                if keeping.is_settled(pull, version.offers):
                    continue
                going.append(pool.submit(version.download, source))
                if len(going) >= width:
                    _settle(pull, going.popleft().result())
                if time.monotonic() > deadline:
                    break
            while going:
                _settle(pull, going.popleft().result())
        finally:
            for one in going:
                if not one.cancel():
                    one.result().stack.close()
    return not _wanted(pull).exists()


def wanted(pull: Pull) -> Iterator[Version]:
    """What is left to do, version by version, in the order in which it was listed; a few rows in memory at a time."""
    last = 0
    while head := list(_wanted(pull).filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = head[-1].pk
        groups = defaultdict[tuple[str, ...], list[Offer]](list)
        chosen = {_version_of(one) for one in head}
        same = {"normalized__in": {one.normalized for one in head}, "version__in": {one.version for one in head}}
        for offer in _wanted(pull).filter(**same).order_by("pk"):
            if _version_of(offer) in chosen:
                groups[_version_of(offer)].append(offer)
        for offers in groups.values():
            if offers[0].pk >= head[0].pk:  # else an earlier batch had them, and they are on their way
                yield Version(offers)


def _wanted(pull: Pull) -> QuerySet[Offer]:
    return Offer.objects.filter(pull=pull, state=Offer.State.WANTED)


def _version_of(offer: Offer) -> tuple[str, ...]:
    return offer.ecosystem, offer.normalized, offer.version


def _settle(pull: Pull, version: Version) -> None:
    """Keep what came, or come back for it; the staged files are gone afterwards."""
    with version.stack:
        setback = version.setback
        if setback is None:
            keeping.keep(pull, version.taken, version.problems)
            return
        pull.setbacks = keeping.set_back(pull, version.offers, version.problems, setback)
    if isinstance(setback, Busy) or pull.setbacks >= PATIENCE:
        asked = setback.seconds if isinstance(setback, Busy) else 0
        raise Pause(max(asked, pause_after(pull.setbacks)), setback.message)


def pause_after(setbacks: int) -> float:
    """Seconds: twice as long each time, five minutes at most."""
    return min(2.0**setbacks, 300.0)
