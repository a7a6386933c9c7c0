"""Entitlement: a licence key as the credential of a request, and as the question of a program: is it valid?

Both look it up by its keyed digest, in one query that is the same for good, bad and unknown keys.
"""

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache

from django.db import connections, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import auditing, rows
from accounts.actors import Actor, Objection
from accounts.models import Project
from accounts.rows import Maker
from licensing import minting, telling
from licensing.models import LicenseKey
from licensing.terms import Terms
from registry import ecosystems
from registry.errors import InvalidInput
from registry.models import Release

TERMS = ("constraint_type", "valid_until", "version_range", "perpetual_fallback", "suspended")
SHOWN = ("name", "created_at", "updated_at")
UNREAD = ("digest", "sealed", "ending", "meta", "first_used_at", "untold_end")
# One row for each package, in the order in which they were given; one row without a package for a key without any.
FROM = """
    FROM licensing_licensekey AS sold_key JOIN accounts_project AS seller ON seller.id = sold_key.project_id
    LEFT JOIN licensing_licensedpackage AS line ON line.key_id = sold_key.id
    LEFT JOIN registry_package AS package ON package.id = line.package_id AND package.project_id = sold_key.project_id
    WHERE sold_key.digest IN ({}) ORDER BY line.id"""
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
    project: Project
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
    digests, connection = minting.digests(raw), connections["default"]
    sql, key_of, seller_of, sold_from = _reading(connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(sql.format(", ".join(["%s"] * len(digests))), digests)
        found = cursor.fetchall()
    if not found:
        return None
    # packages that have left its project since are not among the rows
    sold = tuple(Sold(*row[sold_from:]) for row in found if row[sold_from] is not None)
    return _held(key_of(found[0]), seller_of(found[0]), sold)


@cache
def _reading(vendor: str) -> tuple[str, Maker, Maker, int]:
    """The query; what makes a key and its project of a row, and where its package begins. For one kind of database."""
    keys, seller = rows.columns(LicenseKey, "sold_key", UNREAD), rows.columns(Project, "seller")
    sold = [f"package.{name}" for name in ("id", "ecosystem", "name", "normalized")]
    makers = rows.maker(LicenseKey, 0, UNREAD), rows.maker(Project, len(keys))
    return f"SELECT {', '.join(keys + seller + sold)} {FROM}", *makers, len(keys + seller)


def _held(key: LicenseKey, seller: Project, sold: tuple[Sold, ...]) -> Held:
    return Held(
        id=key.pk,
        project=seller,
        terms=Terms(*(getattr(key, name) for name in TERMS)),
        sold=sold,
        used_on=key.used_on,
        packages=frozenset(one.id for one in sold),
        **{name: getattr(key, name) for name in SHOWN},
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
        project=held.project,
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
            actor = Actor(kind="license", credential_id=str(held.id), address=address)
            telling.tell("first_used", key.get(), held.project)
            auditing.record("license_key.first_used", f"license_key:{held.id}", actor, project=held.project.slug)
