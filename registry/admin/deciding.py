"""The admin's door to decisions: reads the form, calls the activity, says how it went, opens what is next."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts import auditing
from accounts.admin.tables import actor_of
from accounts.errors import RegistryError
from registry import approving, checking
from registry.admin import queue, review
from registry.admin.filtering import PER_PAGE, Filters
from registry.errors import Conflict, Forbidden, InvalidInput
from registry.models import Release

DONE = {
    "approve": _("%s is approved and may be downloaded from now on."),
    "reject": _("%s is rejected. Its submitter can read why."),
    "quarantine": _("%s is quarantined: nobody can download it any more."),
    "recheck": _("The checks of %s run again."),
}


@require_POST
def decide_one(request: HttpRequest, release_id: int) -> HttpResponse:
    """Carry out what the review page asks; a refusal comes back in place, a decision opens the next in the queue."""
    release = get_object_or_404(Release.objects.select_related("package"), pk=release_id)
    verb = request.POST.get("decision", "")
    filters = Filters.read(QueryDict(request.POST.get("queue", "")))
    try:
        _carry_out(verb, release, request)
    except RegistryError as refusal:
        _note_refusal(verb, release, request, refusal)
        return review.review(request, release_id, refusal=refusal)
    messages.success(request, DONE[verb] % release_name(release))
    if verb == "recheck":
        return HttpResponseRedirect(review.url_of(release, filters.as_query()))
    following = queue.next_after(release, filters) if filters.state == Release.Status.PENDING else None
    if following is None:
        return queue.back_to_queue(filters.as_query())
    return HttpResponseRedirect(review.url_of(following, filters.as_query()))


@require_POST
def decide_many(request: HttpRequest) -> HttpResponse:
    """Approve or reject the ticked releases, each on the digest that its line showed; one refusal stops no other."""
    verb = request.POST.get("decision", "")
    query = request.POST.get("queue", "")
    chosen = _ticked(request.POST.getlist("release"))
    if verb not in ("approve", "reject") or not chosen:
        messages.warning(request, _("Nothing was decided: tick at least one version, then approve or reject."))
        return queue.back_to_queue(_safe_query(query))
    releases = Release.objects.select_related("package").in_bulk(list(chosen))
    done = [release for pk, release in releases.items() if _try(verb, release, request, chosen[pk])]
    if len(done) == 1:
        messages.success(request, DONE[verb] % release_name(done[0]))
    elif done:
        messages.success(request, _many(verb, len(done)))
    if missing := len(chosen) - len(releases):
        messages.warning(request, _("%d of the ticked versions no longer exist.") % missing)
    return queue.back_to_queue(_safe_query(query))


def release_name(release: Release) -> str:
    """How messages call a release."""
    return f"{release.package.name} {release.version}"


def _carry_out(verb: str, release: Release, request: HttpRequest, sha256: str | None = None) -> None:
    actor, form = actor_of(request), request.POST
    reason = form.get("reason", "").replace("\x00", "")
    shown = form.get("sha256") if sha256 is None else sha256
    match verb:
        case "approve":
            approving.approve(release, actor, reason=reason, override="override" in form, sha256=_shown(shown))
        case "reject":
            approving.reject(release, actor, reason=reason, sha256=_shown(shown))
        case "quarantine":
            _same_file(release, shown)
            approving.quarantine(release, actor, reason=reason)
        case "recheck":
            checking.rescan(release, actor)
        case _:
            raise InvalidInput(_("Choose what to do: approve, reject, quarantine or run the checks again."))


def _shown(sha256: str | None) -> str:
    """The digest that the form carries; a form without one was not ours."""
    if sha256 is None:
        raise InvalidInput(_("The form does not say which file was reviewed. Open the review again."))
    return sha256


def _same_file(release: Release, sha256: str | None) -> None:
    if _shown(sha256) != release.reviewed_sha256:
        raise Conflict(_("The file is not the one that was reviewed. Look at it again."), code="digest_changed")


def _try(verb: str, release: Release, request: HttpRequest, sha256: str) -> bool:
    """Decide over one of many, and put a refusal into words with a link to the review."""
    try:
        _carry_out(verb, release, request, sha256)
    except RegistryError as refusal:
        _note_refusal(verb, release, request, refusal)
        messages.error(request, f"{release_name(release)}: {refusal.message}", extra_tags=review.url_of(release))
        return False
    return True


def _note_refusal(verb: str, release: Release, request: HttpRequest, refusal: RegistryError) -> None:
    """Leave the trace that a refused write for lack of permission must leave."""
    if isinstance(refusal, Forbidden):
        name = f"{release.package.ecosystem}:{release.package.name}@{release.version}"
        auditing.refused(f"release.{verb}", name, actor_of(request), refusal)


def _ticked(values: Sequence[str]) -> dict[int, str]:
    """Release ids and the digests shown beside them, in the order of the page."""
    ticked: dict[int, str] = {}
    for value in values[:PER_PAGE]:
        pk, _colon, sha256 = value.partition(":")
        if pk.isascii() and pk.isdigit() and len(pk) < 19:
            ticked[int(pk)] = sha256
    return ticked


def _many(verb: str, number: int) -> str:
    if verb == "approve":
        return ngettext("%d version is approved.", "%d versions are approved.", number) % number
    return ngettext("%d version is rejected.", "%d versions are rejected.", number) % number


def _safe_query(query: str) -> str:
    """The filters alone, whatever else the field held."""
    filters = Filters.read(QueryDict(query))
    return filters.as_query(page=filters.page)
