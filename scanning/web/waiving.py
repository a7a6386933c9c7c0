"""What maintainers do from the scan panel: waive a finding, end a waiver, ask for another scan."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts import auditing
from accounts.web.doors import attempt, carry_out, own_page
from registry import resolving, searching
from registry.errors import Conflict, Forbidden, NotFound
from registry.models import Release
from registry.web.package import known_ecosystem
from registry.web.pages import Page, plain_name
from scanning import rescanning, waiving
from scanning.models import Finding, Waiver
from scanning.web import panel
from scanning.web.forms import WaiverForm

LONGEST = {"finding": 128, "package": 255, "version": 128}


class Maintaining(Page):
    """A page for those who review."""

    def permit(self, project_id: int | None = None) -> None:
        """Let those pass who may; whoever tries to write and may not leaves a trace."""
        try:
            self.actor.need("review", project_id)
        except Forbidden as refusal:
            if self.request.method == "POST":
                auditing.refused("web.post", self.request.path, self.actor, refusal)
            raise

    def release(self, ecosystem: str, name: str, version: str) -> Release:
        """The release that the address names, for those who may review it."""
        self.permit()
        package = resolving.find_package(plain_name(name), self.actor, known_ecosystem(ecosystem))
        found = resolving.find_release(package, plain_name(version), self.actor)
        self.permit(found.project_id)
        return found

    def back_to(self, release: Release) -> str:
        """Where the person came from, or the page of the version."""
        return own_page(self.request) or panel.address(release, "version")


class WaivePage(Maintaining):
    """Answer for one finding of one release."""

    template = "scanning/waive.html"

    def get(self, request: HttpRequest, ecosystem: str, name: str, version: str) -> HttpResponse:
        """The form beside what it is about."""
        release = self.release(ecosystem, name, version)
        return self._form(release, WaiverForm(self._finding(release)))

    def post(self, request: HttpRequest, ecosystem: str, name: str, version: str) -> HttpResponseBase:
        """Give the waiver; what cannot be so is said beside the field."""
        release = self.release(ecosystem, name, version)
        form = WaiverForm(self._finding(release), request.POST)
        if not form.is_valid():
            return self._form(release, form, 400)
        given = attempt(request, form, lambda: waiving.give(form.waiver(release), self.actor))
        if given is None:
            return self._form(release, form, 400)
        self._tell(given)
        return redirect(self.back_to(release))

    @cached_property
    def _asked(self) -> dict[str, str]:
        """Which finding is meant."""
        given = self.request.POST if self.request.method == "POST" else self.request.GET
        return {key: given.get(key, "").replace("\x00", "")[:longest] for key, longest in LONGEST.items()}

    def _finding(self, release: Release) -> Finding:
        """The finding as the newest scans have it."""
        asked = self._asked
        found = Finding.objects.filter(scan__release=release, scan__is_current=True, identifier=asked["finding"])
        finding = found.filter(package=asked["package"], version=asked["version"]).select_related("scan").first()
        if finding is None:
            raise NotFound(_("This is not among the findings of this version any more. See what its scans say now."))
        return finding

    def _form(self, release: Release, form: WaiverForm, status: int = 200) -> HttpResponse:
        before = Waiver.objects.filter(identifier=form.finding.identifier, project=release.project)
        return self.show(
            status,
            query=searching.Query(),
            form=form,
            finding=form.finding,
            release=release,
            package=release.package,
            before=before.select_related("owner").order_by("-pk")[:5],
            back=self.back_to(release),
        )

    def _tell(self, waiver: Waiver) -> None:
        said = _("%(finding)s is waived until %(end)s. What it held back is judged again.")
        given = {"finding": waiver.identifier, "end": f"{waiver.expires_at:%Y-%m-%d %H:%M} UTC"}
        messages.success(self.request, said % given)


class EndWaiver(Maintaining):
    """End a waiver before its time."""

    def post(self, request: HttpRequest, waiver_id: int) -> HttpResponseBase:
        """At once; what it let through is judged again."""
        self.permit()
        found = waiving.visible_to(self.actor).select_related("project").filter(pk=min(waiver_id, 2**63 - 1)).first()
        if found is None:
            raise NotFound(_("There is no such waiver here."))
        self.permit(found.project_id)
        done = _("The waiver of %s has ended. What it let through is judged again.") % found.identifier
        carry_out(request, lambda: waiving.end(found, self.actor), done)
        return redirect(own_page(request) or "package-list")


class ScanAgain(Maintaining):
    """Ask every scanner once more."""

    def post(self, request: HttpRequest, ecosystem: str, name: str, version: str) -> HttpResponseBase:
        """Queued for the worker."""
        release = self.release(ecosystem, name, version)
        if release.is_purged:
            raise Conflict(_("This version was removed; there is nothing left to scan."))
        carry_out(request, lambda: rescanning.ask(release, self.actor), _("A scan by every scanner is queued."))
        return redirect(self.back_to(release))
