"""The admin site: the review queue in front, the tables behind it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext_lazy as _


class Added(NamedTuple):
    """A page that an upper app adds to the admin; the bar at the top leads to it."""

    route: str
    name: str
    label: Any
    view: Callable[[HttpRequest], HttpResponse]


added_pages: list[Added] = []


class RegistryAdminSite(AdminSite):
    """Django's admin with our front page, our review page, and roles in place of single permissions."""

    site_title = _("CodeSync Registry")
    site_header = _("CodeSync Registry")
    index_title = _("Review queue")
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        """Maintainers and admins come in."""
        from accounts.admin.tables import may_look

        return may_look(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Django's, with an audit event for each write that it refuses to somebody who is signed in."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def noting(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            stranger = request.user.is_authenticated and not self.has_permission(request)
            if stranger and view != self.logout:
                _note_refusal(request)
            try:
                return guarded(request, *args, **kwargs)
            except PermissionDenied:
                _note_refusal(request)
                raise

        return noting

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """The queue's and the review's routes before those of the tables."""
        from registry.admin import deciding, review

        ours: list[URLPattern | URLResolver] = [
            path("tables/", self.admin_view(self.tables), name="tables"),
            path("queue/decide/", self.admin_view(deciding.decide_many), name="decide-many"),
            path("review/<int:release_id>/", self.admin_view(review.review), name="review"),
            path("review/<int:release_id>/file/", self.admin_view(review.file_difference), name="file-difference"),
            path("review/<int:release_id>/archive/", self.admin_view(review.archive), name="review-archive"),
            path("review/<int:release_id>/decide/", self.admin_view(deciding.decide_one), name="decide"),
        ]
        ours += [path(one.route, self.admin_view(one.view), name=one.name) for one in added_pages]
        return ours + super().get_urls()

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The review queue."""
        from registry.admin import queue

        return queue.queue(request, extra_context)

    def tables(self, request: HttpRequest) -> HttpResponse:
        """Every table, as Django's own index lists them."""
        context = {**self.each_context(request), "title": _("Tables"), "app_list": self.get_app_list(request)}
        return TemplateResponse(request, "admin/tables.html", context)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The portal's own sign-in in the admin's dress, second factor included; to others, what is missing."""
        from accounts.web.session import SignIn

        if request.user.is_authenticated and self.has_permission(request) and request.method == "GET":
            return HttpResponseRedirect(reverse("admin:index"))
        if getattr(request.user, "lacks_second_factor", False):
            messages.warning(request, _("Your role may do this only with a second factor. Set one up first."))
            return HttpResponseRedirect(f"{reverse('second-factor')}?{urlencode({'next': reverse('admin:index')})}")
        if request.user.is_authenticated and not self.has_permission(request):
            context = {**self.each_context(request), "title": _("The admin is for maintainers")}
            return TemplateResponse(request, "admin/not_for_you.html", context, status=403)
        context = {**self.each_context(request), "title": _("Sign in"), "app_path": request.get_full_path()}
        if "next" not in request.GET and "next" not in request.POST:
            context["next"] = reverse("admin:index")
        form = self.login_form or AdminAuthenticationForm
        view = SignIn.as_view(
            template_name="admin/login.html",
            authentication_form=form,
            extra_context={**context, **(extra_context or {})},
            redirect_authenticated_user=False,
        )
        answer = view(request)
        assert isinstance(answer, HttpResponse)
        return answer

    def password_change(  # type: ignore[override]  # Django promises a page where a way to one is as good
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One page for everybody's password, which leaves an event."""
        return HttpResponseRedirect(reverse("change-password"))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Django's, with the list of tables only where the person may see it, and the pages of other apps."""
        pages = [(reverse(f"admin:{one.name}"), one.label) for one in added_pages]
        return {**super().each_context(request), "shows_tables": self.has_permission(request), "added_pages": pages}


def _note_refusal(request: HttpRequest) -> None:
    """Leave the trace that a refused write for lack of permission must leave; reading leaves none."""
    from accounts import auditing
    from accounts.admin.tables import actor_of
    from accounts.errors import Forbidden

    if request.method not in ("GET", "HEAD", "OPTIONS"):
        refusal = Forbidden("This role may not write here.", code="role_missing")
        auditing.refused(f"admin.{(request.method or '').lower()}", request.path, actor_of(request), refusal)
