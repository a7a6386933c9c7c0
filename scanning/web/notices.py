"""`/profile/notices`: what a person took and should not use as it is, and what they were told."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.web.doors import person
from registry.web.paging import Pager
from scanning import concerning
from scanning.models import Notice

PER_PAGE = 25
TOLD = 20


@never_cache
@require_safe
def notices_page(request: HttpRequest) -> HttpResponse:
    """Versions to replace, the gravest first; then the last letters."""
    user, actor = person(request)
    concerns = concerning.concerns(user, actor)
    pager = Pager.of(request.GET, len(concerns), PER_PAGE)
    context = {
        "concerns": concerns[pager.offset : pager.offset + PER_PAGE],
        "pager": pager,
        "notices": Notice.objects.filter(user=user).order_by("-pk")[:TOLD],
    }
    return render(request, "scanning/notices.html", context)
