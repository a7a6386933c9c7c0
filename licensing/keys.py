"""Licence keys of a project: made, replaced whole, suspended, deleted, and walked through oldest first."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import orjson
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from accounts import auditing, projects
from accounts.actors import Actor
from accounts.models import Project
from licensing import minting, telling, terms
from licensing.models import LicensedPackage, LicenseKey
from licensing.models.keys import LicenseKeyQuerySet
from registry import ecosystems
from registry.errors import Forbidden, InvalidInput, NotFound
from registry.models import Package

DEFAULT_NAME = "Default License"
LONGEST_NAME, MOST_PACKAGES = 200, 200
META_BYTES, META_DEPTH = 16 * 1024, 8
MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_MS = 4_102_444_800_000  # 2100-01-01


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a key is to be. Without a `key` one is made by chance; `until` and `range` go with their constraint."""

    packages: tuple[str, ...]
    constraint: str = "none"
    until: datetime | None = None
    range: str = ""
    has_fallback: bool = False
    name: str = DEFAULT_NAME
    key: str | None = None
    suspended: bool = False
    meta: dict[str, Any] = field(default_factory=dict)


class Page(NamedTuple):
    """Some keys, oldest first, and the `since` of the pages before and after; None at the ends."""

    keys: list[LicenseKey]
    before: datetime | None
    after: datetime | None


# --- who may -------------------------------------------------------------------------------------------------------
def manages(actor: Actor) -> Project:
    """The project whose keys the actor manages in this request: with scope licenses, and more than a reader there."""
    actor.need("licenses")
    if actor.project is None:
        raise Forbidden("You belong to no project, and keys are a project's. Name one in X-Project-ID.")
    actor.need("licenses", actor.project.pk)
    if actor.user is None or not projects.may_publish(actor.user, actor.project):
        raise Forbidden("Readers of a project do not manage its licence keys. Ask an owner.", code="role_missing")
    return actor.project


def find(id: uuid.UUID, actor: Actor) -> LicenseKey:
    """A key of the request's project; raises NotFound for unknown ones and for those of others, alike."""
    found = LicenseKey.objects.with_packages().filter(pk=id, project=manages(actor)).first()
    if found is None:
        raise _unknown()
    return found


# --- changing ------------------------------------------------------------------------------------------------------
def create(wanted: Wanted, actor: Actor) -> LicenseKey:
    """Make a key; raises InvalidInput naming the field that is wrong."""
    project = manages(actor)
    packages = _check(wanted, project)
    with transaction.atomic():
        at = _next_moment(project)
        made = LicenseKey(project=project, created_at=at, updated_at=at)
        _write(made, wanted, wanted.key or minting.random_key(), packages, is_new=True)
        _note("created", made, project, actor)
    return made


def check_many(wanted: Sequence[Wanted], actor: Actor) -> list[list[Package] | InvalidInput]:
    """For each of them the packages that are meant, or why it may not be; one query for each choice of packages."""
    project = manages(actor)
    meant = cache(lambda names: _meant(names, project))

    def one(row: Wanted) -> list[Package] | InvalidInput:
        try:
            return _check(row, project, meant)
        except InvalidInput as refusal:
            return refusal

    return [one(row) for row in wanted]


def create_many(wanted: Sequence[Wanted], actor: Actor) -> list[LicenseKey]:
    """Make a random key for each of them, or none at all; raises what `check_many` finds first.

    Their times follow one another by a millisecond, with no other key of the project between them.
    """
    project = manages(actor)
    checked: list[list[Package]] = []
    for found in check_many(wanted, actor):
        if isinstance(found, InvalidInput):
            raise found
        checked.append(found)
    with transaction.atomic():
        start = _next_moment(project)
        made = [_made(row, project, start + number * MILLISECOND) for number, row in enumerate(wanted)]
        LicenseKey.objects.bulk_create(made, batch_size=200)
        pairs = [(key, one) for key, meant in zip(made, checked, strict=True) for one in meant]
        LicensedPackage.objects.bulk_create((LicensedPackage(key=k, package=p) for k, p in pairs), batch_size=400)
        for key in made:
            telling.tell("created", key, project)
        for key in made:
            auditing.record("license_key.created", f"license_key:{key.pk}", actor, project=project.slug)
    return made


def replace(id: uuid.UUID, wanted: Wanted, actor: Actor) -> LicenseKey:
    """Make the key what is wanted, whole; raises NotFound, InvalidInput naming the field that is wrong."""
    project = manages(actor)
    with transaction.atomic():
        held = _held(id, project)
        packages = _check(wanted, project)
        was_suspended, raw = held.suspended, wanted.key or minting.unseal(held.sealed)
        held.updated_at = max(whole_ms(timezone.now()), held.updated_at)
        _write(held, wanted, raw, packages)
        verb = "changed" if was_suspended == held.suspended else _turned(held.suspended)
        _note(verb, held, project, actor)
    return held


def remove(id: uuid.UUID, actor: Actor) -> None:
    """Delete the key with all that is kept with it; it opens nothing from now on. Raises NotFound."""
    project = manages(actor)
    with transaction.atomic():
        held = _held(id, project)
        LicenseKey.objects.filter(pk=held.pk).delete()
        _note("deleted", held, project, actor)


def suspend(key: LicenseKey, actor: Actor, *, suspended: bool = True) -> bool:
    """Suspend or resume a key, for admins and who manages its project's; whether that changed anything."""
    is_admin = actor.is_admin and actor.reaches(key.project_id)
    if not is_admin and manages(actor).pk != key.project_id:
        raise Forbidden("Only admins may do this to the keys of another project.", code="role_missing")
    with transaction.atomic():
        held = LicenseKey.objects.filter(pk=key.pk, suspended=not suspended)
        if not held.update(suspended=suspended, updated_at=whole_ms(timezone.now())):
            return False
        _note(_turned(suspended), key, key.project, actor)
    return True


def _made(wanted: Wanted, project: Project, at: datetime) -> LicenseKey:
    """A row for a random key, not written yet."""
    made = LicenseKey(project=project, created_at=at, updated_at=at, untold_end=wanted.until)
    _fill(made, wanted, minting.random_key())
    return made


def _fill(key: LicenseKey, wanted: Wanted, raw: str) -> None:
    """Put what is wanted into the columns; without a value the sealed one stays, and is found as before."""
    key.name, key.suspended, key.meta = wanted.name, wanted.suspended, wanted.meta
    key.constraint_type, key.valid_until = wanted.constraint, wanted.until
    key.version_range, key.perpetual_fallback = wanted.range, wanted.has_fallback
    for column, value in (minting.seal(raw) if raw else {}).items():
        setattr(key, column, value)


def _write(key: LicenseKey, wanted: Wanted, raw: str, packages: list[Package], *, is_new: bool = False) -> None:
    """Put all of it into the row, and its packages in their order; raises InvalidInput for a key that is taken."""
    if key.valid_until != wanted.until:
        key.untold_end = wanted.until
    _fill(key, wanted, raw)
    if raw:  # else it was sealed under a SECRET_KEY that is gone, and goes on being found by whoever holds it
        _refuse_taken(raw, key)
    try:
        with transaction.atomic():
            key.save(force_insert=is_new)
    except IntegrityError as error:
        raise _taken() from error
    LicensedPackage.objects.filter(key=key).delete()
    LicensedPackage.objects.bulk_create(LicensedPackage(key=key, package=one) for one in packages)


def _held(id: uuid.UUID, project: Project) -> LicenseKey:
    """The key, held against other writers until the end of the transaction."""
    found = LicenseKey.objects.select_for_update().filter(pk=id, project=project).first()
    if found is None:
        raise _unknown()
    return found


def _next_moment(project: Project) -> datetime:
    """When a new key of the project is made: later by a millisecond at least than every key before it.

    Whoever makes one holds the project until the end of the transaction, so keys become visible in the order of
    their times, and whoever walks through them by time misses none.
    """
    Project.objects.select_for_update(no_key=True).only("pk").get(pk=project.pk)
    last = LicenseKey.objects.filter(project=project).aggregate(last=Max("created_at"))["last"]
    now = whole_ms(timezone.now())
    return now if last is None else max(now, whole_ms(last) + MILLISECOND)


def _note(verb: str, key: LicenseKey, project: Project, actor: Actor) -> None:
    """What webhooks are told, and the audit event; neither names a customer or a key."""
    telling.tell(verb, key, project)
    auditing.record(f"license_key.{verb}", f"license_key:{key.pk}", actor, project=project.slug)


def _turned(suspended: bool) -> str:
    return "suspended" if suspended else "resumed"


def _unknown() -> NotFound:
    return NotFound("There is no such licence key in this project. GET /licenses lists them.")


# --- checking ------------------------------------------------------------------------------------------------------
def _check(
    wanted: Wanted, project: Project, meant: Callable[[tuple[str, ...]], list[Package]] | None = None
) -> list[Package]:
    """The packages that are meant, if all of it may be; raises InvalidInput naming the first field that may not."""
    if wanted.key is not None:
        minting.check(wanted.key)
    _check_meta(wanted.meta)
    packages = meant(wanted.packages) if meant else _meant(wanted.packages, project)
    if wanted.constraint == "version":
        _check_range(wanted.range, packages)
    return packages


def _meant(names: Iterable[str], project: Project) -> list[Package]:
    """The project's packages of these names, of every ecosystem, in the order of the names."""
    forms = {name: {one.slug: one.normalize_name(name) for one in ecosystems.ALL} for name in names}
    wanted = {form for meant in forms.values() for form in meant.values()}
    held = list(Package.objects.filter(project=project, normalized__in=wanted).order_by("pk"))
    spelled = {name: [one for one in held if one.normalized == meant[one.ecosystem]] for name, meant in forms.items()}
    if unknown := [name for name, found in spelled.items() if not found]:
        why = f"The project {project.slug} holds no package {unknown[0][:214]}."
        raise InvalidInput(why, details={"packages": [f"unknown: {name[:214]}" for name in unknown]})
    return list(dict.fromkeys(one for found in spelled.values() for one in found))


def _check_range(text: str, packages: Iterable[Package]) -> None:
    for ecosystem in {one.ecosystem for one in packages}:
        try:
            terms.parse(ecosystem, text)
        except InvalidInput as error:
            raise InvalidInput(error.message, details={"constraint": [f"value: {error.message}"]}) from error


def _check_meta(meta: dict[str, Any]) -> None:
    """Small enough to be read with every key: 16 KiB of JSON, eight levels deep."""
    level: list[Any] = [meta]
    for _ in range(META_DEPTH):
        level = [child for one in level for child in (one.values() if isinstance(one, dict) else one)]
        level = [child for child in level if isinstance(child, dict | list)]
    if level or len(orjson.dumps(meta)) > META_BYTES:
        why = f"meta is an object of at most {META_BYTES // 1024} KiB, nested {META_DEPTH} levels deep at most."
        raise InvalidInput(why, details={"meta": [why]})


def _refuse_taken(raw: str, key: LicenseKey) -> None:
    """Under any of our secret keys; the unique column decides between those who come at once."""
    if LicenseKey.objects.filter(digest__in=minting.digests(raw)).exclude(pk=key.pk).exists():
        raise _taken()


def _taken() -> InvalidInput:
    return InvalidInput("This key is in use. Choose another one, or leave it out.", details={"key": ["in use"]})


# --- walking -------------------------------------------------------------------------------------------------------
def page(project: Project, since: datetime | None, until: datetime | None, limit: int) -> Page:
    """The keys from `since` on and before `until`, oldest first: `limit` of them, and all of the last millisecond.

    A page never ends within a millisecond, so that the `since` of the next one begins with what nobody has seen.
    """
    every = LicenseKey.objects.with_packages().filter(project=project).order_by("created_at", "pk")
    wanted = every.filter(created_at__lt=until) if until is not None else every
    rows = list((wanted.filter(created_at__gte=since) if since is not None else wanted)[: limit + 1])
    after = None
    if len(rows) > limit:
        rows, after = _to_the_end_of_the_millisecond(wanted, rows, limit)
    return Page(rows, _before(wanted, since, limit) if since is not None else None, after)


def _to_the_end_of_the_millisecond(
    wanted: LicenseKeyQuerySet, rows: list[LicenseKey], limit: int
) -> tuple[list[LicenseKey], datetime | None]:
    end = whole_ms(rows[limit - 1].created_at) + MILLISECOND
    if rows[limit].created_at >= end:
        return rows[:limit], end
    start = whole_ms(rows[limit - 1].created_at)
    whole = [row for row in rows if row.created_at < start]
    whole += wanted.filter(created_at__gte=start, created_at__lt=end)
    return whole, end if wanted.filter(created_at__gte=end).exists() else None


def _before(wanted: LicenseKeyQuerySet, since: datetime, limit: int) -> datetime | None:
    """Where the page before begins; what does not fit into it is left to the one before that.

    The oldest page is full: where fewer keys than `limit` stand before this one, it reaches into it. So it does where
    a millisecond is left as a whole, that no key is lost; keys made here share none.
    """
    earlier = wanted.filter(created_at__lt=since).order_by("-created_at", "-pk")
    moments = [whole_ms(at) for at in earlier.values_list("created_at", flat=True)[: limit + 1]]
    fitting, left_out = moments[:limit], moments[limit:]
    if not fitting:
        return None
    return min((at for at in fitting if at not in left_out), default=fitting[0])


def whole_ms(moment: datetime) -> datetime:
    """The moment without what is less than a millisecond."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_ms(moment: datetime) -> int:
    """Milliseconds since the epoch."""
    return (moment - EPOCH) // MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """The moment, of 0 to `LATEST_MS`."""
    return EPOCH + milliseconds * MILLISECOND
