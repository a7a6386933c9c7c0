"""`/profile/projects`: the projects one belongs to, and who else does."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import projects
from accounts.actors import Actor
from accounts.errors import NotFound
from accounts.models import Membership, Project, User
from accounts.web.doors import attempt, carry_out, person
from accounts.web.forms import NewMemberForm, NewProjectForm, ProjectSettingsForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def projects_page(request: HttpRequest) -> HttpResponse:
    """The person's projects with their members, and the form for a new one."""
    user, actor = person(request)
    form = NewProjectForm(request.POST or None, label_suffix="")
    if request.method == "POST" and form.is_valid() and _create(request, form, user, actor):
        return redirect("projects")
    mine = user.memberships.select_related("project").order_by("project__slug")
    members = Membership.objects.filter(project__memberships__user=user).select_related("user")
    by_project: dict[int, list[Membership]] = {}
    for member in members.order_by("role", "user__username").distinct():
        by_project.setdefault(member.project_id, []).append(member)
    rows = [
        {
            "project": own.project,
            "members": by_project[own.project_id],
            "owned": own.role == "owner",
            "settings": _settings_form(own.project) if own.role == "owner" else None,
        }
        for own in mine
    ]
    context = {"tab": "projects", "form": form, "rows": rows, "default": user.default_project_id}
    return render(
        request,
        "accounts/projects.html",
        {**context, "member_form": NewMemberForm(auto_id=False, label_suffix="")},
        status=400 if form.is_bound else 200,
    )


@require_POST
def choose_default(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a project the one that counts when a request names none."""
    user, actor = person(request)
    project = _project_of(user, slug)
    done = _("%(slug)s is your default project now.") % {"slug": slug}
    carry_out(request, lambda: projects.choose_default(user, project, actor), done)
    return redirect("projects")


@require_POST
def configure(request: HttpRequest, slug: str) -> HttpResponse:
    """Set the policies of a project that one owns."""
    user, actor = person(request)
    project, form = _project_of(user, slug), ProjectSettingsForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose among what the form offers."))
        return redirect("projects")
    wanted = form.cleaned_data
    done = _("The settings of %(slug)s are saved.") % {"slug": slug}
    carry_out(request, lambda: projects.configure(project, actor, **wanted), done)
    return redirect("projects")


@require_POST
def add_member(request: HttpRequest, slug: str) -> HttpResponse:
    """Let someone into a project that one owns."""
    user, actor = person(request)
    project, form = _project_of(user, slug), NewMemberForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give a user name and a role."))
        return redirect("projects")
    name, role = form.cleaned_data["username"], form.cleaned_data["role"]
    done = _("%(name)s belongs to %(slug)s now.") % {"name": name, "slug": slug}
    carry_out(request, lambda: projects.add_member(project, _named(name), actor, role=role), done)
    return redirect("projects")


@require_POST
def remove_member(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    """Take someone out of a project that one owns."""
    user, actor = person(request)
    project = _project_of(user, slug)
    member = get_object_or_404(User, pk=user_id, memberships__project=project)
    done = _("%(name)s no longer belongs to %(slug)s.") % {"name": member.username, "slug": slug}
    carry_out(request, lambda: projects.remove_member(project, member, actor), done)
    return redirect("projects")


def _settings_form(project: Project) -> ProjectSettingsForm:
    """The form with what holds now; its fields have names of their own, since a page shows many of it."""
    now = {field: getattr(project, field) for field in ProjectSettingsForm.base_fields}
    return ProjectSettingsForm(initial=now, auto_id=f"project-{project.pk}-%s", label_suffix="")


def _create(request: HttpRequest, form: NewProjectForm, user: User, actor: Actor) -> Project | None:
    wanted = form.cleaned_data
    return attempt(request, form, lambda: projects.create(wanted["slug"], user, actor, name=wanted["name"]))


def _project_of(user: User, slug: str) -> Project:
    """A project the person belongs to; others look as if they did not exist."""
    return get_object_or_404(Project, slug=slug, memberships__user=user)


def _named(username: str) -> User:
    found = User.objects.filter(username=username, is_active=True).first()
    if found is None:
        raise NotFound(f"There is no user {username}. Ask them how they sign in.")
    return found
