"""The pages of sold keys, for the owners of a project: all of them, new ones, one with what it was used for."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Max, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import asking, auditing
from accounts.actors import Actor
from accounts.models import Membership, Project
from accounts.web.doors import attempt, carry_out, person
from licensing import issuing, keys, minting
from licensing.models import LicenseKey
from licensing.web.key_forms import ListForm, NewKeyForm, SureForm
from registry.errors import Forbidden
from registry.models import DownloadRecord
from registry.web.paging import Pager

PER_PAGE, USES_SHOWN = 25, 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def keys_page(request: HttpRequest, slug: str) -> HttpResponse:
    """A project's keys, and the forms for a new one and for many."""
    project, actor = _own_project(request, slug)
    form = NewKeyForm(project, request.POST or None)
    if form.is_valid():
        made = attempt(request, form, lambda: keys.create(form.cleaned_data["wanted"], actor))
        if made is not None:
            messages.success(request, _("The key is made. Copy it for your customer."))
            return redirect("license-key", made.pk)
    return _show(request, project, form, ListForm())


@sensitive_variables()
@never_cache
@require_POST
def issue_many(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a key for every row of a CSV, or say what is wrong with which lines."""
    project, actor = _own_project(request, slug)
    form = ListForm(request.POST, request.FILES)
    problems: list[issuing.Problem] = []

    def make() -> list[LicenseKey]:
        try:
            return issuing.issue(form.cleaned_data["raw"], actor)
        except issuing.BadRows as refusal:
            problems.extend(refusal.problems)
            raise

    made = attempt(request, form, make) if form.is_valid() else None
    if made is None:
        return _show(request, project, NewKeyForm(project), form, problems)
    said = ngettext("%d key is made. Download it below.", "%d keys are made. Download them below.", len(made))
    messages.success(request, said % len(made))
    since, until = keys.to_ms(made[0].created_at), keys.to_ms(made[-1].created_at) + 1
    return redirect(f"{reverse('license-keys', args=[slug])}?since={since}&until={until}")


@sensitive_variables()
@never_cache
@require_safe
def download(request: HttpRequest, slug: str) -> HttpResponse:
    """The keys made between two moments, 1,000 at most, as CSV with their values."""
    project, _actor = _own_project(request, slug)
    span = _span(request)
    if span is None:
        raise Http404("Say of which keys: since and until, in milliseconds.")
    since, until = (keys.from_ms(at) for at in span)
    body = issuing.write(keys.page(project, since, until, issuing.MOST_ROWS).keys)
    name = f'attachment; filename="license-keys-{project.slug}.csv"'
    return HttpResponse(body, "text/csv; charset=utf-8; header=present", headers={"Content-Disposition": name})


@sensitive_variables()
@never_cache
@require_safe
def key_page(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """A key in full, and what it was used for."""
    key, _actor = _own(request, id)
    sold = [line.package_id for line in key.covered.all()]  # by which releases, and so records, are indexed
    records = DownloadRecord.objects.filter(release__package__in=sold, credential=f"license:{key.pk}")
    taken = records.order_by().values("release__package__name", "release__version")
    context = {
        "tab": "projects",
        "project": key.project,
        "key": _with_state(key),
        "value": minting.unseal(key.sealed),
        "meta": [(name, issuing.cell(value)) for name, value in key.meta.items()],
        "uses": taken.annotate(times=Sum("count"), last=Max("day")).order_by("-last", "-times")[:USES_SHOWN],
        "sure_form": SureForm(),
    }
    return render(request, "licensing/key.html", context)


@require_POST
def suspend(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Let it open nothing, at once."""
    return _turn(request, id, _("The key opens nothing now."), suspended=True)


@require_POST
def resume(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Let it open again what it was sold for."""
    return _turn(request, id, _("The key works again."), suspended=False)


@require_POST
def remove(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Delete it with what is kept with it, once the box is ticked."""
    key, actor = _own(request, id)
    if not SureForm(request.POST).is_valid():
        messages.error(request, _("Tick the box if the key is to be deleted."))
        return redirect("license-key", id)
    done = _("The key %(key)s is deleted.") % {"key": key}
    carry_out(request, lambda: keys.remove(id, actor), done)
    return redirect("license-keys", key.project.slug)


def _turn(request: HttpRequest, id: uuid.UUID, done: str, *, suspended: bool) -> HttpResponse:
    key, actor = _own(request, id)
    carry_out(request, lambda: keys.suspend(key, actor, suspended=suspended), done)
    return redirect("license-key", id)


# --- who may -------------------------------------------------------------------------------------------------------
def _own_project(request: HttpRequest, slug: str) -> tuple[Project, Actor]:
    """A project that the person owns, or any one for an admin; those of others look as if there were none."""
    return _let_in(request, lambda theirs: get_object_or_404(theirs, slug=slug))


def _own(request: HttpRequest, id: uuid.UUID) -> tuple[LicenseKey, Actor]:
    found: list[LicenseKey] = []

    def project_of(theirs: QuerySet[Project]) -> Project:
        found.append(get_object_or_404(LicenseKey.objects.with_packages(), pk=id, project__in=theirs))
        return found[0].project

    _project, actor = _let_in(request, project_of)
    return found[0], actor


def _let_in(request: HttpRequest, find: Callable[[QuerySet[Project]], Project]) -> tuple[Project, Actor]:
    """The project, and the actor at work for it; a refusal is noted where they came to write."""
    user, actor = person(request)
    every = Project.objects.all()
    project = find(every if actor.is_admin else every.filter(memberships__user=user))
    actor = asking.session_actor(user, actor.address, project.slug)
    try:
        owners = Membership.objects.filter(project=project, role=Membership.Role.OWNER, user=user)
        if not (actor.is_admin or owners.exists()):
            raise Forbidden("Only an owner of the project may manage its licence keys here.", code="not_an_owner")
        keys.manages(actor)
    except Forbidden as refusal:
        if request.method == "POST":
            auditing.refused("web.post", request.path, actor, refusal)
        raise
    return project, actor


# --- showing -------------------------------------------------------------------------------------------------------
def _show(
    request: HttpRequest,
    project: Project,
    form: NewKeyForm,
    list_form: ListForm,
    problems: list[issuing.Problem] | None = None,
) -> HttpResponse:
    asked, span = request.GET.get("q", "").strip()[:200], _span(request)
    found = _search(project, asked)
    if span is not None:
        since, until = (keys.from_ms(at) for at in span)
        found = found.filter(created_at__gte=since, created_at__lt=until)
    pager = Pager.of(request.GET, found.count(), PER_PAGE)
    context: dict[str, Any] = {
        "tab": "projects",
        "project": project,
        "keys": [_with_state(key) for key in found[pager.offset : pager.offset + PER_PAGE]],
        "pager": pager,
        "asked": asked,
        "span": span,
        "form": form,
        "list_form": list_form,
        "problems": problems or [],
        "most_rows": issuing.MOST_ROWS,
    }
    return render(request, "licensing/keys.html", context, status=400 if form.is_bound or list_form.is_bound else 200)


def _search(project: Project, asked: str) -> QuerySet[LicenseKey]:
    """The newest first; by all of a key, else by its end or its name."""
    every = LicenseKey.objects.with_packages().filter(project=project).order_by("-created_at", "-pk")
    if minting.looks_like_key(asked):
        whole = every.filter(digest__in=minting.digests(asked))
        if whole.exists():
            return whole
    return every.filter(Q(ending__icontains=asked) | Q(name__icontains=asked)) if asked else every


def _span(request: HttpRequest) -> tuple[int, int] | None:
    """From which moment on and before which, in milliseconds, if the address says both."""
    texts = [request.GET.get(name, "") for name in ("since", "until")]
    if not all(text.isascii() and text.isdigit() and len(text) <= 13 for text in texts):
        return None
    since, until = (int(text) for text in texts)
    return (since, until) if since < until <= keys.LATEST_MS else None


def _with_state(key: LicenseKey) -> dict[str, Any]:
    """The key with what a template cannot ask."""
    is_over = key.valid_until is not None and key.valid_until <= timezone.now()
    return {"row": key, "is_over": is_over, "last_day": issuing.spelled(key.valid_until) if key.valid_until else ""}
