"""The review page: the question, the evidence and the decision on one screen, the differences below."""

from django.contrib import admin, messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.admin.tables import actor_of
from accounts.errors import RegistryError
from registry import downloading, ecosystems
from registry.admin import evidence, queue, texts
from registry.admin.filtering import Filters
from registry.models import Release

STATUS_OF = {"InvalidInput": 400, "Forbidden": 403, "Conflict": 409}


def review(request: HttpRequest, release_id: int, refusal: RegistryError | None = None) -> HttpResponse:
    """The page, with what was typed and why it was refused where a decision did not go through.

    `?part=progress` answers only what changes while checks run.
    """
    releases = Release.objects.select_related("package__project", "project", "submitted_by")
    release = get_object_or_404(releases.prefetch_related("checks"), pk=release_id)
    if request.GET.get("part") == "progress":
        context = {"release": release, "standing": evidence.standing(release, actor_of(request))}
        context |= {"progress": queue.Progress(list(release.checks.all()))}
        return TemplateResponse(request, "admin/parts/review_progress.html", context)
    form = request.POST if refusal else QueryDict()
    filters = Filters.read(QueryDict(form.get("queue", "")) if refusal else request.GET)
    found = evidence.gather(release)
    context = {
        **admin.site.each_context(request),
        "title": f"{release.package.name} {release.version}",
        "release": release,
        "package": release.package,
        "is_review": True,
        "age": queue.ago(release.submitted_at),
        "purl": ecosystems.get(release.package.ecosystem).purl(release.package.name, release.version),
        "evidence": found,
        "progress": found.progress,
        "diff": found.diff,
        "standing": evidence.standing(release, actor_of(request)),
        "refusal": refusal,
        "reason": form.get("reason", ""),
        "override": "override" in form,
        "query": filters.as_query(),
        "following": queue.next_after(release, filters),
        "waiting": filters.apply().count(),
    }
    status = STATUS_OF.get(type(refusal).__name__, 400) if refusal else 200
    return TemplateResponse(request, "admin/review.html", context, status=status)


def file_difference(request: HttpRequest, release_id: int) -> HttpResponse:
    """The difference of one file (`?path=`); with `?part=1` without the page around it."""
    release = get_object_or_404(Release.objects.select_related("package"), pk=release_id)
    path = request.GET.get("path", "").replace("\x00", "")
    try:
        found = texts.compare(release, path, actor_of(request))
        status = 200
    except RegistryError as refusal:
        found, status = texts.TextDiff(path, note=refusal.message), 404
    context = {"release": release, "found": found}
    if request.GET.get("part"):
        return TemplateResponse(request, "admin/parts/text_diff.html", context, status=status)
    context |= {**admin.site.each_context(request), "title": path, "is_review": True}
    return TemplateResponse(request, "admin/file_difference.html", context, status=status)


def archive(request: HttpRequest, release_id: int) -> HttpResponseBase:
    """The file itself, for a reviewer's own tools: always as an attachment, never as what it claims to be."""
    release = get_object_or_404(Release.objects.select_related("package"), pk=release_id)
    try:
        wanted = request.GET.get("file", "").replace("\x00", "")  # which PostgreSQL would not even look for
        download = downloading.reviewable(release, actor_of(request), wanted)
    except RegistryError as refusal:
        messages.error(request, refusal.message)
        return HttpResponseRedirect(url_of(release))
    response = FileResponse(
        download.open(),
        as_attachment=True,
        filename=download.artifact.filename,
        content_type="application/octet-stream",
    )
    response["Content-Length"] = str(download.artifact.size)
    return response


def url_of(release: Release, query: str = "") -> str:
    """Where the release is reviewed, keeping the queue's filters for what comes after."""
    return reverse("admin:review", args=[release.pk]) + (f"?{query}" if query else "")
