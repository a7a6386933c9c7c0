"""Entitlement: a licence key as the credential of a request, and as the question of a program: is it valid?

Both look it up by its keyed digest, in one query that is the same for good, bad and unknown keys.
"""

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import auditing
from accounts.actors import Actor, Objection
from accounts.models import Project
from licensing import minting, telling
from licensing.models import LicenseKey
from licensing.terms import Terms
from registry import ecosystems
from registry.errors import InvalidInput
from registry.models import Release

TERMS = ("constraint_type", "valid_until", "version_range", "perpetual_fallback", "suspended")
SHOWN = ("name", "created_at", "updated_at")
# One row for each package, in the order in which they were given; one row without a package for a key without any.
LOOK_UP = f"""
    SELECT sold_key.id, sold_key.project_id, sold_key.used_on,
           {", ".join(f"sold_key.{name}" for name in (*TERMS, *SHOWN))},
           package.id AS sold_id, package.ecosystem AS sold_ecosystem, package.name AS sold_name,
           package.normalized AS sold_normalized
    FROM licensing_licensekey AS sold_key
    LEFT JOIN licensing_licensedpackage AS line ON line.key_id = sold_key.id
    LEFT JOIN registry_package AS package ON package.id = line.package_id AND package.project_id = sold_key.project_id
    WHERE sold_key.digest IN ({{}}) ORDER BY line.id"""  # noqa: S608  # names of columns
UNKNOWN = Objection("NOT_FOUND", "There is no such licence key.")


@dataclass(frozen=True, slots=True)
class Sold:
    """A package that a key was sold for."""

    id: int
    ecosystem: str
    name: str
    normalized: str


@dataclass(frozen=True, slots=True)
class Held:
    """A key as it was found: an `accounts.actors.Entitlement`."""

    id: uuid.UUID
    project_id: int
    terms: Terms
    sold: tuple[Sold, ...]
    name: str
    created_at: datetime
    updated_at: datetime
    used_on: date | None
    packages: frozenset[int] = field(default=frozenset())

    def objection_to_all(self) -> Objection | None:
        """Why it opens nothing at all now."""
        return self.terms.objection_to_all()

    def objection(self, ecosystem: str, version: str, published_at: datetime) -> Objection | None:
        """Why it does not open this version of one of its packages."""
        return self.terms.objection(ecosystem, version, published_at)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a validation says; `held` is None for a key that nobody has."""

    code: str
    held: Held | None

    @property
    def is_valid(self) -> bool:
        """Whether the key opens it."""
        return self.code == "VALID"


def find(raw: str) -> Held | None:
    """The key of that value with its terms and packages; None for unknown ones, and no query for what is no key."""
    if not minting.looks_like_key(raw):
        return None
    digests = minting.digests(raw)
    rows = list(LicenseKey.objects.raw(LOOK_UP.format(", ".join(["%s"] * len(digests))), digests))
    return _held(rows) if rows else None


def _held(rows: list[Any]) -> Held:
    """The key; packages that have left its project since are not among the rows."""
    first = rows[0]
    sold = tuple(
        Sold(row.sold_id, row.sold_ecosystem, row.sold_name, row.sold_normalized)
        for row in rows
        if row.sold_id is not None
    )
    return Held(
        id=first.pk,
        project_id=first.project_id,
        terms=Terms(*(getattr(first, name) for name in TERMS)),
        sold=sold,
        used_on=first.used_on,
        packages=frozenset(one.id for one in sold),
        **{name: getattr(first, name) for name in SHOWN},
    )


# --- as a credential -----------------------------------------------------------------------------------------------
def actor_of(raw: str, address: str) -> Actor | None:
    """The holder of the key, for `accounts.asking.recognizes`; one that is suspended or expired opens nothing."""
    held = find(raw)
    if held is None:
        return None
    if held.objection_to_all() is None:
        _note_use(held, address)
    return Actor(
        kind="license",
        project=Project.objects.get(pk=held.project_id),
        credential_id=str(held.id),
        address=address,
        entitlements=(held,),
        expires_at=held.terms.until,
    )


# --- as a question -------------------------------------------------------------------------------------------------
def validate(raw: str, package: str, version: str, address: str = "") -> Answer:
    """Whether the key opens this version of the package, by any ecosystem in which it was sold; never raises."""
    held = find(raw)
    if held is None:
        return Answer(UNKNOWN.code, None)
    if (closed := held.objection_to_all()) is not None:
        return Answer(closed.code, held)
    meant = [one for one in held.sold if one.normalized == ecosystems.get(one.ecosystem).normalize_name(package)]
    if not meant:
        return Answer("PACKAGE_NOT_COVERED", held)
    objections = [_objection(held, one, version) for one in meant]
    if all(objections):
        return Answer(next(one.code for one in objections if one), held)
    _note_use(held, address)
    return Answer("VALID", held)


def _objection(held: Held, sold: Sold, version: str) -> Objection | None:
    published_at = _published_at(sold, version) if held.terms.is_over else None
    return held.terms.objection(sold.ecosystem, version, published_at)


def _published_at(sold: Sold, version: str) -> datetime | None:
    """When the version came; asked only where it matters: the key is over, and older versions stay."""
    try:
        canonical = ecosystems.get(sold.ecosystem).canonical_version(version)
    except InvalidInput:
        return None
    held = Release.objects.filter(package_id=sold.id, canonical=canonical)
    return held.values_list("submitted_at", flat=True).first()


# --- use -----------------------------------------------------------------------------------------------------------
def _note_use(held: Held, address: str) -> None:
    """Write down the day, once a day; the first use of all is an event."""
    today = timezone.now().date()
    if held.used_on == today:
        return
    key = LicenseKey.objects.filter(pk=held.id)
    with transaction.atomic():
        key.filter(Q(used_on=None) | Q(used_on__lt=today)).update(used_on=today)
        if held.used_on is None and key.filter(first_used_at=None).update(first_used_at=timezone.now()):
            project = Project.objects.get(pk=held.project_id)
            actor = Actor(kind="license", credential_id=str(held.id), address=address)
            telling.tell("first_used", key.get(), project)
            auditing.record("license_key.first_used", f"license_key:{held.id}", actor, project=project.slug)
