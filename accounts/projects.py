"""Projects, the tenants: make one, add people, and say which one counts when nobody names one."""

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import auditing
from accounts.actors import Actor
from accounts.errors import Conflict, Forbidden, InvalidInput
from accounts.models import Membership, Project, User
from accounts.models.projects import SLUG

LONGEST_SLUG = 64
# What each setting may be, and which of them the owners choose themselves.
SETTINGS = {
    "tier": Project.Tier.values,
    "review_policy": Project.ReviewPolicy.values,
    "signature_policy": Project.SignaturePolicy.values,
    "visibility": Project.Visibility.values,
}
OWNERS_CHOOSE = frozenset({"review_policy", "signature_policy", "visibility"})


def create(
    slug: str,
    owner: User,
    actor: Actor,
    *,
    name: str = "",
    tier: str = "free",
    review_policy: str = "automatic",
    signature_policy: str = "required",
    visibility: str = "public",
) -> Project:
    """A new project with its first owner; it becomes the owner's default if they had none."""
    wanted = {
        "tier": tier,
        "review_policy": review_policy,
        "signature_policy": signature_policy,
        "visibility": visibility,
    }
    _check_slug(slug)
    _check(wanted)
    with transaction.atomic():
        if Project.objects.filter(slug=slug).exists():
            raise Conflict(f"The project {slug} exists already. Choose another slug.", code="project_exists")
        project = Project.objects.create(slug=slug, name=name or slug, **wanted)
        _first_owner(project, owner)
        _note("project.created", project, actor, {"owner": str(owner.pseudonym)})
    return project


def configure(project: Project, actor: Actor, **wanted: str) -> list[str]:
    """Set tier, review_policy, signature_policy or visibility; returns the names of those that changed.

    Owners choose all but the tier, admins everything; both at the portal, since a token may be stolen.
    """
    _check(wanted)
    with transaction.atomic():
        kept = Project.objects.select_for_update().get(pk=project.pk)
        changed = sorted(field for field in wanted if wanted[field] != getattr(kept, field))
        _may_configure(project, actor, changed)
        if changed:
            Project.objects.filter(pk=project.pk).update(**{field: wanted[field] for field in changed})
            _note("project.configured", project, actor, {field: wanted[field] for field in changed})
    project.refresh_from_db()
    return changed


def make_own(user: User) -> Project:
    """The project that a new user starts with; call inside their transaction.

    Its slug says nothing of them, since it stands in audit events, which nobody can change when the user leaves.
    """
    project = Project.objects.create(slug=f"own-{user.pseudonym.hex[:12]}", name=own_name(user))
    _first_owner(project, user)
    return project


def own_name(user: User) -> str:
    """What the first project of a person is called until they call it otherwise."""
    return f"{user.username}’s project"


def add_member(project: Project, user: User, actor: Actor, *, role: str = "member") -> Membership:
    """Let the user into the project, or change what they are there."""
    _may_manage(project, actor)
    if role not in Membership.Role.values:
        raise InvalidInput(f"A member is one of {', '.join(Membership.Role.values)}.", details={"role": ["unknown"]})
    with transaction.atomic():
        if role != Membership.Role.OWNER:
            _refuse_if_last_owner(project, user)
        membership, _ = Membership.objects.update_or_create(project=project, user=user, defaults={"role": role})
        details = {"member": str(user.pseudonym), "role": role}
        _note("project.member_added", project, actor, details)
    return membership


def remove_member(project: Project, user: User, actor: Actor) -> None:
    """Take the user out of the project; its last owner stays."""
    _may_manage(project, actor)
    with transaction.atomic():
        _refuse_if_last_owner(project, user)
        project.memberships.filter(user=user).delete()
        User.objects.filter(pk=user.pk, default_project=project).update(default_project=None)
        details = {"member": str(user.pseudonym)}
        _note("project.member_removed", project, actor, details)


def of(user: User, only: int | None = None) -> dict[int, Project]:
    """The projects that the user belongs to by id, oldest membership first; `only` leaves at most that one."""
    memberships = Membership.objects.filter(user=user).select_related("project").order_by("created_at", "pk")
    if only is not None:
        memberships = memberships.filter(project=only)
    return {membership.project_id: membership.project for membership in memberships}


def default_for(user: User) -> Project | None:
    """The project that counts for the user when a request names none: their choice, else their oldest."""
    return default_among(of(user), user)


def default_among(mine: dict[int, Project], user: User) -> Project | None:
    """The default one of projects that were read already."""
    return mine.get(user.default_project_id or 0) or next(iter(mine.values()), None)


def choose_default(user: User, project: Project, actor: Actor) -> None:
    """Make the project the user's default: where what they publish lands unless they say otherwise."""
    if not project.memberships.filter(user=user).exists():
        raise Forbidden("You are not a member of that project.", code="not_a_member")
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(default_project=project)
        _note("project.chosen_as_default", project, actor, {})


def may_publish(user: User, project: Project) -> bool:
    """Whether the user may put packages into the project: owners and members, not readers; admins always."""
    writers = (Membership.Role.OWNER, Membership.Role.MEMBER)
    return user.is_admin or project.memberships.filter(user=user, role__in=writers).exists()


def _note(action: str, project: Project, actor: Actor, details: dict[str, str]) -> None:
    """The audit event of something done to a project."""
    auditing.record(action, f"project:{project.slug}", actor, details=details, project=project.slug)


def _first_owner(project: Project, owner: User) -> None:
    """The owner's membership, and the default project where there was none."""
    Membership.objects.create(project=project, user=owner, role=Membership.Role.OWNER)
    if owner.default_project_id is None:
        owner.default_project = project
        owner.save(update_fields=["default_project"])


def _refuse_if_last_owner(project: Project, user: User) -> None:
    """Hold the owners' rows, and refuse to take the only one away."""
    owners = project.memberships.select_for_update().filter(role=Membership.Role.OWNER)
    if [owner.user_id for owner in owners] == [user.pk]:
        raise Conflict("A project needs an owner. Make someone else its owner first.", code="last_owner")


def _may_manage(project: Project, actor: Actor) -> None:
    """Owners of the project, admins and the system; a token needs scope admin, since it may be stolen."""
    if actor.is_system or actor.is_admin:
        return
    owners = project.memberships.filter(role=Membership.Role.OWNER)
    if actor.kind == "session" and actor.user is not None and owners.filter(user=actor.user).exists():
        return
    raise Forbidden("Only an owner of the project, signed in, may change who belongs to it.", code="not_an_owner")


def _may_configure(project: Project, actor: Actor, changed: list[str]) -> None:
    """The system, admins at the portal, and its owners at the portal for what they choose themselves."""
    if actor.is_system or (actor.kind == "session" and actor.is_admin):
        return
    owners = project.memberships.filter(role=Membership.Role.OWNER)
    if actor.kind != "session" or actor.user is None or not owners.filter(user=actor.user).exists():
        raise Forbidden("Only an owner of the project, signed in, may change its settings.", code="not_an_owner")
    if beyond := set(changed) - OWNERS_CHOOSE:
        raise Forbidden(f"Only an admin may change this: {', '.join(sorted(beyond))}.", code="role_missing")


def _check_slug(slug: str) -> None:
    """Refuse what is no slug."""
    try:
        SLUG(slug)
    except ValidationError as error:
        raise InvalidInput(
            f"{slug[:80]!r} is no slug: {error.messages[0]}", details={"slug": error.messages}
        ) from error


def _check(wanted: dict[str, str]) -> None:
    """Refuse settings that do not exist, and values that they cannot have, by field."""
    for field, value in wanted.items():
        allowed = SETTINGS.get(field, [])
        if value not in allowed:
            name = field.replace("_", " ")
            raise InvalidInput(f"The {name} is one of {', '.join(allowed)}.", details={field: ["unknown"]})
