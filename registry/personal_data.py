"""What releases, decisions and signatures say about a person: told to them, and put under a pseudonym when they go."""

import re
from collections.abc import Callable
from typing import Any

from django.db.models import Q

from accounts.models import SigningKey, User
from accounts.privacy import Identity
from registry import documents, search_index
from registry.models import (
    Artifact,
    Check,
    Decision,
    DownloadRecord,
    Package,
    PackageMaintainer,
    ProductGrant,
    Release,
    ReleaseManifest,
    ReleasePin,
    TrustedPublisher,
)
from registry.webhooks.models import Delivery, Message, Webhook

RELEASE = ("package__ecosystem", "package__name", "version", "status", "origin", "submitted_at")
WORDS = ("description", "homepage", "repository", "readme", "license_texts")
DECISION = ("release__package__name", "release__version", "answer", "at", "reason", "override")
TAKEN = ("release__package__ecosystem", "release__package__name", "release__version", "day", "credential", "count")
GRANT = ("product__package__name", "maintainer", "download", "upload", "delete_versions", "is_shared", "created_at")
PIN = ("release__package__name", "release__version", "at")
TRUST = ("package__ecosystem", "package__name", "issuer", "claims", "created_at", "last_used_at")
WEBHOOK = ("project__slug", "url", "description", "events", "is_enabled", "created_at")
NAMES = ("username", "email", "full_name", "first_name", "last_name")
Told = Callable[[Any], Any]


def export(user: User) -> dict[str, Any]:
    """What the person published, asked for, signed, decided, maintains, took, granted, and has told to others."""
    submitted = Release.objects.filter(_asked_by(user.pk, user.email)).order_by("pk")
    signed = Artifact.objects.filter(_signed_by(user.pk, user.username)).order_by("pk")
    maintained = Package.objects.filter(maintainers__user=user).order_by("pk")
    return {
        "versions": list(submitted.values(*RELEASE, "submitted_for", "request_note")),
        "signatures": list(signed.values("filename", "sha256", "signer", "signature_fingerprint", "uploaded_at")),
        "decisions": list(Decision.objects.filter(by=user).order_by("pk").values(*DECISION)),
        "downloads": list(DownloadRecord.objects.filter(user=user).order_by("pk").values(*TAKEN)),
        "maintains": list(maintained.values("ecosystem", "name")),
        "granted": list(ProductGrant.objects.filter(granted_by=user).order_by("pk").values(*GRANT)),
        "pinned": list(ReleasePin.objects.filter(pinned_by=user).order_by("pk").values(*PIN)),
        "trusts": list(TrustedPublisher.objects.filter(created_by=user).values(*TRUST)),
        "webhooks": list(Webhook.objects.filter(created_by=user).order_by("pk").values(*WEBHOOK)),
    }


def erase(person: Identity) -> None:
    """Put the pseudonym in the place of name and address, in rows and in the documents that are made of them."""
    touched = sorted(_packages_of(person))
    for package_id in touched:
        documents.hold(package_id)
    Decision.objects.filter(Q(by=person.user) | Q(by_name=person.username)).update(by_name=person.pseudonym)
    _rename_releases(person, touched)
    Artifact.objects.filter(_signed_by(person.user.pk, person.username)).update(signer=person.pseudonym)
    PackageMaintainer.objects.filter(user=person.user).delete()
    DownloadRecord.objects.filter(user=person.user).update(user=None)
    ProductGrant.objects.filter(granted_by=person.user).update(granted_by=None)
    TrustedPublisher.objects.filter(created_by=person.user).delete()
    ReleasePin.objects.filter(pinned_by=person.user).update(pinned_by=None)
    _forget_in_webhooks(person)
    for package in Package.objects.filter(pk__in=touched).select_related("project").order_by("pk"):
        documents.rebuild(package, "changed")
    if touched:
        search_index.forget_removed_words()


def _asked_by(user_id: int, email: str) -> Q:
    return Q(submitted_by=user_id) | (Q(submitted_for__iexact=email) if email else Q())


def _signed_by(user_id: int, username: str) -> Q:
    """Files that carry the name, or whose key is the person's: names may have changed since."""
    keys = SigningKey.objects.filter(user=user_id).values("fingerprint")
    return Q(signer=username) | (Q(signature_fingerprint__in=keys) & ~Q(signer=""))


def _packages_of(person: Identity) -> set[int]:
    """Every package with a row that may name the person."""
    asked = _asked_by(person.user.pk, person.email)
    of_releases = Release.objects.filter(asked | Q(decisions__by=person.user) | Q(decisions__by_name=person.username))
    signed = Artifact.objects.filter(_signed_by(person.user.pk, person.username))
    return {
        *of_releases.values_list("package", flat=True),
        *signed.values_list("release__package", flat=True),
        *PackageMaintainer.objects.filter(user=person.user).values_list("package", flat=True),
    }


def _rename_releases(person: Identity, touched: list[int]) -> None:
    """Notes, reasons and the words of checks on what the person had to do with: evidence stays, but for the name."""
    told = telling(person)
    Release.objects.filter(_asked_by(person.user.pk, person.email)).update(submitted_for=person.pseudonym)
    of = Release.objects.filter(package__in=touched)
    retell(of, told, "request_note", "held_because", "deprecated")
    manifests = ReleaseManifest.objects.filter(release__in=of)
    retell(manifests, told, "authors", "keywords", "raw")
    # Elsewhere a user name may be a word that programs need; the files themselves stay as they were signed.
    retell(manifests, telling(person, ("email", "full_name")), *WORDS)
    retell(Check.objects.filter(release__in=of), told, "summary", "details")
    retell(Decision.objects.filter(release__in=of), told, "reason", "verdicts", "checks")


def _forget_in_webhooks(person: Identity) -> None:
    """Webhooks stay with their project; neither they nor what they were told name the person any more."""
    Webhook.objects.filter(created_by=person.user).update(created_by=None)
    told = telling(person)
    retell(Webhook.objects.all(), told, "description")
    retell(Message.objects.all(), told, "body")
    retell(Delivery.objects.exclude(answer=""), told, "answer")


def retell(rows: Any, told: Told, *fields: str) -> None:
    """Write back those rows whose texts named the person."""
    for row in rows.only("pk", *fields).iterator(chunk_size=500):
        after = {field: told(getattr(row, field)) for field in fields}
        if any(after[field] != getattr(row, field) for field in fields):
            rows.model.objects.filter(pk=row.pk).update(**after)


def telling(person: Identity, names_of: tuple[str, ...] = NAMES) -> Told:
    """A function that gives back a text, or JSON, with the pseudonym wherever the person stood as a whole word."""
    names = sorted({getattr(person, name) for name in names_of} - {""}, key=len)
    if not names:
        return lambda value: value
    words = "|".join(re.escape(name) for name in reversed(names))
    pattern = re.compile(rf"(?<![\w@.+-])(?:{words})(?![\w@+-])", re.IGNORECASE)

    def told(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub(person.pseudonym, value)
        if isinstance(value, list):
            return [told(item) for item in value]
        if isinstance(value, dict):
            return {key: told(item) for key, item in value.items()}
        return value

    return told
