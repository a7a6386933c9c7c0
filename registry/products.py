"""Products: what a build pipeline makes, uploads to, shares among tokens and deletes (contract section 10).

A product is a private package of ecosystem `generic` with a row of its own beside it; its versions are releases like
any other, approved as they arrive. No signature is asked for, whatever the project's policy for packages says: the
pipelines that speak this protocol know of none, and the token that uploads is named in the audit trail. What is
deleted is retired: the version stays as a tombstone, so its name is never used for other bytes.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import auditing, tokens
from accounts.actors import Actor
from accounts.models import ApiToken
from registry import covering, documents, downloading, ecosystems, gates, grants, publishing, retiring
from registry.ecosystems.base import Entry, Manifest
from registry.ecosystems.base import Package as ReadPackage
from registry.ecosystems.confusables import skeleton
from registry.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from registry.grants import Permissions
from registry.models import Package, PackageMaintainer, Product, ProductGrant, Release

if TYPE_CHECKING:
    from registry.storage import Staged

DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})", re.ASCII)
NO_TOKEN = "There is no such token: it may be mistyped, expired or revoked."  # noqa: S105  # said of one, and is none
LONGEST_FILENAME = 255
# Controls, halves of pairs, and signs that turn the direction of what follows: none belongs into a file's name.
UNFIT = {"Cc", "Cs"}
TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Rule:
    """How long versions are kept: the newest so many, those younger than so many days; None for no such rule."""

    versions: int | None = None
    days: int | None = None


# --- finding -------------------------------------------------------------------------------------------------------
def find(name: str, actor: Actor, permission: str = "") -> Package:
    """The product of that name, if the actor may do this with it; without a permission, if they may do anything.

    Raises Unauthenticated, NotFound (unknown, deleted, or nothing that the actor may know of), Forbidden.
    """
    if actor.is_anonymous:
        raise Unauthenticated("Send an API token in the header X-Api-Token.")
    package = _named(name)
    may = grants.of(package, actor) if package is not None else grants.NOTHING
    if package is None or not (any(may) or package.is_visible_to(actor) or grants.grant_of(package, actor)):
        raise NotFound(f"There is no product {name[:128]} here. Check the spelling, or create it.")
    if not (getattr(may, permission) if permission else any(may)):
        wanted = permission or "any permission"
        raise Forbidden(
            f"This credential lacks “{wanted}” on {package.name}. Ask one of the product’s maintainers to grant it.",
            code="not_granted",
            details={"permission": [permission or "any"]},
        )
    return package


def _named(name: str) -> Package | None:
    normalized = ecosystems.get("generic").normalize_name(name.replace("\x00", "\ufffd"))
    held = Package.objects.select_related("project", "product").filter(ecosystem="generic", normalized=normalized)
    return held.filter(product__isnull=False, product__deleted_at__isnull=True).first()


def find_version(package: Package, version: str) -> Release:
    """The version, by its exact name, as long as its file is here. Raises NotFound."""
    held = package.releases.select_related("package__project", "project", "submitted_by")
    found = held.filter(canonical=version.replace("\x00", "\ufffd"), purged_at__isnull=True).first()
    if found is None:
        raise NotFound(f"{package.name} has no version {version[:128]}.")
    return found


def names(actor: Actor) -> list[str]:
    """The products that the actor has access to, by name: a token those it was granted, others what they see."""
    if actor.is_anonymous:
        raise Unauthenticated("Send an API token in the header X-Api-Token.")
    if actor.kind != "token" or actor.is_admin:
        seen = Package.objects.visible_to(actor).filter(product__deleted_at__isnull=True, product__isnull=False)
        return sorted(seen.values_list("name", flat=True))
    rows = ProductGrant.objects.filter(token__id=UUID(actor.credential_id), product__deleted_at__isnull=True)
    given = list(rows.select_related("product__package", "granted_by"))
    worth = grants.effective(given, actor)
    return sorted(row.product.package.name for row, may in zip(given, worth, strict=True) if any(may))


def granted(package: Package, actor: Actor) -> list[ProductGrant]:
    """The rows of tokens that work now; who has bought a version has no business with them."""
    if covering.is_restricted(package, actor):
        return []
    return grants.live(ProductGrant.objects.filter(product_id=package.pk).select_related("token"))


def versions(package: Package, actor: Actor) -> list[Release]:
    """What is listed, oldest first, with its file; for the holder of a license key, what it covers."""
    listed = package.releases.listed().select_related("package").prefetch_related("artifacts")
    return covering.covered(listed.order_by("submitted_at", "pk"), actor)


# --- creating and deleting -----------------------------------------------------------------------------------------
def create(name: str, actor: Actor, rule: Rule | None = None) -> Package:
    """A new product in the caller's project; the token that makes it gets all four permissions.

    A deleted product can be made again by its project; the versions that it had stay used. Raises Unauthenticated,
    InvalidInput (name), Forbidden, Conflict (the name is taken, by whatever).
    """
    with publishing.refusals_audited("product.create", f"generic:{name}", actor):
        actor.need("publish")
        _check_name(name)
        project = publishing.project_of(actor)
        actor.need("publish", project.pk)
        _ask_reserved(name, project.pk, actor)
        with transaction.atomic():
            rules = ecosystems.get("generic")
            package, made = Package.objects.select_for_update(of=("self",)).get_or_create(
                ecosystem="generic",
                normalized=rules.normalize_name(name),
                defaults={
                    "name": name,
                    "skeleton": skeleton(name),
                    "project": project,
                    "visibility": Package.Visibility.PRIVATE,
                },
            )
            product = grants.find_product(package)
            if not made and (product is None or product.deleted_at is None or package.project_id != project.pk):
                raise Conflict(f"There is a package named {package.name} already.", code="product_exists")
            _open(package, actor, rule or Rule())
    return package


def _open(package: Package, actor: Actor, rule: Rule) -> None:
    """The rows beside the package, and what tells of them."""
    kept = {"keep_versions": rule.versions, "keep_days": rule.days, "deleted_at": None}
    product, _ = Product.objects.update_or_create(package=package, defaults=kept)
    if actor.user is not None:
        PackageMaintainer.objects.get_or_create(package=package, user=actor.user)
    if actor.kind == "token" and actor.user is not None:
        _write_grant(product, ApiToken.objects.get(pk=actor.credential_id), grants.EVERYTHING, actor)
    auditing.record("product.created", str(package), actor, project=package.project.slug)
    documents.rebuild(package, "created")


def _check_name(name: str) -> None:
    try:
        ecosystems.get("generic").check_name(name)
    except InvalidInput as error:
        raise InvalidInput(error.message, code=error.code, details={"name": [error.message]}) from error


def _ask_reserved(name: str, project_id: int, actor: Actor) -> None:
    subject = gates.Publication("generic", name, "", Release.Origin.PUBLISHED, None, frozenset(), project_id)
    if objection := gates.first_objection(gates.ask("publishing", subject, actor)):
        raise Forbidden(objection.reason, code=objection.code)


def delete(name: str, actor: Actor) -> None:
    """Delete the product and every version of it, at once. For its maintainers and admins."""
    with publishing.refusals_audited("product.delete", f"generic:{name}", actor):
        package = find(name, actor, "maintainer")
    with transaction.atomic():
        documents.hold(package.pk)
        if not Product.objects.filter(pk=package.pk, deleted_at__isnull=True).update(deleted_at=timezone.now()):
            raise NotFound(f"There is no product {name[:128]} here.")
        ProductGrant.objects.filter(product_id=package.pk).delete()
        held = package.releases.select_related("package__project", "project").filter(purged_at__isnull=True)
        count = retiring.remove(package, held.order_by("pk"), actor)
        details = {"versions": count}
        auditing.record("product.deleted", str(package), actor, details=details, project=package.project.slug)


def delete_version(name: str, version: str, actor: Actor) -> None:
    """Delete one version, at once. Needs the permission `delete`."""
    with publishing.refusals_audited("product.delete_version", f"generic:{name}@{version}", actor):
        package = find(name, actor, "delete")
        release = find_version(package, version)
        if not retiring.remove(package, [release], actor):
            raise NotFound(f"{package.name} has no version {version[:128]}.")


# --- permissions ---------------------------------------------------------------------------------------------------
def grant(name: str, given: str, wanted: Permissions, actor: Actor) -> ProductGrant:
    """Let a token, given raw or by its digest, do this with the product from now on. For its maintainers and admins.

    What it may do beyond its own person's place in the project rests on the granter's. Raises NotFound for a token
    that does not work, InvalidInput for one that is bound to another project.
    """
    with publishing.refusals_audited("product.grant", f"generic:{name}", actor):
        package = find(name, actor, "maintainer")
        token = find_token(given)
        if token.project_id not in (None, package.project_id):
            raise InvalidInput("The token is bound to another project.", details={"token": ["bound elsewhere"]})
        with transaction.atomic():
            documents.hold(package.pk)
            package = find(name, actor, "maintainer")  # the product may be gone by now, or the right to it
            row = _write_grant(package.product, token, wanted, actor)
            details = {"token": str(token.pk), "shared": row.is_shared, **wanted._asdict()}
            auditing.record("product.granted", str(package), actor, details=details, project=package.project.slug)
    return row


def revoke(name: str, given: str, actor: Actor) -> None:
    """Take everything from a token, given raw or by its digest. For the product's maintainers and admins."""
    with publishing.refusals_audited("product.revoke", f"generic:{name}", actor):
        package = find(name, actor, "maintainer")
        rows = ProductGrant.objects.filter(product_id=package.pk, token__digest=digest_of(given))
        with transaction.atomic():
            documents.hold(package.pk)
            row = rows.first()
            if row is None:
                raise NotFound(f"That token has no permission on {package.name}.")
            row.delete()
            details = {"token": str(row.token_id)}
            auditing.record("product.revoked", str(package), actor, details=details, project=package.project.slug)


def find_token(given: str) -> ApiToken:
    """The live token with this value or this digest. Raises NotFound, without repeating what was given."""
    live = ApiToken.objects.live().select_related("user", "project").filter(user__is_active=True)
    found = live.filter(digest=digest_of(given)).first()
    if found is None:
        raise NotFound(NO_TOKEN)
    return found


def token_of(actor: Actor) -> ApiToken | None:
    """The token that the actor shows, if it is one."""
    return ApiToken.objects.filter(pk=actor.credential_id).first() if actor.kind == "token" else None


def digest_of(given: str) -> str:
    """The digest that is kept, of a raw token or of the digest itself, with or without `sha256:` before it."""
    match = DIGEST.fullmatch(given)
    return match[1] if match else tokens.digest_of(given)


def _write_grant(product: Product, token: ApiToken, wanted: Permissions, actor: Actor) -> ProductGrant:
    fields = {
        "maintainer": wanted.maintainer,
        "download": wanted.download,
        "upload": wanted.upload,
        "delete_versions": wanted.delete,
        "granted_by": grants.authority_of(product.package, actor),
        "is_shared": grants.is_outside(product.package, token.user),
    }
    return ProductGrant.objects.update_or_create(product=product, token=token, defaults=fields)[0]


def inherit(old: ApiToken, successor: ApiToken) -> None:
    """Give a rotated token's permissions to its successor, in the transaction that makes it."""
    for row in ProductGrant.objects.filter(token=old):
        row.pk, row.token = None, successor
        row.save(force_insert=True)


# --- uploading -----------------------------------------------------------------------------------------------------
def upload(name: str, version: str, staged: "Staged", filename: str, actor: Actor) -> Release:
    """Make a version of the staged file, whatever is in it. Needs the permission `upload`.

    Raises InvalidInput (version), NotFound (product), Forbidden, Conflict (the version exists, or did).
    """
    with publishing.refusals_audited("release.publish", f"generic:{name}@{version}", actor):
        package = find(name, actor, "upload")
        check_version(version)
        kept = plain_filename(filename) or f"{package.name}-{version}"
        read = ReadPackage(
            manifest=Manifest(ecosystem="generic", name=package.name, version=version),
            kind="file",
            filename=kept,
            media_type="application/octet-stream",
            entries=(Entry(kept, staged.size, staged.sha256),),
            unpacked_size=staged.size,
        )
        return publishing.publish(publishing.Upload(read, staged), actor, publishing.Intent(is_product=True))


def open_version(name: str, version: str, actor: Actor) -> downloading.Download:
    """The file of a version, with the gates asked as at every door. Needs the permission `download`."""
    package = find(name, actor, "download")
    release = find_version(package, version)
    return downloading.open_artifact(release, actor.lend(package.pk))


def check_version(version: str) -> None:
    """Raise InvalidInput unless the version is 1 to 128 of the characters that all clients can send."""
    try:
        ecosystems.get("generic").canonical_version(version)
    except InvalidInput as error:
        raise InvalidInput(error.message, code=error.code, details={"version": [error.message]}) from error


def plain_filename(given: str) -> str:
    """The name of the file as its sender wrote it, without folders and without signs that are no text; may be empty.

    Bytes lie under their digest, so no name can lead anywhere; this is for those who save the file. A quote comes as
    `%22` from browsers and curl (WHATWG, multipart/form-data).
    """
    last = re.split(r"[/\\]", given.replace("%22", '"'))[-1]
    kept = "".join(sign for sign in last if unicodedata.category(sign) not in UNFIT and sign not in TURNING).strip()
    if kept in ("", ".", ".."):
        return ""
    stem, dot, ending = kept.rpartition(".")
    if len(kept) <= LONGEST_FILENAME or not dot or len(ending) > 32:
        return kept[:LONGEST_FILENAME]
    return stem[: LONGEST_FILENAME - len(ending) - 1] + dot + ending
