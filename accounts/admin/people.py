"""People, their roles as permission groups, and the projects they belong to."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts import projects, second_factor, users
from accounts.admin.tables import Lines, Table, actor_of, chip, code, moment
from accounts.models import Membership, Project, User


class MembershipInline(Lines):
    """Who belongs to the project, on its page."""

    model = Membership
    autocomplete_fields = ("user",)
    readonly_fields = ("created_at",)


class ProjectsInline(Lines):
    """Where a person belongs, on their page."""

    model = Membership
    autocomplete_fields = ("project",)
    readonly_fields = ("created_at",)


@admin.register(User)
class UserTable(Table, UserAdmin):
    """People. The role is what counts; the permission group and the admin flags follow from it."""

    verbs_of_activities = frozenset({"added"})
    list_display = (
        "username",
        "email",
        "role_chip",
        "is_active",
        "default_project",
        moment("last_login", _("last sign-in")),
        moment("date_joined", _("joined")),
    )
    list_filter = ("role", "is_active", ("date_joined", admin.DateFieldListFilter))
    search_fields = ("username", "email", "first_name", "last_name")
    search_help_text = _("A user name, a name or an e-mail address.")
    date_hierarchy = "date_joined"
    list_select_related = ("default_project",)
    filter_horizontal = ()
    autocomplete_fields = ("default_project",)
    readonly_fields = ("pseudonym", "last_login", "date_joined", "second_factor_since", "groups_list")
    actions = ("reset_second_factor",)
    inlines = (ProjectsInline,)
    noted_by_activities = ("Role",)
    fieldsets = (
        (None, {"fields": ("username", "email", "password")}),
        (_("Role"), {"fields": ("role", "groups_list", "is_active", "default_project")}),
        (_("Name"), {"fields": (("first_name", "last_name"),)}),
        (_("History"), {"fields": (("last_login", "date_joined"), "second_factor_since", "pseudonym")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "email", "role", "usable_password", "password1", "password2"),
            },
        ),
    )

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        """Save the fields; roles and first projects go through their activities, so that groups and tokens follow."""
        role = obj.role
        if change:
            obj.role = form.initial.get("role", role)
        super().save_model(request, obj, form, change)
        if not change:
            users.admit(obj, actor_of(request))
        elif role != obj.role:
            users.change_role(obj, role, actor_of(request))

    @admin.action(description=_("Reset the second factor"), permissions=["change"])
    def reset_second_factor(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """For those who lost phone and recovery codes; who does it should know whom they talk to."""
        for user in people.exclude(second_factor_since=None):
            second_factor.reset(user, actor_of(request))

    @admin.display(description=_("role"), ordering="role")
    def role_chip(self, user: User) -> SafeString:
        """The role as a chip, so that those who decide stand out."""
        return chip("plain" if user.role == "developer" else "running", user.get_role_display())

    @admin.display(description=_("permission group"))
    def groups_list(self, user: User) -> str:
        """The groups that came with the role."""
        return ", ".join(user.groups.values_list("name", flat=True)) if user.pk else ""


admin.site.unregister(Group)


@admin.register(Group)
class GroupTable(Table, GroupAdmin):
    """The permission groups behind the roles: made by the portal, so read-only here."""

    list_display = ("name", "people")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Roles are fixed."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Roles are fixed."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """Groups with how many people they hold."""
        return super().get_queryset(request).annotate(people_count=Count("user"))

    @admin.display(description=_("people"), ordering="people_count")
    def people(self, group: Any) -> int:
        """How many have this role."""
        return int(group.people_count)


@admin.register(Project)
class ProjectTable(Table):
    """Tenants, with their tier and review policy."""

    list_display = (
        "slug",
        "name",
        "tier",
        "review_policy",
        "signature_policy",
        "visibility",
        "members_count",
        moment("created_at", _("created")),
    )
    ordering = ("slug",)  # counting members drops the model's own order, and the choice of a project is paged
    list_filter = ("tier", "review_policy", "signature_policy", "visibility")
    search_fields = ("slug", "name", "memberships__user__username")
    search_help_text = _("A slug, a name or a member’s user name.")
    date_hierarchy = "created_at"
    readonly_fields = ("created_at",)
    inlines = (MembershipInline,)
    fieldsets = (
        (None, {"fields": (("slug", "name"), ("visibility", "tier"), "rate_limit")}),
        (_("Policies"), {"fields": (("review_policy", "signature_policy"),)}),
        (_("History"), {"fields": ("created_at",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        """Projects with how many people belong to them."""
        return super().get_queryset(request).annotate(people_count=Count("memberships"))

    def _note(self, verb: str, request: HttpRequest, obj: Any, details: dict[str, Any] | None = None) -> None:
        """Says what policies hold from now on, too."""
        policies = {name: getattr(obj, name) for name in projects.SETTINGS}
        super()._note(verb, request, obj, {**policies, **(details or {})})

    @admin.display(description=_("members"), ordering="people_count")
    def members_count(self, project: Any) -> int:
        """How many people belong to it."""
        return int(project.people_count)


@admin.register(Membership)
class MembershipTable(Table):
    """Who belongs where, across all projects."""

    removable = True
    list_display = ("user", "project_slug", "role", moment("created_at", _("since")))
    list_filter = ("role",)
    search_fields = ("user__username", "project__slug")
    search_help_text = _("A user name or a project.")
    list_select_related = ("user", "project")
    autocomplete_fields = ("user", "project")
    readonly_fields = ("created_at",)

    @admin.display(description=_("project"), ordering="project__slug")
    def project_slug(self, membership: Membership) -> SafeString | str:
        """The slug in the code font."""
        return code(membership.project.slug)
