"""What the portal holds about a person: all of it to take along, and all of it to erase.

Other apps contribute what they hold: an exporter, and an eraser that runs in the transaction of the erasure, after the
person's own row has lost its name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts import auditing, projects
from accounts.actors import Actor
from accounts.errors import Conflict, Forbidden
from accounts.models import ApiToken, AuditEvent, Membership, Project, SigningKey, User


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a person was, and the pseudonym that stands in their place from now on."""

    user: User
    username: str
    email: str
    first_name: str
    last_name: str

    @property
    def full_name(self) -> str:
        """First and last name, as far as there are both or one."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def pseudonym(self) -> str:
        """What is left."""
        return str(self.user.pseudonym)


Exporter = Callable[[User], Any]
Eraser = Callable[[Identity], None]
_contributions: dict[str, tuple[Exporter, Eraser]] = {}


def contributes(name: str, exporter: Exporter, eraser: Eraser) -> None:
    """Have an app's own records exported under the name, and erased; call it from the app's ready()."""
    _contributions[name] = (exporter, eraser)


# --- taking along --------------------------------------------------------------------------------------------------
def export(user: User, actor: Actor) -> dict[str, Any]:
    """Everything that the portal holds about the person, as JSON takes it; secrets are held as digests only."""
    _may_manage(user, actor)
    with transaction.atomic():
        auditing.record("user.data_exported", f"user:{user.pseudonym}", actor)
    own = {
        "exported_at": timezone.now(),
        "person": _row(user, *PERSON_FIELDS),
        "default_project": user.default_project.slug if user.default_project else None,
        "groups": list(user.groups.values_list("name", flat=True)),
        "email_addresses": list(EmailAddress.objects.filter(user=user).values("email", "verified", "primary")),
        "pseudonym": user.pseudonym,
        "projects": list(user.memberships.values("project__slug", "project__name", "role", "created_at")),
        "tokens": list(user.tokens.values(*TOKEN_FIELDS)),
        "signing_keys": list(user.signing_keys.values(*KEY_FIELDS)),
        "sessions": [{"ends": session.expire_date} for session in _sessions_of(user)],
        "administration": list(LogEntry.objects.filter(user=user).values("action_time", "object_repr")),
        "audit_events": list(_events_about(user).order_by("seq").values(*EVENT_FIELDS)),
    }
    return own | {name: exporter(user) for name, (exporter, _eraser) in _contributions.items()}


PERSON_FIELDS = (
    "username", "email", "first_name", "last_name", "role", "is_active", "date_joined", "last_login",
)  # fmt: skip
TOKEN_FIELDS = (
    "id", "name", "prefix", "scopes", "project__slug", "created_at", "expires_at", "last_used_at", "last_used_from",
    "notified_at", "revoked_at", "revoked_reason",
)  # fmt: skip
KEY_FIELDS = ("name", "algorithm", "public_key", "fingerprint", "created_at", "removed_at", "last_used_at")
EVENT_FIELDS = ("seq", "at", "action", "object", "project", "address", "outcome", "details")


def _row(user: User, *fields: str) -> dict[str, Any]:
    return {field: getattr(user, field) for field in fields}


def _events_about(user: User) -> Any:
    """What the person did, and what was done to their account."""
    return AuditEvent.objects.filter(Q(actor=str(user.pseudonym)) | Q(object=f"user:{user.pseudonym}"))


# --- erasing -------------------------------------------------------------------------------------------------------
def erase(user: User, actor: Actor) -> Identity:
    """Leave of the person a row under their pseudonym; packages, decisions and the audit trail stay.

    Projects that lose their last owner pass to an admin. Raises Conflict for the last admin.
    """
    _may_manage(user, actor)
    before = Identity(user, user.username, user.email, user.first_name, user.last_name)
    with transaction.atomic():
        heir = _heir(user)
        _leave_projects(user, heir)
        _forget_credentials(user)
        _forget_administration(before)
        _lose_name(user)
        for _exporter, eraser in _contributions.values():
            eraser(before)
        auditing.record("user.erased", f"user:{user.pseudonym}", actor)
    return before


def _may_manage(user: User, actor: Actor) -> None:
    """The person at the portal, or the system: no token may, and no admin reads what belongs to others."""
    if actor.is_system or (actor.kind == "session" and actor.user is not None and actor.user.pk == user.pk):
        return
    raise Forbidden("Only you yourself, signed in, may take your data along or delete your account.")


def _heir(user: User) -> User:
    """The admin who takes over what would have no owner: the one who has been here longest."""
    admins = User.objects.filter(role=User.Role.ADMIN, is_active=True).exclude(pk=user.pk).order_by("pk")
    if found := admins.first():
        return found
    raise Conflict(
        "You are the only admin, and the portal needs one to take over. Make someone else an admin first.",
        code="last_admin",
    )


def _leave_projects(user: User, heir: User) -> None:
    """End the memberships; a project without another owner gets the heir, and loses the person's name."""
    owned = Project.objects.filter(memberships__user=user, memberships__role=Membership.Role.OWNER)
    kept = Membership.objects.filter(role=Membership.Role.OWNER).exclude(user=user).values("project")
    for project in owned.exclude(pk__in=kept):
        Membership.objects.update_or_create(project=project, user=heir, defaults={"role": Membership.Role.OWNER})
    Project.objects.filter(name=projects.own_name(user)).update(name=F("slug"))
    user.memberships.all().delete()


def _forget_credentials(user: User) -> None:
    """No token, no session, no address; of a signing key what verifies old signatures."""
    ApiToken.objects.filter(user=user).delete()
    EmailAddress.objects.filter(user=user).delete()
    for session in _sessions_of(user):
        session.delete()
    SigningKey.objects.filter(user=user, removed_at__isnull=True).update(removed_at=timezone.now())
    SigningKey.objects.filter(user=user).update(name="")


def _sessions_of(user: User) -> list[Session]:
    """The person's sessions. Whose one is stands inside it, so each is opened."""
    own = str(user.pk)
    every = Session.objects.filter(expire_date__gt=timezone.now()).iterator()
    return [session for session in every if session.get_decoded().get("_auth_user_id") == own]


def _forget_administration(before: Identity) -> None:
    """The admin's own list of recent actions names rows by what they were called."""
    people = ContentType.objects.get_for_model(User)
    about = Q(content_type=people, object_id=str(before.user.pk))
    LogEntry.objects.filter(about).update(object_repr=before.pseudonym, change_message="")
    LogEntry.objects.filter(user=before.user).update(object_repr="", change_message="")


def _lose_name(user: User) -> None:
    """The row itself: a pseudonym that nobody can sign in as."""
    user.username = str(user.pseudonym)
    user.email = user.first_name = user.last_name = ""
    user.is_active = user.is_staff = user.is_superuser = False
    user.role, user.default_project, user.last_login = User.Role.DEVELOPER, None, None
    user.set_unusable_password()
    user.save()
    user.groups.clear()
    user.user_permissions.clear()
