"""People and their roles: what each role may hand to a token, and the permission group it stands for."""

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import auditing, projects
from accounts.actors import ALL_SCOPES, Actor
from accounts.errors import Conflict, InvalidInput
from accounts.models import Membership, Project, User
from accounts.models.users import ROLES

DEVELOPER_SCOPES = frozenset({"read", "publish", "licenses", "sync"})
SCOPES_BY_ROLE = {
    "developer": DEVELOPER_SCOPES,
    "maintainer": DEVELOPER_SCOPES | {"review"},
    "admin": ALL_SCOPES,
}
REVIEWED_MODELS = ("package", "release", "check", "decision", "waiver", "policy")


def scopes_of(user: User) -> frozenset[str]:
    """What the user's role allows: the most that a session or a token of theirs may carry."""
    return SCOPES_BY_ROLE.get(user.role, DEVELOPER_SCOPES) if user.is_active else frozenset()


def session_scopes_of(user: User) -> frozenset[str]:
    """What a session carries: the role's scopes, or a developer's until the second factor that the role asks for."""
    allowed = scopes_of(user)
    return allowed & DEVELOPER_SCOPES if user.lacks_second_factor else allowed


def belongs_to(user: User, project: Project) -> bool:
    """Whether the user is a member of the project, in any role; admins belong to every project."""
    return user.is_admin or Membership.objects.filter(user=user, project=project).exists()


def create(
    username: str,
    email: str,
    actor: Actor,
    *,
    role: str = "developer",
    password: str | None = None,
    accept_weak_password: bool = False,
    accept_no_email: bool = False,
) -> User:
    """A new person with a role, its permission group and a project of their own as the default one.

    Without a password nobody can sign in as them; a weak one is accepted only from whoever runs the installation.
    """
    _check(username, email, role, accept_no_email=accept_no_email)
    user = User(username=username, email=email, role=role)
    if password is not None and not accept_weak_password:
        _need_strong(password, user)
    user.set_password(password)
    with transaction.atomic():
        if User.objects.filter(username__iexact=username).exists():
            raise Conflict(f"The user {username} exists already.", code="user_exists")
        user.save()
        admit(user, actor)
    return user


def admit(user: User, actor: Actor) -> None:
    """Give somebody whose row has just been saved what belongs to them: the group of their role, a project."""
    with transaction.atomic():
        _grant(user)
        projects.make_own(user)
        auditing.record("user.created", f"user:{user.pseudonym}", actor, details={"role": user.role})


def change_role(user: User, role: str, actor: Actor) -> User:
    """Give the user another role; tokens that carry more than it allows lose the surplus at once."""
    if role not in ROLES:
        raise InvalidInput(f"A role is one of {', '.join(ROLES)}.", details={"role": ["unknown"]})
    before, user.role = user.role, role
    with transaction.atomic():
        user.save(update_fields=["role"])
        _grant(user)
        details = {"from": before, "to": role}
        auditing.record("user.role_changed", f"user:{user.pseudonym}", actor, details=details)
    return user


def change_password(user: User, password: str, actor: Actor) -> User:
    """Set a password that meets the rules; sessions opened with the old one end."""
    _need_strong(password, user)
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        auditing.record("user.password_changed", f"user:{user.pseudonym}", actor)
    return user


def weakness(password: str, user: User | None = None) -> str:
    """Why the password does not meet the rules, or "" if it does."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def sync_groups() -> None:
    """Make the three permission groups say what the roles mean, for the models installed now; safe to repeat."""
    for role in ROLES:
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(_permissions_of(role))


def _permissions_of(role: str) -> QuerySet[Permission]:
    """Django's permissions for a role: nothing, looking at everything and deciding, or all."""
    if role == "admin":
        return Permission.objects.all()
    if role == "maintainer":
        looking = Q(content_type__app_label__in=settings.MAINTAINED_APPS, codename__startswith="view_")
        deciding = Q(
            content_type__app_label__in=settings.MAINTAINED_APPS,
            codename__in=[f"change_{name}" for name in REVIEWED_MODELS],
        )
        return Permission.objects.filter(looking | deciding)
    return Permission.objects.none()


def _grant(user: User) -> None:
    """Put the user into the group of their role, and the admin flags beside it."""
    group, made = Group.objects.get_or_create(name=user.role)
    if made or not group.permissions.exists():
        group.permissions.set(_permissions_of(user.role))
    user.groups.set([group])
    user.is_staff = user.is_maintainer
    user.is_superuser = user.is_admin
    user.save(update_fields=["is_staff", "is_superuser"])


def _check(username: str, email: str, role: str, *, accept_no_email: bool) -> None:
    """Refuse names, addresses and roles that cannot be."""
    try:
        User.username_validator(username)
        if not 1 <= len(username) <= 150:
            raise ValidationError("From 1 to 150 characters.")
    except ValidationError as error:
        raise InvalidInput(
            "A user name has letters, digits and @ . + - _ only.", details={"username": error.messages}
        ) from error
    try:
        if email or not accept_no_email:
            validate_email(email)
    except ValidationError as error:
        raise InvalidInput(f"{email[:100]!r} is not an e-mail address.", details={"email": error.messages}) from error
    if role not in ROLES:
        raise InvalidInput(f"A role is one of {', '.join(ROLES)}.", details={"role": ["unknown"]})


def _need_strong(password: str, user: User) -> None:
    """Refuse a password that does not meet the rules."""
    if reason := weakness(password, user):
        raise InvalidInput(reason, details={"password": [reason]})
