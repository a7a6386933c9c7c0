"""The page of a recall: which versions an advisory touches, who took them, and the button that tells these people."""

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.admin.tables import actor_of
from accounts.errors import RegistryError
from registry.web.paging import Pager
from scanning import recalling, telling
from scanning.models import Advisory

PER_PAGE = 100


def recall(request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the recall; a POST tells whoever was not told yet."""
    if not (object_id.isascii() and object_id.isdigit() and len(object_id) < 19):
        raise Http404
    advisory = get_object_or_404(Advisory.objects.defer("raw"), pk=int(object_id))
    if request.method == "POST":
        _notify(request, advisory)
        return HttpResponseRedirect(url_of(advisory))
    found = recalling.recall(advisory, actor_of(request))
    pager = Pager.of(request.GET, found.rows.count(), PER_PAGE)
    downloads, takers = found.downloads(), found.takers()
    context = {
        **admin.site.each_context(request),
        "title": _("Recall of %s") % advisory.osv_id,
        "advisory": advisory,
        "found": found,
        "versions": [(one, downloads.get(one.release.pk, 0), takers.get(one.release.pk, 0)) for one in found.versions],
        "takings": found.takings(slice(pager.offset, pager.offset + PER_PAGE)),
        "pager": pager,
    }
    return TemplateResponse(request, "admin/recall.html", context)


def _notify(request: HttpRequest, advisory: Advisory) -> None:
    """Tell people, and say how many there were."""
    try:
        told = telling.notify(advisory, actor_of(request))
    except RegistryError as refusal:
        messages.error(request, refusal.message)
        return
    if not told.people:
        messages.info(request, _("Nobody was told: everyone who took it knows already, or nobody did."))
        return
    text = ngettext("%d person is being told.", "%d people are being told.", told.people)
    messages.success(request, text % told.people)


def url_of(advisory: Advisory) -> str:
    """Where the recall of an advisory stands."""
    return reverse("admin:scanning_advisory_recall", args=[advisory.pk])
