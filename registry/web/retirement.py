"""What admins do from the page of a version: take it out of the lists, and bring it back while its grace lasts."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts import auditing
from accounts.web.doors import carry_out
from registry import resolving, retiring
from registry.errors import Forbidden
from registry.models import Release
from registry.web.package import known_ecosystem
from registry.web.pages import Page, plain_name


class _Retirement(Page):
    """One button about one version, for admins."""

    def release(self, ecosystem: str, name: str, version: str) -> Release:
        """The version that the address names; a write that is refused leaves a trace."""
        try:
            self.actor.need("admin")
            package = resolving.find_package(plain_name(name), self.actor, known_ecosystem(ecosystem))
            self.actor.need("admin", package.project_id)
        except Forbidden as refusal:
            auditing.refused("web.post", self.request.path, self.actor, refusal)
            raise
        return resolving.find_release(package, plain_name(version), self.actor)

    def back_to(self, release: Release) -> HttpResponseBase:
        """The page of the version."""
        package = release.package
        return redirect("version", ecosystem=package.ecosystem, name=package.name, version=release.version)


class Unlist(_Retirement):
    """Take it out of the lists."""

    def post(self, request: HttpRequest, ecosystem: str, name: str, version: str) -> HttpResponseBase:
        """At once; its file goes when the grace is over."""
        release = self.release(ecosystem, name, version)
        carry_out(request, lambda: retiring.unlist(release, self.actor), _("The version is unlisted."))
        return self.back_to(release)


class Restore(_Retirement):
    """Bring it back."""

    def post(self, request: HttpRequest, ecosystem: str, name: str, version: str) -> HttpResponseBase:
        """As if nothing had been, while the grace lasts."""
        release = self.release(ecosystem, name, version)
        carry_out(request, lambda: retiring.restore(release, self.actor), _("The version is listed again."))
        return self.back_to(release)
