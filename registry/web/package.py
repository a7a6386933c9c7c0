"""The page of a package: may I use it, how do I install it, what is in it, who decided what about it."""

from django.http import HttpRequest, HttpResponse

from registry import ecosystems, resolving, searching
from registry.web.package_view import PackageView
from registry.web.pages import Page, plain_name
from registry.web.tabs import SECTIONS, tabs_of


class PackagePage(Page):
    """A package, with the tab that the address names."""

    template = "catalogue/package.html"

    def get(self, request: HttpRequest, ecosystem: str, name: str) -> HttpResponse:
        """Show the package; what is private to others does not exist."""
        package = resolving.find_package(plain_name(name), self.actor, known_ecosystem(ecosystem))
        view = PackageView(package, self.actor)
        asked = request.GET.get("tab", "readme")
        tab = asked if asked in SECTIONS else "readme"
        return self.show(
            query=searching.Query(),
            view=view,
            package=package,
            installing=view.installing(request),
            tab=tab,
            tabs=tabs_of(view, tab),
            section=SECTIONS[tab](view, request),
        )


def known_ecosystem(slug: str) -> str:
    """The slug, if it is one; raises InvalidInput naming the known ones."""
    return ecosystems.get(slug).slug
