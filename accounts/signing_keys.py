"""Signing keys: register a public key, remove it, find the live one behind a fingerprint."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import auditing, ssh_keys
from accounts.actors import Actor
from accounts.errors import Conflict, Forbidden
from accounts.models import SigningKey, User
from accounts.wording import short_name


def register(user: User, name: str, public_key_text: str, actor: Actor) -> SigningKey:
    """Add the key of a .pub line. No token may do this, so that a stolen token cannot sign.

    Raises InvalidInput for a line that is no accepted key, Conflict for a key that is registered already.
    """
    _may_manage(user, actor)
    label, key = short_name(name), ssh_keys.read_line(public_key_text)
    fingerprint = ssh_keys.fingerprint_of(key.blob)
    _not_yet_registered(fingerprint, user)
    try:
        with transaction.atomic():
            made = SigningKey.objects.create(
                user=user, name=label, algorithm=key.algorithm, public_key=key.line, fingerprint=fingerprint
            )
            auditing.record("signing_key.added", f"signing-key:{fingerprint}", actor)
    except IntegrityError as error:
        raise Conflict("This key was registered a moment ago.", code="key_registered") from error
    return made


def remove(key: SigningKey, actor: Actor) -> SigningKey:
    """Let the key sign nothing new; what it signed stays valid. Removing twice changes nothing."""
    _may_manage(key.user, actor)
    with transaction.atomic():
        if SigningKey.objects.filter(pk=key.pk, removed_at__isnull=True).update(removed_at=timezone.now()):
            auditing.record("signing_key.removed", f"signing-key:{key.fingerprint}", actor)
    key.refresh_from_db()
    return key


def find_live(fingerprint: str) -> SigningKey | None:
    """The registered key with this fingerprint and its active user, if it may sign now."""
    live = SigningKey.objects.select_related("user").filter(removed_at__isnull=True, user__is_active=True)
    return live.filter(fingerprint=fingerprint).first()


def note_use(key: SigningKey) -> None:
    """Write down that the key has signed something, in the transaction that keeps what it signed."""
    SigningKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now())


def _not_yet_registered(fingerprint: str, user: User) -> None:
    """Refuse a key twice; whose it is already stays unsaid."""
    found = SigningKey.objects.filter(removed_at__isnull=True, fingerprint=fingerprint).first()
    if found is None:
        return
    if found.user_id == user.pk:
        raise Conflict(f"You have registered this key already, as “{found.name}”.", code="key_registered")
    raise Conflict(
        "This key is registered by someone else. A key belongs to one person: make your own with ssh-keygen.",
        code="key_registered",
    )


def _may_manage(user: User, actor: Actor) -> None:
    """The key's own user at the portal, or the system; an admin's session may remove or add for others."""
    if actor.is_system:
        return
    actor.need("read")
    if actor.kind != "session":
        raise Forbidden("Sign in to manage signing keys: no token may, so that a stolen one cannot sign.")
    if actor.user is None or (actor.user.pk != user.pk and not actor.is_admin):
        raise Forbidden("This signing key belongs to someone else.")
