"""What upstreams say that they have of a name: asked once for everybody, kept as a row, and pinned by its digests.

An answer counts for five minutes; then a worker asks again with its ETag, and who asks is given the old one meanwhile.
While an upstream is down, what it said last still counts. "Not there" counts for a minute.
"""

import logging
import os
import threading
import uuid
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import auditing
from accounts.actors import SYSTEM, Actor
from registry import ecosystems, tasks
from registry.ecosystems import Ecosystem
from registry.errors import InvalidInput, RegistryError, Unavailable
from registry.models import Job
from registry.outgoing import NotAllowed
from registry.upstreams import connecting, listing
from registry.upstreams.models import Errand, Shelf, Upstream
from registry.upstreams.sources.base import Assortment, Busy, Denied, Goods, Listing, Vanished
from registry.upstreams.through import allowing
from registry.upstreams.through.waiting import NotYet, rounds

KIND = "shelf"
logger = logging.getLogger(__name__)
FRESH, ABSENT, AFTER_FAULT = timedelta(minutes=5), timedelta(minutes=1), timedelta(seconds=15)
LEASE = timedelta(seconds=45)
KEPT_DAYS = 30


def of(upstream: Upstream, ecosystem: str, name: str, actor: Actor, *, newer_than: datetime | None = None) -> Shelf:
    """The upstream's answer about the name, as fresh as it has to be; one request asks, the others wait for it.

    Raises NotYet where the upstream cannot be asked and never was, RateLimited.
    """
    shelf, is_mine = _row(upstream, ecosystem, name)
    if shelf.fetched_at is not None and newer_than is None:
        return _refreshed(shelf, name)
    for turn in rounds():
        if turn:
            shelf.refresh_from_db()
        if not _is_due(shelf, newer_than):
            break
        if is_mine or _take(shelf):
            with ExitStack() as stack:
                stack.callback(_give_back, shelf)
                allowing.count(actor)
                _ask(shelf, upstream, name)
                stack.pop_all()  # the answer has given it back
            break
    if shelf.fetched_at is None:
        raise NotYet(shelf.error or f"{upstream.name} has not answered yet. Try again in a moment.", _patience(shelf))
    return shelf


def glance(upstream: Upstream, ecosystem: str, name: str) -> Shelf:
    """What the upstream said last, if ever; where that is old, a worker is told to ask. Waits for nobody.

    Its body is read once somebody wants it: most who look have the document that was made of it.
    """
    shelf, is_mine = _row(upstream, ecosystem, name, later=("body",))
    return _refreshed(shelf, name, is_mine=is_mine)


def _refreshed(shelf: Shelf, name: str, *, is_mine: bool = False) -> Shelf:
    if is_mine or (_is_due(shelf, None) and _take(shelf)):
        tasks.enqueue(KIND, shelf.pk, payload={"name": name})
    return shelf


@tasks.handles(KIND)
def refresh(job: Job) -> None:
    """Ask the upstream anew."""
    shelf = Shelf.objects.select_related("upstream").filter(pk=job.ref).first()
    if shelf is not None:
        _ask(shelf, shelf.upstream, str(job.payload["name"]))


def assortment(shelf: Shelf) -> Assortment | None:
    """What stands on it, None where the upstream has no such name."""
    return unpacked(bytes(shelf.body)) if shelf.state == Shelf.State.FOUND and shelf.body else None


def find_goods(shelf: Shelf, version: str) -> Goods | None:
    """The version among what stands on the shelf, in any spelling; or by a tag."""
    if shelf.state != Shelf.State.FOUND or not shelf.body:
        return None
    said, rules = orjson.loads(zlib.decompress(bytes(shelf.body))), ecosystems.get(shelf.ecosystem)
    wanted = _canonical(rules, said["tags"].get(version, version))
    found = (one for one in said["goods"] if wanted and _canonical(rules, one["version"]) == wanted)
    return next((_goods(one) for one in found), None)


def _canonical(rules: Ecosystem, version: str) -> str:
    try:
        return rules.canonical_version(version)
    except InvalidInput:
        return ""


def packed(found: Assortment) -> bytes:
    """The assortment as a row keeps it."""
    return zlib.compress(orjson.dumps(found), 1)


def unpacked(body: bytes) -> Assortment:
    """The assortment again."""
    said = orjson.loads(zlib.decompress(body))
    goods = tuple(_goods(one) for one in said.pop("goods"))
    return Assortment(goods=goods, **said)


def _goods(said: dict[str, Any]) -> Goods:
    return Goods(**{**said, "files": tuple(_listing(file) for file in said["files"])})


def _listing(said: dict[str, object]) -> Listing:
    at = said.pop("released_at")
    return Listing(**said, released_at=datetime.fromisoformat(str(at)) if at else None)  # type: ignore[arg-type]  # our own words


# --- one asks for all ------------------------------------------------------------------------------------------------
def _row(upstream: Upstream, ecosystem: str, name: str, later: Sequence[str] = ()) -> tuple[Shelf, bool]:
    """The shelf, and whether it was made just now: then the caller holds its lease."""
    key = {"upstream": upstream, "ecosystem": ecosystem, "normalized": ecosystems.get(ecosystem).normalize_name(name)}
    rows = Shelf.objects.defer(*later).filter(**key)
    if (found := rows.first()) is not None:
        return found, False
    try:
        with transaction.atomic():
            return Shelf.objects.create(**key, lease_until=timezone.now() + LEASE, lease_owner=_me()), True
    except IntegrityError:  # somebody was quicker
        return rows.get(), False


def _is_due(shelf: Shelf, newer_than: datetime | None) -> bool:
    is_older = newer_than is not None and (shelf.fetched_at is None or shelf.fetched_at < newer_than)
    return shelf.due_at <= timezone.now() or (is_older and not shelf.error)


def _take(shelf: Shelf) -> bool:
    """Take the lease, by one conditional update; False where another has it, or has asked since we looked."""
    now, owner = timezone.now(), _me()
    free = Shelf.objects.filter(pk=shelf.pk, due_at=shelf.due_at).filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    )
    is_taken = bool(free.update(lease_until=now + LEASE, lease_owner=owner))
    if is_taken:
        shelf.lease_owner = owner
    return is_taken


def _me() -> str:
    return f"{os.getpid()}:{threading.get_ident()}:{uuid.uuid4().hex[:12]}"


def _give_back(shelf: Shelf) -> None:
    Shelf.objects.filter(pk=shelf.pk, lease_owner=shelf.lease_owner).update(lease_until=None)


def _ask(shelf: Shelf, upstream: Upstream, name: str) -> None:
    """Write what the upstream says now, or why it says nothing, and give the lease back; its faults by its name."""
    try:
        source, _ = connecting.index_of(upstream, shelf.ecosystem)
        found = source.assortment(name, shelf.etag if shelf.state == Shelf.State.FOUND else "")
    except Vanished:
        _write(shelf, ABSENT, state=Shelf.State.ABSENT, body=b"", etag="", fetched_at=timezone.now(), error="")
    except (RegistryError, NotAllowed) as problem:
        logger.warning("%s could not be asked for %s: %s", upstream.name, name, problem)
        patience = timedelta(seconds=problem.seconds) if isinstance(problem, Busy) else AFTER_FAULT
        _write(shelf, max(patience, AFTER_FAULT), error=_said(upstream, problem))
    else:
        fresh = {"state": Shelf.State.FOUND, "fetched_at": timezone.now(), "error": ""}
        if found is not None:
            fresh |= {"body": packed(_pinned(shelf, upstream, found)), "etag": found.etag}
        _write(shelf, FRESH, **fresh)


def _write(shelf: Shelf, fresh_for: timedelta, **fields: object) -> None:
    """The answer, unless the lease ran out and somebody else has asked since: then theirs counts."""
    said = {**fields, "due_at": timezone.now() + fresh_for, "lease_until": None}
    if Shelf.objects.filter(pk=shelf.pk, lease_owner=shelf.lease_owner).update(**said):
        for key, value in said.items():
            setattr(shelf, key, value)
    else:
        shelf.refresh_from_db()


def _said(upstream: Upstream, problem: Exception) -> str:
    if isinstance(problem, Busy):
        return f"{upstream.name} asks for patience."
    if isinstance(problem, Denied):
        return f"{upstream.name} does not let this portal in: an admin has to look at it."
    if isinstance(problem, NotAllowed):
        return f"What {upstream.name} offers is refused: it leads to an address that nobody may visit."
    if isinstance(problem, Unavailable):
        return f"{upstream.name} does not answer as it should."
    return f"{upstream.name} answers with something that cannot be read."


def _patience(shelf: Shelf) -> float:
    return (shelf.due_at - timezone.now()).total_seconds()


# --- the first digest counts for good --------------------------------------------------------------------------------
def _pinned(shelf: Shelf, upstream: Upstream, found: Assortment) -> Assortment:
    """Where a file is told with other digests than before, the first ones stay, and the version is marked."""
    before = assortment(shelf)
    if before is None:
        return found
    first = {one.version: one for one in before.goods}
    goods = tuple(_kept(upstream, first.get(one.version), one) for one in found.goods)
    return replace(found, goods=goods)


def _kept(upstream: Upstream, first: Goods | None, now: Goods) -> Goods:
    if first is None:
        return now
    if first.is_changed:
        return first
    told = {one.filename: one for one in first.files}
    changed = [
        one
        for one in now.files
        if (old := told.get(one.filename)) is not None and listing.contradicts(old.digests, old.size, one)
    ]
    if not changed:
        return now
    what = f"{changed[0].ecosystem}:{changed[0].name}@{now.version}"
    details = {
        "upstream": upstream.name,
        "file": changed[0].filename,
        "digests": dict(told[changed[0].filename].digests),
    }
    with transaction.atomic():
        auditing.record("upstream.changed_bytes", what, SYSTEM, outcome="refused", details=details)
    return replace(first, is_changed=True)


@tasks.periodically("daily")
def clear() -> int:
    """Remove what nobody asked about for a month, and names that are not there. Digests of what came are elsewhere."""
    old, day = timezone.now() - timedelta(days=KEPT_DAYS), timezone.now() - timedelta(days=1)
    unwanted = Q(due_at__lt=old) | (Q(due_at__lt=day) & ~Q(state=Shelf.State.FOUND))
    Errand.objects.filter(opened_at__lt=old).delete()
    return Shelf.objects.filter(unwanted).delete()[0]
