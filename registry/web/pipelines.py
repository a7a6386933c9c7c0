"""The page of the pipelines that may publish the packages of a project, whatever house they run at."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import auditing
from accounts.actors import Actor
from accounts.models import Project
from accounts.web.doors import attempt, carry_out, person
from registry.errors import Forbidden
from registry.models import Package, TrustedPublisher
from registry.trusting import managing
from registry.trusting.providers import CIRCLE, PROVIDERS
from registry.web.pipeline_forms import ECOSYSTEMS, PipelineForm

SUGGESTED = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A trusted pipeline as people read it."""

    trust: TrustedPublisher
    house: str
    file: str
    asked: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, trust: TrustedPublisher) -> "Row":
        """The claims, those that name the pipeline apart from those that narrow it."""
        house = PROVIDERS[trust.provider]
        claims = {name: value for name, value in {**trust.claims, **trust.pinned}.items() if name != house.subject}
        file = claims.pop(house.file, {}).get("file", "") if house.file else ""
        told = ((name.removeprefix(CIRCLE), value) for name, value in sorted(claims.items()))
        asked = tuple((name, ", ".join(value) if isinstance(value, list) else str(value)) for name, value in told)
        return cls(trust, house.label, file, asked)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def pipelines_page(request: HttpRequest, slug: str) -> HttpResponse:
    """A project's trusted pipelines, and the form for another one."""
    project, actor = _own(request, slug)
    begun = {"package": request.GET.get("package", "")[:300]} if request.method != "POST" else {}
    form = PipelineForm(project, request.POST or None, initial=begun)
    if form.is_valid():
        package = form.cleaned_data["package"]
        if attempt(request, form, lambda: managing.trust(package, form.wanted(), actor)):
            done = _("%(package)s trusts the pipeline. Its runs publish as you.") % {"package": package.name}
            messages.success(request, done)
            return redirect("pipelines", slug)
    known = Package.objects.filter(project=project, ecosystem__in=ECOSYSTEMS).order_by("ecosystem", "normalized")
    context = {
        "tab": "projects",
        "project": project,
        "rows": [Row.of(one) for one in managing.of_project(project, actor)],
        "form": form,
        "packages": list(known.values_list("ecosystem", "name")[:SUGGESTED]),
    }
    return render(request, "catalogue/pipelines.html", context, status=400 if form.is_bound else 200)


@require_POST
def trust_no_more(request: HttpRequest, slug: str, trust_id: UUID) -> HttpResponse:
    """Take a trust back; tokens that its runs hold end within 15 minutes."""
    project, actor = _own(request, slug)
    found = TrustedPublisher.objects.filter(package__project=project, pk=trust_id).select_related("package").first()
    if found is not None:
        done = _("%(package)s trusts %(pipeline)s no more.") % {
            "package": found.package.name,
            "pipeline": found.subject,
        }
        carry_out(request, lambda: managing.take_back(found.package, trust_id, actor), done)
    return redirect("pipelines", slug)


def _own(request: HttpRequest, slug: str) -> tuple[Project, Actor]:
    """A project that the person owns; those of others look as if there were none. A refused write is noted."""
    user, actor = person(request)
    project = get_object_or_404(Project, slug=slug, memberships__user=user)
    try:
        managing.owner(project.pk, actor)
    except Forbidden as refusal:
        if request.method == "POST":
            auditing.refused("web.post", request.path, actor, refusal)
        raise
    return project, actor
