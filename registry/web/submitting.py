"""The form by which a developer asks for a third-party package."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry import publishing, searching, submitting
from registry.errors import Conflict, Forbidden, RegistryError, Unauthenticated
from registry.models import Release
from registry.models.packages import CATEGORIES, Ecosystem
from registry.web.pages import Page

if TYPE_CHECKING:
    from registry import storage

PREFILLED = ("ecosystem", "name", "version")


class SubmissionForm(forms.Form):
    """What is asked for. Three fields are needed; the checks look the rest up in the file."""

    ecosystem = forms.ChoiceField(label=gettext_lazy("Ecosystem"), choices=Ecosystem.choices)
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=214,
        help_text=gettext_lazy("As its installer knows it, scope included: @scope/name, group:artifact."),
    )
    version = forms.CharField(
        label=gettext_lazy("Version"),
        max_length=128,
        help_text=gettext_lazy("One exact version, no range."),
    )
    file = forms.FileField(
        label=gettext_lazy("The file"),
        required=False,
        help_text=gettext_lazy("The .tgz, .whl or .tar.gz, so that it can be scanned and, once approved, downloaded."),
    )
    note = forms.CharField(
        label=gettext_lazy("Why it is needed"),
        required=False,
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("The maintainer who decides reads this."),
    )
    description = forms.CharField(label=gettext_lazy("Description"), required=False, max_length=10_000)
    license = forms.CharField(
        label=gettext_lazy("License"),
        required=False,
        max_length=255,
        help_text=gettext_lazy("As an SPDX expression: MIT, Apache-2.0 OR MIT. A file speaks for itself."),
    )
    homepage = forms.URLField(label=gettext_lazy("Homepage"), required=False, max_length=2_000, assume_scheme="https")
    repository = forms.URLField(
        label=gettext_lazy("Repository"), required=False, max_length=2_000, assume_scheme="https"
    )
    category = forms.ChoiceField(
        label=gettext_lazy("Category"), required=False, choices=[("", gettext_lazy("Not sure")), *CATEGORIES]
    )
    keywords = forms.CharField(
        label=gettext_lazy("Keywords"), required=False, max_length=500, help_text=gettext_lazy("Parted by commas.")
    )

    def submission(self) -> submitting.Submission:
        """The cleaned fields as the activity takes them."""
        given = {key: value for key, value in self.cleaned_data.items() if key not in ("file", "keywords")}
        keywords = tuple(word.strip() for word in self.cleaned_data["keywords"].split(",") if word.strip())
        return submitting.Submission(**given, keywords=keywords)


class Submit(Page):
    """Ask for a third-party package."""

    template = "catalogue/submit.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The empty form, or one that a link has filled in."""
        given = {key: request.GET[key][:214] for key in PREFILLED if key in request.GET}
        return self._form(SubmissionForm(initial=given))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Hand it to the activity; what it refuses is said beside the field."""
        if self.actor.is_anonymous:
            raise Unauthenticated("Sign in to submit a package.")
        form = SubmissionForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._form(form, status=400)
        try:
            release = _submit(form, request, self)
        except RegistryError as refusal:
            return self._refused(form, refusal)
        messages.success(request, _("Submitted. The checks are running; a maintainer decides when they are done."))
        return redirect(_page_of(release))

    def _form(self, form: SubmissionForm, status: int = 200, known: str = "") -> HttpResponse:
        return self.show(status, form=form, query=searching.Query(), known=known)

    def _refused(self, form: SubmissionForm, refusal: RegistryError) -> HttpResponse:
        placed = [field for field in refusal.details if field in form.fields]
        form.add_error(placed[0] if placed else None, refusal.message)
        known = ""
        if isinstance(refusal, Conflict):
            given = {key: form.cleaned_data[key] for key in PREFILLED}
            known = reverse("version", kwargs=given)
        return self._form(form, 409 if known else 403 if isinstance(refusal, Forbidden) else 400, known)


def _submit(form: SubmissionForm, request: HttpRequest, page: Page) -> Release:
    with _staged(request) as upload:
        return submitting.submit(form.submission(), page.actor, upload)


@contextmanager
def _staged(request: HttpRequest) -> Iterator["storage.Staged | None"]:
    """The attached file on its way into the store, if one was attached."""
    attached: Any = request.FILES.get("file")
    if attached is None:
        yield None
        return
    with publishing.receive(attached) as staged:
        yield staged


def _page_of(release: Release) -> str:
    package = release.package
    return reverse(
        "version", kwargs={"ecosystem": package.ecosystem, "name": package.name, "version": release.version}
    )
